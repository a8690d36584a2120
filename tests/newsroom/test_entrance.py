"""In and out: what a cookie is worth and for how long, and who is asked for more."""

from __future__ import annotations

import re
from html import unescape

import pytest
import segno
from sqlalchemy import select

from broadcaster.access import passwords, sign_in, tries, users
from broadcaster.access.models import SignIn
from broadcaster.access.tries import OF_ACCOUNT as TRIES
from broadcaster.runtime import Runtime
from broadcaster.settings import Web
from subscribers.actor import OPERATOR
from tests.databases import Clock
from tests.newsrooms import PASSWORD, Browser, add_user, at, troubles

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def people(house: Runtime) -> None:
    add_user(house, "chief", "admin")
    add_user(house, "wang", "editor")
    add_user(house, "li", "editor")


def test_in_and_out(house: Runtime, browser: Browser) -> None:
    assert browser.get("/").headers["location"] == "/login"
    answer = browser.sign_in(" WANG ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = browser.follow(answer)
    assert page.status_code == 200
    assert "Nothing has been sent yet." in page.text
    with house.reading() as tx:
        row = tx.session.scalars(select(SignIn)).one()
        assert browser.client.cookies["broadsheet"] not in (row.token_digest, str(row.id))
    assert browser.post("/logout").headers["location"] == "/login"
    assert browser.get("/").headers["location"] == "/login"


@SQLITE
def test_the_cookie(browser: Browser) -> None:
    browser.get("/login")
    planted = browser.client.cookies["broadsheet"]
    cookie = browser.sign_in("wang").headers.get_list("set-cookie")[0]
    assert cookie.endswith("; HttpOnly; Path=/; SameSite=lax")
    assert browser.client.cookies["broadsheet"] != planted
    browser.leave()
    browser.client.cookies["broadsheet"] = planted
    assert browser.get("/account").status_code == 303


@SQLITE
def test_the_cookie_over_tls(browser: Browser) -> None:
    browser.client.headers["x-forwarded-proto"] = "https"
    browser.get("/login")
    assert browser.page is not None
    name, _, rest = browser.page.headers["set-cookie"].partition("=")
    assert name == "__Host-broadsheet"
    assert "; Secure" in rest
    assert "Domain" not in rest


@SQLITE
def test_the_same_words_whatever_was_wrong(house: Runtime, browser: Browser) -> None:
    add_user(house, "gone", "editor")
    with house.begin() as tx:
        users.disable(tx.session, OPERATOR, "gone", now=tx.now)
    told = set()
    for name, password in [("wang", "no"), ("nobody", PASSWORD), ("gone", PASSWORD), ("", ""), ("x" * 5000, "y")]:
        answer = browser.sign_in(name, password)
        assert answer.status_code == 422
        told.add(troubles(answer))
    assert len(told) == 1
    assert told.pop().startswith("The name or the password is not right")


@SQLITE
def test_an_account_takes_ten_tries(browser: Browser, clock: Clock) -> None:
    for _ in range(TRIES):
        browser.sign_in("wang", "no")
    assert browser.sign_in("wang").status_code == 422
    clock.advance(minutes=15)
    assert browser.sign_in("wang").status_code == 303


def test_an_address_takes_so_many(browser: Browser, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "OF_ADDRESS", 5)
    for n in range(5):
        browser.sign_in(f"guess{n}", "no")
    assert browser.sign_in("wang").status_code == 422
    browser.client.headers["x-forwarded-for"] = "2001:db8::1"
    assert browser.sign_in("wang").status_code == 303
    browser.leave()
    del browser.client.headers["x-forwarded-for"]
    clock.advance(minutes=15)
    assert browser.sign_in("wang").status_code == 303


def test_strangers_lock_nobody_out_where_they_have_signed_in_before(
    house: Runtime, browser: Browser, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tries, "OF_ADDRESS", TRIES + 2)
    browser.sign_in("wang")
    browser.leave()
    kept = browser.sign_in("wang")
    device = kept.cookies["device"]
    assert [part for part in kept.headers.get_list("set-cookie") if "Max-Age=15552000; Path=/; SameSite=strict" in part]
    with at(house) as stranger:
        for _ in range(TRIES + 2):
            stranger.sign_in("wang", "no")
        assert stranger.sign_in("wang").status_code == 422, "what they were told was wrong is right at last"
    browser.leave()
    browser.client.cookies["device"] = device
    assert browser.sign_in("wang").status_code == 303, "neither the account nor the address is closed to its owner"
    browser.leave()
    for forged in (device[:-1] + ("0" if device[-1] != "0" else "1"), device.partition(".")[0], "x", "", "." * 99):
        browser.client.cookies["device"] = forged
        assert browser.sign_in("wang").status_code == 422, forged
        browser.leave()
    browser.client.cookies["device"] = device
    assert browser.sign_in("chief").status_code == 422, "it is worth nothing for anybody else"
    for _ in range(TRIES):
        assert browser.sign_in("wang", "no").status_code == 422
    assert browser.sign_in("wang").status_code == 422, "whoever took the browser has no more tries than others"


def test_a_browser_that_two_take_turns_at_knows_both(browser: Browser) -> None:
    for name in ("wang", "li", "wang"):
        assert browser.sign_in(name).status_code == 303
        browser.client.cookies.delete("broadsheet")
    assert len(browser.client.cookies["device"].split(".")) == 3
    with pytest.MonkeyPatch.context() as patch:
        # whoever is counted by the address is not let in
        patch.setattr(tries, "OF_ADDRESS", 0)
        for name, status in (("wang", 303), ("li", 303), ("chief", 422)):
            assert browser.sign_in(name).status_code == status, name
            browser.client.cookies.delete("broadsheet")


def test_a_name_in_the_way_of_a_proxy_is_believed_from_proxies_only(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, house: Runtime
) -> None:
    monkeypatch.setattr(tries, "OF_ADDRESS", 2)
    house.settings = house.settings.model_copy(update={"web": Web(proxies=("192.0.2.0/24",))})
    with at(house) as stranger:
        for number in range(2):
            stranger.client.headers["x-forwarded-for"] = f"203.0.113.{number}"
            stranger.sign_in("wang", "no")
        stranger.client.headers["x-forwarded-for"] = "203.0.113.9"
        assert stranger.sign_in("wang").status_code == 422
        stranger.client.headers["x-forwarded-proto"] = "https"
        assert "Secure" not in stranger.get("/login").headers.get("set-cookie", "")
    for number in range(2):
        browser.client.headers["x-forwarded-for"] = f"203.0.113.{number + 20}, 127.0.0.1"
        browser.sign_in("wang", "no")
    assert browser.sign_in("wang").status_code == 303


@SQLITE
def test_over_tls_the_browser_is_told_to_come_by_tls_only(house: Runtime, browser: Browser) -> None:
    assert "strict-transport-security" not in browser.get("/login").headers
    house.settings = house.settings.model_copy(update={"web": Web(public_url="https://paper.example.org")})
    with at(house) as other:
        assert "strict-transport-security" not in other.get("/login").headers
        for answer in (
            other.client.get("/login", headers={"host": "paper.example.org"}),
            other.client.get("/login", headers={"x-forwarded-proto": "https"}),
        ):
            assert answer.headers["strict-transport-security"] == "max-age=31536000"


@SQLITE
def test_another_password_costs_two_hashes(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.sign_in("wang")
    browser.get("/account/password")
    done: list[str] = []
    matches, hashed = passwords.matches, passwords.hashed
    monkeypatch.setattr(passwords, "matches", lambda *given: done.append("matches") or matches(*given))
    monkeypatch.setattr(passwords, "hashed", lambda *given: done.append("hashed") or hashed(*given))
    new = "entirely my own words"
    assert browser.post("/account/password", old=PASSWORD, new=new, again=new).status_code == 303
    assert done == ["matches", "hashed"]


@SQLITE
def test_it_ends_by_itself(browser: Browser, clock: Clock) -> None:
    browser.sign_in("wang")
    for _ in range(5):
        clock.advance(minutes=29)
        assert browser.get("/account").status_code == 200
    clock.advance(minutes=31)
    assert browser.get("/account").headers["location"] == "/login?next=/account"
    browser.sign_in("wang")
    for minutes in range(29, 12 * 60, 29):
        clock.advance(minutes=29)
        assert browser.get("/account").status_code == 200, minutes
    clock.advance(minutes=29)
    assert browser.get("/account").status_code == 303


def test_it_ends_with_another_password_or_role(house: Runtime, browser: Browser) -> None:
    for change in (
        lambda tx: users.set_password(tx.session, OPERATOR, "wang", PASSWORD, now=tx.now),
        lambda tx: users.change(tx.session, OPERATOR, "wang", role="writer", now=tx.now),
        lambda tx: users.disable(tx.session, OPERATOR, "wang", now=tx.now),
    ):
        browser.sign_in("wang")
        browser.get("/account")
        with house.begin() as tx:
            change(tx)
        assert browser.get("/account").status_code == 303


@SQLITE
def test_a_password_that_was_given_out_is_replaced_first(house: Runtime, browser: Browser) -> None:
    add_user(house, "new", "editor", given_out=True)
    page = browser.follow(browser.sign_in("new"))
    assert page.headers["location"] == "/account/password"
    page = browser.follow(page)
    assert "choose one of your own" in page.text
    assert 'href="/members"' not in page.text
    for old, new, again, told, field in (
        ("no", "entirely my own words", "entirely my own words", "not right", "old"),
        (PASSWORD, "short", "short", "too short", "new"),
        (PASSWORD, PASSWORD, PASSWORD, "the password you have", "new"),
        (PASSWORD, "one of two passwords", "another of the two", "not the same", "again"),
    ):
        answer = browser.post("/account/password", old=old, new=new, again=again)
        assert (answer.status_code, told in troubles(answer)) == (422, True)
        assert f'href="#{field}"' in answer.text
        assert re.findall(r'<input id="(\w+)"[^>]*aria-invalid', answer.text, re.DOTALL) == [field]
        assert f'value="{new}"' not in answer.text
    answer = browser.post("/account/password", old=PASSWORD, new="entirely my own words", again="entirely my own words")
    assert browser.follow(answer).status_code == 200
    browser.leave()
    assert browser.sign_in("new").status_code == 422
    assert browser.sign_in("new", "entirely my own words").status_code == 303


def test_who_approves_or_administers_shows_a_code(house: Runtime, browser: Browser, clock: Clock) -> None:
    assert browser.follow(browser.sign_in("chief")).headers["location"] == "/account/code"
    page = browser.get("/account/code").text
    link = re.search(r'<a href="(otpauth://totp/[^"]*)"', page)
    assert link, "a phone cannot read its own screen"
    picture = re.search(r'<img class="code" src="([^"]*)" alt="Picture for the authenticator app', page)
    assert picture
    says = segno.make(unescape(link[1]), micro=False).svg_data_uri(scale=5, border=4, light="white")
    assert unescape(picture[1]) == says, "the picture says the same"
    assert browser.get("/account").status_code == 200
    assert "The code is not right." in troubles(browser.post("/account/code", code="000000"))
    phone = browser.set_up_code(house)
    assert browser.page
    assert "From now on signing in asks for a code" in browser.page.text
    assert "From now on" not in browser.get("/").text
    assert browser.get("/account/code").headers["location"] == "/account"

    browser.leave()
    clock.advance(minutes=1)
    halfway = browser.sign_in("chief", next="/account")
    assert halfway.headers["location"] == "/login/code?next=/account"
    assert browser.get("/account").status_code == 303, "the password alone opens nothing"
    asked = browser.follow(halfway).text
    assert "broadsheet login NAME\nbroadsheet users new-phone" in asked, "nobody else may be there to help"
    for wrong in ("", "12345", "abcdef", "１２３"):
        assert troubles(browser.post("/login/code", code=wrong, next="/account")).startswith("The code is not right")
    code = phone.at(clock())
    token = browser.client.cookies["broadsheet"]
    answer = browser.post("/login/code", code=f"{code[:3]} {code[3:]}", next="/account")
    assert browser.follow(answer).status_code == 200
    assert browser.client.cookies["broadsheet"] != token

    with at(house) as other:
        other.follow(other.sign_in("chief"))
        assert troubles(other.post("/login/code", code=code)), "a code is used once"
        clock.advance(seconds=30)
        assert other.post("/login/code", code=phone.at(clock())).status_code == 303


@SQLITE
@pytest.mark.parametrize(("role", "is_owed"), [("admin", True), ("approver", True), ("editor", False)])
def test_the_page_of_the_code_says_why_and_what_to_do_without(
    house: Runtime, browser: Browser, role: str, is_owed: bool
) -> None:
    add_user(house, "new", role)
    browser.follow(browser.sign_in("new"))
    assert (browser.get("/items").status_code == 303) is is_owed, "for whoever may neither, it is an offer"
    page = browser.get("/account/code").text
    for words, is_said in (
        ("You approve or administer here: whoever learned your password", is_owed),
        ("ask an administrator to make you an editor", is_owed),
        ("You are the only administrator", False),
        ("If you like: signing in then asks for six digits", not is_owed),
        ('<a href="/account">Set it up later', not is_owed),
        ("for example Microsoft Authenticator", True),
        ("KeePassXC", True),
    ):
        assert (words in page) is is_said, words


def test_codes_are_not_tried_for_ever(house: Runtime, browser: Browser, clock: Clock) -> None:
    browser.sign_in("chief")
    phone = browser.set_up_code(house)
    browser.leave()
    clock.advance(minutes=1)
    right = phone.at(clock())
    wrong = f"{(int(right) + 1) % 1_000_000:06}"
    for _ in range(TRIES // 2):
        # the password is right each time, and forgives nothing
        browser.follow(browser.sign_in("chief"))
        assert troubles(browser.post("/login/code", code=wrong))
    assert browser.sign_in("chief").status_code == 422
    clock.advance(minutes=15)
    browser.follow(browser.sign_in("chief"))
    assert browser.post("/login/code", code=phone.at(clock())).status_code == 303


@SQLITE
def test_the_time_between_password_and_code_is_short(house: Runtime, browser: Browser, clock: Clock) -> None:
    browser.sign_in("chief")
    phone = browser.set_up_code(house)
    browser.leave()
    clock.advance(minutes=1)
    browser.follow(browser.sign_in("chief"))
    clock.advance(minutes=5)
    assert browser.post("/login/code", code=phone.at(clock())).headers["location"] == "/login"


@SQLITE
def test_a_lost_phone(house: Runtime, browser: Browser) -> None:
    browser.sign_in("chief")
    browser.set_up_code(house)
    with house.begin() as tx:
        users.drop_second_factor(tx.session, OPERATOR, "chief", now=tx.now)
    assert browser.get("/account").status_code == 303
    assert browser.follow(browser.sign_in("chief")).headers["location"] == "/account/code"


def test_ones_own_sign_ins(house: Runtime, browser: Browser) -> None:
    browser.sign_in("wang")
    with at(house) as other, at(house) as third, at(house) as chief:
        for each in (other, third):
            each.sign_in("wang")
        chief.sign_in("chief")
        page = browser.get("/account")
        assert page.text.count("In a browser") == 3
        with house.reading() as tx:
            theirs = {row.user_id: row.id for row in tx.session.scalars(select(SignIn).order_by(SignIn.id.desc()))}
        foreign = max(theirs.values())
        browser.post("/account/sign-ins/end", sign_in=str(foreign))
        assert chief.get("/account").status_code == 200, "nobody ends what is somebody else's"
        browser.post("/account/sign-ins/end", sign_in="others")
        assert "Signed out there." in browser.get("/account").text
        assert other.get("/account").status_code == third.get("/account").status_code == 303


@SQLITE
def test_it_leads_nowhere_else(browser: Browser) -> None:
    for onward in ("//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/\n/x", ""):
        browser.leave()
        browser.get("/login")
        assert browser.post("/login", name="wang", password=PASSWORD, next=onward).headers["location"] == "/", onward


@SQLITE
def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(browser: Browser, clock: Clock) -> None:
    browser.sign_in("wang")
    part = browser.get("/?live=1")
    assert part.text.startswith('<div id="live" hx-get="/?live=1" hx-trigger="every 30s"')
    for _ in range(2):
        clock.advance(minutes=14)
        assert browser.get("/?live=1").status_code == 200
    clock.advance(minutes=3)
    gone = browser.get("/?live=1")
    assert (gone.status_code, gone.headers["hx-redirect"]) == (204, "/login")


@SQLITE
def test_a_sign_in_of_the_command_line_opens_no_page(house: Runtime, browser: Browser) -> None:
    browser.client.cookies["broadsheet"] = sign_in.sign_in(house.begin, "wang", PASSWORD)
    assert browser.get("/account").status_code == 303
