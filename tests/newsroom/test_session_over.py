"""A sign-in that ends while somebody writes: whatever was sent is still there after the password."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select, update

from broadcaster.access.models import SignIn
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


def test_nothing_is_lost(house: Runtime, late: Browser) -> None:
    answer = late.post("/items/new", **WORDS)
    assert answer.status_code == 401
    assert "what you wrote is still here" in answer.text
    assert titles(house) == []
    late.page = answer
    add_user(house, "wang", "writer")
    wrong = late.post("/login", name="wang", password="wrong", **fields_of(answer.text))
    assert wrong.status_code == 422
    late.page = wrong
    entered = late.post("/login", name="wang", password=PASSWORD, **fields_of(wrong.text))
    assert "You are wang" in entered.text
    kept = fields_of(entered.text)
    assert kept["headline"] == WORDS["headline"]
    assert kept["sms"] == WORDS["sms"]
    assert kept["full"] == WORDS["full"]
    late.page = entered
    assert late.post("/items/new", **kept).status_code == 303
    assert titles(house) == ["供暖了<b>"]


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
    assert 'action="/"' in answer.text
    assert "evil" not in answer.text


def test_whether_one_is_here(house: Runtime, late: Browser) -> None:
    assert late.get("/login/here?live=1").status_code == 401
    late.client.cookies["broadsheet"] = Signed(house, "li").token
    token = late.get("/login/here?live=1").text
    assert f'value="{token}"' in late.get("/items/new").text
