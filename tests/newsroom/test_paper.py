"""The signature: changed in the newsroom from a day on, by who may, at once for every process; the name is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from broadcaster.campaigns import profile_changes
from broadcaster.runtime import Runtime, make_runtime
from subscribers.actor import OPERATOR
from tests.newsroom.test_items import come
from tests.newsrooms import Browser, Signed, add_user, at, furnish, troubles

PAGE = "/settings/paper"
SIGNED = {"signature": "【晨晖】", "day": "2026-11-21"}


@pytest.fixture
def operator(house: Runtime, browser: Browser) -> Browser:
    come(house, browser, "boss", "admin")
    browser.get(PAGE)
    return browser


@contextmanager
def called(house: Runtime, name: str) -> Iterator[Browser]:
    """The same installation under another name."""
    paper = house.settings.paper.model_copy(update={"name": name})
    other = make_runtime(house.settings.model_copy(update={"paper": paper}), clock=house.clock)
    with at(other) as browser:
        yield browser
    other.close()


def set_it(browser: Browser, *gateways: str, **fields: str) -> str:
    """What the page says that was done, or is wrong."""
    token = re.search(r'name="form_token" value="([0-9a-f]{64})"', browser.get(PAGE).text)
    assert token
    data = {"form_token": token[1], "gateway": list(gateways), **SIGNED, **fields}
    answer = browser.client.post(PAGE, data=data)
    return browser.follow(answer).text if answer.status_code == 303 else troubles(answer)


def worn(house: Runtime) -> dict[str, str | None]:
    with house.reading() as tx:
        return {name: profile.signature for name, profile in house.profiles(tx.session, tx.now).items()}


def test_changed_at_once_everywhere_and_taken_back(house: Runtime, operator: Browser) -> None:
    other = make_runtime(house.settings, clock=house.clock)
    assert "name = &#34;晨晖手机报&#34;" in operator.get(PAGE).text
    page = set_it(operator, *house.gateways)
    assert "【晨晖】 is the signature from 21 Nov 2026 on." in page
    assert "There is no signature" not in page
    assert set(worn(house).values()) == {"【晨晖】"}
    assert worn(other)["simulator"] == "【晨晖】", "a process that runs takes it over"
    other.close()
    with house.begin() as tx:
        # what somebody writes meanwhile stays
        profile_changes.write(tx.session, OPERATOR, "simulator", {"price": "0.05"}, tx.now.date(), now=tx.now)
    fields = dict(re.findall(r'name="(change_\d+)" value="(\w+)"', page))
    assert set(fields.values()) == set(house.gateways)
    page = operator.follow(operator.post(f"{PAGE}/undo", **fields)).text
    assert "The signature is as it was." in page
    assert set(worn(house).values()) == {None}
    with house.reading() as tx:
        assert str(house.profiles(tx.session, tx.now)["simulator"].price) == "0.05"
    assert operator.post(f"{PAGE}/undo", **fields).status_code == 404


def test_from_a_day_on_and_at_one_gateway(house: Runtime, operator: Browser) -> None:
    page = set_it(operator, "carrier", day="2026-12-01")
    assert "【晨晖】 from 1 Dec 2026 on" in page
    assert "There is no signature" in page
    assert set(worn(house).values()) == {None}
    assert "Not set here yet" not in page
    page = set_it(operator, "carrier")
    assert worn(house) == {"carrier": "【晨晖】", "simulator": None}
    assert page.count("Not set here yet") == 1
    assert "Not set here yet" not in set_it(operator, "simulator", signature="Daily:")


def test_on_the_drawn_phones(house: Runtime, operator: Browser) -> None:
    add_user(house, "li", "editor")
    furnish(house)
    assert "【晨晖】" not in operator.get("/editions/1").text
    set_it(operator, *house.gateways)
    assert "【晨晖】" in operator.get("/editions/1").text


@pytest.mark.parametrize("typed", ["青山书画", "【青山书画", "青山书画】", "【青山】书画", "【青山】【书画】", "【】"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_chinese_stands_in_brackets(house: Runtime, operator: Browser, typed: str) -> None:
    told = set_it(operator, "carrier", signature=typed)
    assert "does not stand in brackets" in told
    assert worn(house)["carrier"] is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_other_letters_need_no_brackets_and_one_is_told(house: Runtime, operator: Browser) -> None:
    assert "only what is signed in 【】" in set_it(operator, "carrier", signature="Daily:")
    assert worn(house)["carrier"] == "Daily:"
    assert "only what is signed in 【】" not in set_it(operator, "carrier", signature="【Daily】")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_paper_without_a_name_of_its_own(house: Runtime) -> None:
    with called(house, "Broadsheet") as browser:
        come(house, browser, "boss", "admin")
        page = browser.get(PAGE).text
        assert "still called Broadsheet" in page
        assert 'name="signature" type="text" value=""' in page
    with called(house, "晨晖") as browser:
        browser.client.cookies["broadsheet"] = Signed(house, "boss").token
        page = browser.get(PAGE).text
        assert "still called" not in page
        assert 'name="signature" type="text" value="【晨晖】"' in page


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_cannot_be_set(house: Runtime, operator: Browser) -> None:
    assert "The signature is missing." in set_it(operator, "carrier", signature="  ")
    assert "No gateway was chosen." in set_it(operator)
    assert "No gateway was chosen." in set_it(operator, "carrier", "nobody")
    assert "The day is missing." in set_it(operator, "carrier", day="tomorrow")
    assert "40" in set_it(operator, "carrier", signature=f"【{'长' * 41}】")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_editor_reads_who_changes_it(house: Runtime, browser: Browser) -> None:
    come(house, browser, "chief", "editor")
    page = browser.get(PAGE).text
    assert "晨晖手机报" in page
    assert "There is no signature" in page
    assert "The operator changes it here" in page
    assert "Set the signature" not in page
    assert "broadsheet.toml" not in page
    assert "The operator changes these words." in page
    browser.get("/items/new")
    assert browser.post(PAGE, **SIGNED, gateway="carrier").status_code == 403
