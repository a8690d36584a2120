"""A sign-in that ends while somebody writes: whatever was sent is still there after the password."""

from __future__ import annotations

import re
from html import unescape

import httpx2
import pytest
from sqlalchemy import select, update

from broadcaster.access.models import SignIn, User
from broadcaster.newspaper.models import Item
from broadcaster.runtime import Runtime
from tests.newsrooms import PASSWORD, Browser, Signed, add_user

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WORDS = {"headline": "供暖了<b>", "sms": "今天供暖。\"'&", "full": "第一段\r\n\r\n第二段", "audience": "retired"}


def end_all(house: Runtime) -> None:
    with house.begin() as tx:
        tx.session.execute(update(SignIn).values(ended_at=tx.now))


@pytest.fixture
def late(house: Runtime, browser: Browser) -> Browser:
    """Somebody at the form of a new item, whose sign-in is over."""
    add_user(house, "li", "writer")
    browser.client.cookies["broadsheet"] = Signed(house, "li").token
    browser.get("/items/new")
    end_all(house)
    return browser


def fields_of(page: str) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found if name != "form_token"}


def titles(house: Runtime) -> list[str]:
    with house.reading() as tx:
        return list(tx.session.scalars(select(Item.headline)))


def without_code(house: Runtime) -> None:
    with house.begin() as tx:
        tx.session.execute(update(User).values(code_since=None))


def test_nothing_is_lost(house: Runtime, late: Browser) -> None:
    without_code(house)
    answer = late.post("/items/new", **WORDS)
    assert answer.status_code == 401
    assert "what you wrote is still here" in answer.text
    assert titles(house) == []
    late.page = answer
    wrong = late.post("/login", name="li", password="wrong", **fields_of(answer.text))
    assert wrong.status_code == 422
    late.page = wrong
    entered = late.post("/login", name="li", password=PASSWORD, **fields_of(wrong.text))
    assert_offered(house, late, entered)


def assert_offered(house: Runtime, browser: Browser, page: httpx2.Response) -> None:
    """What was typed comes back to the one who typed it, and one button saves it."""
    assert "You are li. What you wrote has not been saved yet." in page.text
    kept = fields_of(page.text)
    assert kept == WORDS
    assert titles(house) == []
    browser.page = page
    assert browser.post("/items/new", **kept).status_code == 303
    assert titles(house) == ["供暖了<b>"]


@pytest.mark.parametrize("role", ["writer", "viewer"])
def test_somebody_else_is_not_offered_it_and_loses_nothing_of_it(house: Runtime, late: Browser, role: str) -> None:
    answer = late.post("/items/new", **WORDS)
    add_user(house, "wang", role)
    late.page = answer
    entered = late.post("/login", name="wang", password=PASSWORD, **fields_of(answer.text))
    assert entered.status_code == 409
    assert "li had opened the page from which this was sent, and you are wang. Nothing was done." in entered.text
    assert 'action="/items/new"' not in entered.text
    late.page = entered
    # pressing it in wang's name is of no use
    without_code(house)
    back = late.post("/logout", **fields_of(entered.text))
    assert "what you wrote is still here" in back.text
    late.page = back
    assert late.client.get("/items").status_code == 303, "wang is signed out"
    assert_offered(house, late, late.post("/login", name="li", password=PASSWORD, **fields_of(back.text)))


def test_a_form_of_a_page_that_was_opened_before_one_signed_in_anew(house: Runtime, late: Browser) -> None:
    late.client.cookies["broadsheet"] = Signed(house, "li").token
    assert_offered(house, late, late.post("/items/new", **WORDS))


@pytest.mark.parametrize("role", ["writer", "viewer"])
def test_a_form_of_a_page_that_somebody_else_had_opened(house: Runtime, late: Browser, role: str) -> None:
    add_user(house, "wang", role)
    late.client.cookies["broadsheet"] = Signed(house, "wang").token
    answer = late.post("/items/new", **WORDS)
    assert answer.status_code == 409
    assert "you are wang" in answer.text
    assert titles(house) == []
    without_code(house)
    late.page = answer
    back = late.post("/logout", **fields_of(answer.text))
    late.page = back
    assert_offered(house, late, late.post("/login", name="li", password=PASSWORD, **fields_of(back.text)))


def test_a_form_of_before_with_a_file_or_a_secret_is_told_of(house: Runtime, late: Browser) -> None:
    late.leave()
    token = re.findall(r'name="form_token" value="([0-9a-f]{64})"', late.get("/login").text)[0]
    late.leave()
    late.client.cookies["broadsheet"] = Signed(house, "li").token
    old = re.findall(r'name="form_token" value="([0-9a-f]{64})"', late.get("/items/new").text)[0]
    late.client.cookies["broadsheet"] = Signed(house, "li").token
    late.client.headers["referer"] = f"{late.client.base_url}items/new"
    files = {"file": ("a.csv", b"x")}
    for path, given in (("/items/new", {"files": files}), ("/account/password", {})):
        answer = late.client.post(path, data={"form_token": old, "old": "my old one"}, **given)
        assert answer.headers["location"] == "/items/new"
        assert "Nothing was done; do it once more." in late.follow(answer).text
    assert late.client.post("/items/new", data={"form_token": token}).status_code == 403, "of nobody's page"


def test_a_part_of_a_page_asks_what_is_good_now(house: Runtime, late: Browser) -> None:
    add_user(house, "wang", "writer")
    old = re.findall(r'name="form_token" value="([0-9a-f]{64})"', late.page.text if late.page else "")[0]
    late.client.cookies["broadsheet"] = Signed(house, "li").token
    answer = late.client.post("/items/keep", data={"form_token": old}, headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["x-signed-in-anew"]) == (403, "1")
    now = late.client.get("/login/here?live=1", headers={"x-form-token": old}).text
    assert f'value="{now}"' in late.get("/items/new").text
    for strange in (old[:-1], "", "x" * 500):
        assert late.client.get("/login/here", headers={"x-form-token": strange}).status_code == 409
    late.client.cookies["broadsheet"] = Signed(house, "wang").token
    assert late.client.get("/login/here?live=1", headers={"x-form-token": old}).status_code == 409


def test_the_dialog_goes_on_for_the_same_user_only(house: Runtime, late: Browser) -> None:
    add_user(house, "wang", "writer")
    without_code(house)
    late.page = late.client.get("/login?dialog=1")
    other = late.post("/login", name="wang", password=PASSWORD, dialog="1")
    assert "data-form-token" not in other.text
    assert "You are wang, and somebody else had opened this page." in other.text
    late.page = other
    again = late.post("/login", name="li", password=PASSWORD, **fields_of(other.text))
    assert "data-form-token" in again.text


def test_the_code_comes_between(house: Runtime, late: Browser) -> None:
    answer = late.post("/items/new", **WORDS)
    late.page = answer
    halfway = late.post("/login", name="li", password=PASSWORD, **fields_of(answer.text))
    assert 'action="/login/code"' in halfway.text
    assert fields_of(halfway.text) == fields_of(answer.text)
    late.page = halfway
    assert late.post("/login/code", code="000000", **fields_of(halfway.text)).status_code == 422


def test_what_is_secret_is_not_kept(house: Runtime, late: Browser) -> None:
    answer = late.post("/account/password", old="my old one", new="another one", again="another one")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=/"
    referred = late.client.headers["referer"] = f"{late.client.base_url}items/new"
    answer = late.post("/account/password", old="my old one")
    assert answer.headers["location"] == "/login?next=/items/new", referred


def test_what_is_forged_or_too_large_is_not_kept(late: Browser) -> None:
    client = late.client
    assert client.post("/items/new", data={"form_token": "0" * 64, "headline": "x"}).status_code == 403
    assert late.post("/items/new", full="长" * 200_000).status_code == 303
    client.headers["origin"] = "https://evil.example"
    assert late.post("/items/new", **WORDS).headers["location"] == "/login"


@pytest.mark.parametrize("fields", ["", "x", "[", "[" * 5000, "{}", "[1]", '[["a"]]', '[["a",1]]', "null", '"ab"'])
def test_an_errand_that_is_none(late: Browser, house: Runtime, fields: str) -> None:
    add_user(house, "wang", "writer")
    late.get("/login")
    answer = late.post("/login", name="wang", password=PASSWORD, path="/items/new", fields=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_an_errand_leads_nowhere_else(late: Browser, house: Runtime) -> None:
    add_user(house, "wang", "writer")
    late.get("/login")
    answer = late.post("/login", name="wang", password=PASSWORD, path="//evil.example/", fields='[["a","b"]]')
    assert 'href="/"' in answer.text
    assert "evil" not in answer.text


def test_whether_one_is_here(house: Runtime, late: Browser) -> None:
    assert late.get("/login/here?live=1").status_code == 401
    late.client.cookies["broadsheet"] = Signed(house, "li").token
    token = late.get("/login/here?live=1").text
    assert f'value="{token}"' in late.get("/items/new").text
