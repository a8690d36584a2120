"""Errors: words for people, plain lines for programs, the right number for both."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx2
import pytest
from fastapi import FastAPI

from broadcaster.app import make_web
from broadcaster.runtime import Runtime
from subscribers.db import make_engine
from subscribers.errors import BroadsheetError, Conflict, Denied, Invalid, NotFound, Unavailable
from tests.websites import hosted, make_client

#: errors are the same on either database
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

_TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')
BROWSER = {"accept": "text/html,*/*;q=0.8", "accept-language": "en"}


def failing(app: FastAPI) -> FastAPI:
    """The application with an address for every way to fail."""
    kinds: list[type[Exception]] = [Invalid, Denied, NotFound, Conflict, Unavailable, BroadsheetError]

    @app.get("/fail/{name}")
    def fail(name: str) -> None:
        kind = next((kind for kind in kinds if kind.__name__ == name), None)
        if kind is None:
            raise RuntimeError("+8619900000001 is in the message of this mistake")
        raise kind("There is no gateway {name}.", hint="Compare the address with the configuration.", name="<x>")  # type: ignore[call-arg]

    return app


@pytest.fixture
def site(house: Runtime) -> Iterator[httpx2.Client]:
    with hosted(failing(make_web(house))) as address, make_client(address) as client:
        yield client


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("Invalid", 400),
        ("Denied", 403),
        ("NotFound", 404),
        ("Conflict", 409),
        ("Unavailable", 503),
        ("BroadsheetError", 500),
    ],
)
def test_our_errors(site: httpx2.Client, name: str, status: int) -> None:
    plain = site.get(f"/fail/{name}", headers={"accept-language": "en"})
    assert plain.status_code == status
    assert plain.text == "There is no gateway <x>.\nCompare the address with the configuration.\n"
    assert ("retry-after" in plain.headers) == (status == 503)
    page = site.get(f"/fail/{name}", headers=BROWSER)
    assert page.status_code == status
    assert "There is no gateway &lt;x&gt;." in page.text
    chinese = site.get(f"/fail/{name}", headers={"accept-language": "zh"})
    assert chinese.text.startswith("没有网关 <x>。\n")


def test_a_mistake_of_ours_is_told_without_its_inside(site: httpx2.Client, caplog: pytest.LogCaptureFixture) -> None:
    for headers in (BROWSER, {"accept-language": "en"}):
        # the server hangs up after such a mistake
        answer = site.get("/fail/otherwise", headers={**headers, "connection": "close"})
        assert answer.status_code == 500
        assert "Something went wrong here." in answer.text
        assert "1990000" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "RuntimeError" in caplog.text


def test_nothing_here(site: httpx2.Client) -> None:
    page = site.get("/nowhere", headers=BROWSER)
    assert page.status_code == 404
    assert "There is nothing at this address." in page.text
    assert 'href="/"' in page.text
    assert "晨晖手机报" in page.text


def test_no_description_of_itself(site: httpx2.Client) -> None:
    assert {site.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}


def test_strangers_are_not_told_where_the_database_is(house: Runtime, site: httpx2.Client) -> None:
    forms = {path: _TOKEN.findall(site.get(path, headers=BROWSER).text)[0] for path in ("/login", "/p/1/reader/code")}
    house.engine.dispose()
    house.engine = make_engine("postgresql+psycopg://secretary@127.0.0.1:1/paperdb")
    assert "127.0.0.1" in site.get("/p/1", headers=BROWSER).text
    stranger = {**BROWSER, "x-forwarded-for": "198.51.100.7"}
    fields = {"name": "li", "password": "x", "number": "19900000077"}
    answers = [site.get(path, headers=stranger) for path in ("/p/1", "/p", "/", "/health")]
    for path, token in (("/login", forms["/login"]), ("/p/1/reader", forms["/p/1/reader/code"])):
        answers.append(site.post(path, data={"form_token": token, **fields}, headers=stranger))
    for page in answers:
        assert page.status_code == 503, page.url
        assert "A part of this program does not answer just now." in page.text
        assert "127.0.0.1" not in page.text
        assert "retry-after" in page.headers


def test_a_page_without_a_database(house: Runtime, site: httpx2.Client) -> None:
    house.engine.dispose()
    house.engine = make_engine("sqlite:////nowhere/at/all.db")
    page = site.get("/", headers=BROWSER)
    assert page.status_code == 503
    assert "The database does not answer" in page.text


def test_the_page_is_there_in_the_other_language(site: httpx2.Client) -> None:
    shown = site.get("/fail/NotFound?x=1", headers=BROWSER)
    assert '<a class="plain" href="?x=1&amp;lang=zh" lang="zh-CN" hreflang="zh-CN">中文</a>' in shown.text
    assert 'href="?x=1&amp;lang=en" lang="en"' in site.get("/fail/NotFound?x=1&lang=zh", headers=BROWSER).text
    form = site.post("/fail/NotFound?lang=en", headers=BROWSER)
    assert form.status_code == 405
    assert 'href="/?lang=zh"' in form.text, "the form is not sent again"
