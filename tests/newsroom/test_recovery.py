"""Recovery codes: shown once, each good once, for nobody else, and not to be tried for ever."""

from __future__ import annotations

import re
import threading
from urllib.parse import unquote

import pyotp
import pytest
from sqlalchemy import select

from broadcaster.access import passwords, recovery, sign_in, users
from broadcaster.access.models import Door, RecoveryCode
from broadcaster.access.sign_in import Way
from broadcaster.access.tries import OF_ACCOUNT as TRIES
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from subscribers.errors import Denied
from subscribers.models import Audit
from tests.databases import Clock
from tests.newsrooms import PASSWORD, RECOVERY, Browser, add_user, at, troubles

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NEVER = "zzzz-zzzz-zzzz"


@pytest.fixture(autouse=True)
def people(house: Runtime) -> None:
    add_user(house, "chief", "admin")
    add_user(house, "second", "approver")


def set_up(house: Runtime, browser: Browser, name: str = "chief") -> tuple[pyotp.TOTP, list[str]]:
    """Somebody with a second factor, and the codes that they were shown."""
    browser.leave()
    browser.sign_in(name)
    phone = browser.set_up_code(house)
    assert browser.page
    return phone, shown(browser.page.text)


def shown(page: str) -> list[str]:
    box = re.search(r"<textarea[^>]*readonly>(.*?)</textarea>", page, re.DOTALL)
    return RECOVERY.findall(box[1]) if box else []


def enter(browser: Browser, name: str, code: str) -> str:
    """With a password and a recovery code: what was wrong, or nothing."""
    browser.leave()
    answer = browser.follow(browser.sign_in(name))
    assert "No phone at hand" in answer.text
    answer = browser.post("/login/code", recovery=code, next="/account")
    assert answer.status_code in (303, 422)
    if answer.status_code == 303:
        assert browser.follow(answer).status_code == 200
    return troubles(answer)


def records(house: Runtime) -> list[tuple[str, str, dict[str, object]]]:
    with house.reading() as tx:
        found = tx.session.scalars(select(Audit).where(Audit.deed.startswith("users.recovery")).order_by(Audit.id))
        return [(each.actor, each.deed, each.details) for each in found]


def test_each_is_shown_once_and_opens_once(house: Runtime, browser: Browser) -> None:
    _, codes = set_up(house, browser)
    assert len(set(codes)) == recovery.CODES
    assert browser.page
    file = re.search(r'href="data:text/plain;charset=utf-8,([^"]*)" download', browser.page.text)
    assert file
    assert RECOVERY.findall(unquote(file[1])) == codes
    assert not RECOVERY.findall(browser.get("/account/recovery").text), "never again"
    assert f"{recovery.CODES} recovery codes left" in browser.get("/account").text
    # as phones and other keyboards write it
    for typed in (codes[0], codes[1].upper(), codes[2].replace("-", " "), codes[3].translate(WIDE)):
        assert enter(browser, "chief", typed) == "", typed
        assert enter(browser, "chief", typed).startswith("The code is not right, or it was used already.")
    assert enter(browser, "chief", codes[4]) == ""
    assert f"{recovery.CODES - 5} recovery codes left" in browser.get("/account").text
    told = records(house)
    assert told[0] == ("chief", "users.recovery_codes", {"made": recovery.CODES})
    assert told[1] == ("chief", "users.recovery", {"left": recovery.CODES - 1})
    assert not any(code in str(told) for code in codes)


WIDE = {ord(each): ord(each) + 0xFEE0 for each in "23456789abcdefghjkmnpqrstuvwxyz-"}


def test_nobody_elses_and_none_that_was_replaced(house: Runtime, browser: Browser, clock: Clock) -> None:
    _, theirs = set_up(house, browser, "second")
    phone, mine = set_up(house, browser)
    clock.advance(minutes=1)
    assert enter(browser, "chief", theirs[0])
    assert enter(browser, "chief", NEVER)
    assert enter(browser, "chief", "")
    assert enter(browser, "chief", mine[0]) == ""
    # others only for a code of the phone that is fresh
    clock.advance(minutes=1)
    browser.get("/account/recovery")
    right = phone.at(clock())
    for wrong in ("", f"{(int(right) + 1) % 1_000_000:06}", mine[1]):
        answer = browser.post("/account/recovery", code=wrong)
        assert answer.status_code == 422
        assert not shown(answer.text)
    renewed = browser.post("/account/recovery", code=right)
    newer = shown(renewed.text)
    assert len(newer) == recovery.CODES
    assert "The earlier ones are good for nothing now." in renewed.text
    assert browser.post("/account/recovery", code=right).status_code == 422, "a code is used once"
    assert enter(browser, "chief", mine[1])
    assert enter(browser, "chief", newer[0]) == ""
    assert enter(browser, "second", theirs[0]) == "", "theirs are theirs still"


def test_they_are_not_tried_for_ever(house: Runtime, browser: Browser, clock: Clock) -> None:
    phone, codes = set_up(house, browser)
    for other in "01ilo"[: TRIES // 2]:
        # the password is right each time, and forgives nothing; none of these stands in a code
        assert enter(browser, "chief", codes[0][:-1] + other)
    browser.leave()
    assert browser.sign_in("chief").status_code == 422
    clock.advance(minutes=15)
    assert enter(browser, "chief", codes[0]) == ""
    # nor is the code of the phone, by who is signed in and has no phone
    browser.get("/account/recovery")
    clock.advance(minutes=1)
    wrong = f"{(int(phone.at(clock())) + 1) % 1_000_000:06}"
    for _ in range(TRIES):
        assert browser.post("/account/recovery", code=wrong).status_code == 422
    assert browser.post("/account/recovery", code=phone.at(clock())).status_code == 422, "right, and too late"
    clock.advance(minutes=15)
    assert browser.post("/account/recovery", code=phone.at(clock())).status_code == 200


def test_of_two_at_once_one_comes_in(house: Runtime, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    _, codes = set_up(house, browser)
    way = Way(Door.WEB, "10.0.0.1", "", house.secret)
    halfway = [sign_in.sign_in(house.begin, "chief", PASSWORD, way) for _ in range(2)]
    both, real = threading.Barrier(2), passwords.matches
    # both have found it unused before either uses it
    monkeypatch.setattr(passwords, "matches", lambda *given: both.wait(30) >= 0 and real(*given))
    came: list[str | None] = []

    def go(token: str) -> None:
        try:
            came.append(sign_in.enter_code(house.begin, token, codes[0], way))
        except Denied:
            came.append(None)

    threads = [threading.Thread(target=go, args=[token]) for token in halfway]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(each is not None for each in came) == 1


@SQLITE
def test_they_open_nothing_by_themselves(house: Runtime, browser: Browser, clock: Clock) -> None:
    _, codes = set_up(house, browser)
    browser.leave()
    browser.get("/login")
    assert browser.post("/login/code", recovery=codes[0]).status_code == 303, "to the password"
    assert browser.get("/account").status_code == 303
    browser.follow(browser.sign_in("chief"))
    clock.advance(minutes=6)
    browser.post("/login/code", recovery=codes[0])
    assert browser.get("/account").status_code == 303, "the password was typed too long ago"
    assert enter(browser, "chief", codes[0]) == "", "it was not used up by that"
    with house.begin() as tx:
        users.disable(tx.session, OPERATOR, "second", now=tx.now)
        users.drop_second_factor(tx.session, OPERATOR, "chief", now=tx.now)
        assert tx.session.scalars(select(RecoveryCode)).all() == [], "another phone, other codes"
    assert browser.get("/account/recovery").status_code == 303
    add_user(house, "plain", "editor")
    browser.leave()
    browser.sign_in("plain")
    assert browser.get("/account/recovery").headers["location"] == "/account/code", "nothing to recover"
    browser.get("/account")
    assert browser.post("/account/recovery", code="123456").status_code == 422


@SQLITE
def test_the_only_administrator_is_not_sent_to_another_one(house: Runtime, browser: Browser) -> None:
    browser.sign_in("chief")
    page = browser.get("/account/code").text
    assert "You are the only administrator" in page
    assert "broadsheet users new-phone chief" in page
    assert "ask an administrator to make you an editor" not in page
    add_user(house, "other", "admin")
    page = browser.get("/account/code").text
    assert "You are the only administrator" not in page
    assert "ask an administrator to make you an editor" in page


@SQLITE
def test_in_the_dialog_over_a_page(house: Runtime, browser: Browser) -> None:
    _, codes = set_up(house, browser)
    browser.leave()
    page = browser.get("/login?dialog=1")
    assert page.status_code == 200
    browser.page = browser.post("/login", name="chief", password=PASSWORD, dialog="1")
    assert 'name="recovery"' in browser.page.text
    wrong = browser.post("/login/code", recovery=NEVER, dialog="1")
    assert "<details open>" in wrong.text
    browser.page = wrong
    assert browser.post("/login/code", recovery=codes[0], dialog="1").status_code == 200
    with at(house) as other:
        assert enter(other, "chief", codes[0])
