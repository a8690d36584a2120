"""Every door of the site, from the router's own list: each says what it needs, and asks for it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from fastapi.routing import iter_route_contexts

from broadcaster.access import sign_in
from broadcaster.access.models import Role
from broadcaster.access.roles import RIGHTS
from broadcaster.app import make_web
from broadcaster.runtime import Runtime
from broadcaster.settings import Settings
from broadcaster.web.doors import DECLARED, Open, own_path
from subscribers.actor import Right
from tests.newsrooms import Browser, add_user

#: what machines knock at, and what anybody may look at; none of it heeds a cookie
OF_NOBODY = {
    ("GET", "/hooks/{name}"),
    ("POST", "/hooks/{name}"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/metrics"),
    ("GET", "/static/{name:path}"),
    ("GET", "/p"),
    ("GET", "/p/{number}"),
    ("GET", "/p/{number}/picture/{item}"),
}
#: forms that strangers may send
OF_ANYBODY = {("POST", "/login"), ("POST", "/logout"), ("POST", "/first")} | {
    ("POST", "/p/{number}/reader"),
    ("POST", "/p/{number}/reader/code"),
    ("POST", "/p/{number}/reader/forget"),
}

#: one database will do: what is asked here is the routes
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

GUARDED = sorted((key, needs) for key, needs in DECLARED.items() if isinstance(needs, Right))


def routes() -> set[tuple[str, str]]:
    app = make_web(SimpleNamespace(settings=Settings()))  # type: ignore[arg-type]
    return {
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        for method in context.methods or ()
        if method != "HEAD"
    }


def path_of(path: str) -> str:
    """An address that fits: what it names is of nobody."""
    path = path.replace("{token}", "0" * 32)
    path = path.replace("{number}", "999999")
    return path.replace("{id}", "999999").replace("{name}", "nobody").replace("{path:path}", "nobody")


def test_every_route_is_a_door(database_url: str) -> None:
    assert routes() == OF_NOBODY | DECLARED.keys()


def test_strangers_may_send_these_forms_only(database_url: str) -> None:
    opened = {key for key, needs in DECLARED.items() if needs is Open.ANYBODY and key[0] != "GET"}
    assert opened == OF_ANYBODY


def test_what_needs_no_right_stands_here(database_url: str) -> None:
    free = {path for (_, path), needs in DECLARED.items() if not isinstance(needs, Right)}
    assert all(
        path == "/" or path.startswith(("/login", "/logout", "/account", "/first", "/p/{number}/reader"))
        for path in free
    ), free


def test_every_door_asks_every_role(house: Runtime, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    role = Role.VIEWER
    add_user(house, "somebody", "viewer")
    browser.sign_in("somebody")
    browser.get("/account")
    real = sign_in.visitor

    def with_that_role(*args, **kwargs):
        found = real(*args, **kwargs)
        return found and replace(found, actor=replace(found.actor, rights=RIGHTS[role]), owes_code=False)

    monkeypatch.setattr(sign_in, "visitor", with_that_role)
    wrong = []
    for role in Role:
        for (method, path), needs in GUARDED:
            answer = browser.client.get(path_of(path)) if method == "GET" else browser.post(path_of(path))
            if (answer.status_code == 403) == (needs in RIGHTS[role]) or answer.status_code >= 500:
                wrong.append((role, method, path, needs, answer.status_code))
    assert not wrong


def test_no_door_opens_to_a_stranger(browser: Browser) -> None:
    browser.get("/login")
    for (method, path), needs in DECLARED.items():
        if needs is Open.ANYBODY:
            continue
        answer = browser.client.get(path_of(path)) if method == "GET" else browser.post(path_of(path))
        if method == "GET" or needs is Open.HALFWAY:
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/login"), (method, path)
        else:
            # what was typed goes with the form that asks for the password
            assert answer.status_code == 401, (method, path)
            assert 'action="/login"' in answer.text, (method, path)
        part = browser.client.request(method, path_of(path), headers={"hx-request": "true"})
        assert part.status_code == 401 or needs is Open.HALFWAY, (method, path)


def test_no_form_of_another_page_is_taken(house: Runtime, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    add_user(house, "somebody", "viewer")
    browser.sign_in("somebody")
    browser.get("/account")
    real = sign_in.visitor

    def of_an_admin(*args, **kwargs):
        found = real(*args, **kwargs)
        return found and replace(found, actor=replace(found.actor, rights=frozenset(Right)), owes_code=False)

    monkeypatch.setattr(sign_in, "visitor", of_an_admin)
    for (method, path), needs in DECLARED.items():
        if method == "GET" or needs is Open.HALFWAY:
            continue
        browser.get("/account")
        to, client = path_of(path), browser.client
        assert client.post(to, data={"name": "x"}).status_code == 403, path
        assert client.post(to, data={"form_token": "0" * 64}).status_code == 403, path
        assert client.post(to, content=iter([b"form_token=x"])).status_code == 413, path
        for name, value in (("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")):
            client.headers[name] = value
            assert browser.post(to).status_code == 403, (path, value)
            del client.headers[name]
    assert browser.get("/account").status_code == 200


def test_an_origin_of_ours_is_taken(house: Runtime, browser: Browser) -> None:
    add_user(house, "somebody", "viewer")
    browser.client.headers["origin"] = str(browser.client.base_url).rstrip("/")
    assert browser.sign_in("somebody").status_code == 303


def test_a_sign_that_cannot_be_kept(browser: Browser) -> None:
    browser.get("/login")
    answer = browser.post("/login", name="a\x00b", password="x")
    assert answer.status_code == 400
    assert "has a sign in it that cannot be kept" in answer.text


def test_a_broken_form(browser: Browser) -> None:
    browser.get("/login")
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"):
        for body in (b"\xff\xfe=\xff", b"&&&=;=%%%zz", b"a=" + b"1" * 100_000, b"form_token=%00", b"--x\r\n\r\n", b""):
            answer = browser.client.post("/login", content=body, headers={"content-type": content_type})
            assert answer.status_code in (400, 403), (content_type, body[:20])


def test_own_path(database_url: str) -> None:
    for given, kept in (
        ("/members?q=%E6%9D%8E&lang=zh", "/members?q=%E6%9D%8E&lang=zh"),
        ("/a?next=//b", "/a?next=//b"),
        ("//evil.example", "/"),
        ("/\\evil", "/"),
        ("http:/x", "/"),
        ("/\t/evil", "/"),
        ("/李", "/"),
    ):
        assert own_path(given) == kept
