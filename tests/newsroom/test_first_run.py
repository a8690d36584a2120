"""From an empty installation to a sample on one's own phone."""

from __future__ import annotations

import re
import time
from time import monotonic

import pytest

from broadcaster.app import make_web
from broadcaster.binds import holding
from broadcaster.newsroom.first_run import first_link
from broadcaster.runtime import Runtime, make_runtime
from tests.factories import make_member
from tests.newsrooms import PASSWORD, Browser, Signed, add_user, at, troubles
from tests.websites import hosted

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def begun(house: Runtime):
    """A browser that was given the link, and its key."""
    web = make_web(house)
    with hosted(web) as address:
        browser = Browser(address)
        with browser.client:
            yield browser, first_link(web, address).rpartition("=")[2]


def test_the_first_administrator(house: Runtime, begun: tuple[Browser, str]) -> None:
    browser, key = begun
    assert "Nobody works here yet." in browser.get("/").text
    assert browser.get(f"/first?key={key}").status_code == 200
    for name, new, again, told, marked in (
        ("chief", "short", "short", "too short", "new"),
        ("", PASSWORD, PASSWORD, "cannot be a user", "name"),
        ("chief", PASSWORD, "x", "not the same", "again"),
    ):
        answer = browser.post("/first", key=key, name=name, new=new, again=again)
        assert (answer.status_code, told in troubles(answer)) == (422, True)
        # what is wrong is marked, and nothing else
        assert re.search(rf'<input[^>]* name="{marked}"[^>]* aria-invalid="true"', answer.text)
        assert answer.text.count('aria-invalid="true"') == 1
    page = browser.follow(browser.post("/first", key=key, name="Chief", new=PASSWORD, again=PASSWORD))
    assert "chief" in page.text
    browser.set_up_code(house)
    page = browser.get("/")
    assert "To begin with" in page.text
    assert "Send a test message to your phone" in page.text
    with house.begin() as tx:
        make_member(tx.session)
    page = browser.get("/")
    assert "✓ Take in your members" in page.text
    assert 'href="/items/new"' in page.text
    browser.post("/editions/new", number="1", day="2026-11-23", title="one")
    assert "To begin with" not in browser.get("/").text


@pytest.mark.parametrize(
    ("name", "signature", "is_done"),
    [
        ("Broadsheet", "【晨晖】", False),
        ("晨晖", "", False),
        ("晨晖", "【晨晖】", True),
    ],
)
def test_name_and_signature_are_done_with_both(house: Runtime, name: str, signature: str, is_done: bool) -> None:
    paper = house.settings.paper.model_copy(update={"name": name, "signature": signature})
    other = make_runtime(house.settings.model_copy(update={"paper": paper}), clock=house.clock)
    add_user(house, "chief", "admin")
    with at(other) as browser:
        browser.client.cookies["broadsheet"] = Signed(house, "chief").token
        page = browser.get("/").text
        with house.begin() as tx:
            make_member(tx.session)
        browser.get("/editions/new")
        browser.post("/editions/new", number="1", day="2026-11-23", title="one")
        at_last = browser.get("/").text
    assert ("To begin with" in at_last) is (name == "Broadsheet"), "the name is still to be set"
    assert ("✓ Name and signature of the paper" in page) is is_done
    assert ("still called Broadsheet. The operator gives it its own" in page) is (name == "Broadsheet")
    other.close()


@pytest.mark.parametrize("key", ["", "x", "李", "'", "0" * 200])
def test_a_stranger_is_not_faster(begun: tuple[Browser, str], key: str) -> None:
    browser, right = begun
    assert browser.get(f"/first?key={key}").status_code == 403
    browser.get(f"/first?key={right}")
    assert browser.post("/first", key=key, name="evil", new=PASSWORD, again=PASSWORD).status_code == 403


def test_there_is_one_first_only(house: Runtime, begun: tuple[Browser, str]) -> None:
    browser, key = begun
    browser.get(f"/first?key={key}")
    add_user(house, "chief", "admin")
    answer = browser.post("/first", key=key, name="second", new=PASSWORD, again=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    web = make_web(house)
    assert first_link(web, "http://127.0.0.1/") == ""


def test_a_sample(house: Runtime, browser: Browser) -> None:
    add_user(house, "chief", "admin")
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    page = browser.get("/settings/gateways")
    assert "simulator" in page.text
    for gateway, number, told in (
        ("nobody", "19900000001", "There is no gateway"),
        ("simulator", "010-65550000", "landline"),
        ("simulator", "1990000", "digit"),
        ("simulator", "", ""),
    ):
        answer = browser.post("/settings/gateways", gateway=gateway, number=number)
        assert answer.status_code == 422
        assert told in troubles(answer), troubles(answer)
        assert f'value="{number}"' in answer.text, "what was typed stays"
    answer = browser.post("/settings/gateways", gateway="simulator", number="19900000001")
    assert answer.status_code == 200
    assert re.findall("<li>(.)", answer.text)[-6:].count("✓") >= 4, answer.text
    assert "delivered" in answer.text


def test_a_sample_where_the_gateways_are_held(house: Runtime, browser: Browser) -> None:
    """As under `up`: the connection stands already, and still stands afterwards."""
    add_user(house, "chief", "admin")
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    with holding(house):
        deadline = monotonic() + 30
        while "simulator" not in house.linked and monotonic() < deadline:
            time.sleep(0.05)
        browser.get("/settings/gateways")
        answer = browser.post("/settings/gateways", gateway="simulator", number="19900000001")
        assert "delivered" in answer.text, answer.text
        assert "✓ connected since" in browser.get("/settings/gateways").text
