"""What somebody tried who wanted in, wanted more than was theirs, or wanted nobody else to be served."""

from __future__ import annotations

import re
import resource
import socket
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from broadcaster.access import passwords, tries
from broadcaster.runtime import Runtime
from broadcaster.tasks import rounds
from broadcaster.web.doors import FROM_STRANGERS
from subscribers.models import ListPiece
from tests.databases import Clock
from tests.newsrooms import PASSWORD, Browser, Signed, add_user

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LONG = "another good long phrase"
A_LIST = "姓名,手机\n王五,19900000001\n".encode()


def test_who_came_by_the_password_alone_is_out_once_there_is_a_second_factor(house: Runtime, browser: Browser) -> None:
    add_user(house, "root", "admin")
    intruder = Browser(str(browser.client.base_url))
    with intruder.client:
        intruder.sign_in("root")
        browser.sign_in("root")
        browser.set_up_code(house)
        assert browser.get("/settings/users").status_code == 200
        assert intruder.get("/settings/users").headers["location"].startswith("/login")


def test_ones_own_password_is_not_guessed_without_end(house: Runtime, browser: Browser) -> None:
    add_user(house, "view", "viewer")
    browser.sign_in("view")
    browser.get("/account/password")
    for number in range(12):
        browser.post("/account/password", old=f"guess {number}", new=LONG, again=LONG)
    assert browser.post("/account/password", old=PASSWORD, new=LONG, again=LONG).status_code == 422


def test_an_address_that_has_tried_too_often_costs_nothing_more(
    house: Runtime, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    real = passwords.matches
    monkeypatch.setattr(passwords, "matches", lambda password, kept: hashed.append(password) or real(password, kept))
    browser.get("/login")
    for number in range(70):
        browser.post("/login", name=f"nobody{number}", password="x")
    assert len(hashed) == tries.OF_ADDRESS


def test_a_body_in_pieces_is_not_taken_whatever_it_announces(house: Runtime, browser: Browser) -> None:
    browser.get("/login")
    there = urlsplit(str(browser.client.base_url))
    with socket.create_connection((there.hostname, there.port or 80), timeout=30) as line:
        head = f"POST /login HTTP/1.1\r\nHost: {there.netloc}\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n"
        line.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n5\r\n--x\r\n\r\n".encode())
        assert line.recv(100).split()[1] == b"413"


def test_strangers_send_little(house: Runtime, browser: Browser) -> None:
    add_user(house, "clerk", "operator")
    there, token = urlsplit(str(browser.client.base_url)), Signed(house, "clerk").token
    for path, cookie, told in (("/login", "", b"413"), ("/p/1/reader", "", b"413"), ("/login", token, b"403")):
        body = b"x" * (FROM_STRANGERS + 1)
        with socket.create_connection((there.hostname, there.port or 80), timeout=30) as line:
            head = f"POST {path} HTTP/1.1\r\nHost: {there.netloc}\r\nCookie: broadsheet={cookie}\r\n"
            line.sendall(f"{head}Content-Type: multipart/x\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            if told == b"403":
                # a form of nobody's, and it was read to its end
                line.sendall(body)
            assert line.recv(100).split()[1] == told, path


def test_a_file_that_the_disk_has_no_room_for_is_told(house: Runtime, browser: Browser) -> None:
    add_user(house, "clerk", "operator")
    browser.client.cookies.set("broadsheet", Signed(house, "clerk").token)
    form_token = re.search(r'name="form_token" value="(\w+)"', browser.get("/members/import").text)
    assert form_token
    room, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8 * 1024**2, most))
        answer = browser.client.post(
            "/members/import", data={"form_token": form_token[1]}, files={"file": ("list.csv", b"x" * 12 * 1024**2)}
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    assert answer.status_code == 503
    assert "The file cannot be put aside here: File too large." in answer.text
    assert "Nothing was taken in." in answer.text


def test_a_list_is_gone_after_an_hour(house: Runtime, browser: Browser, clock: Clock) -> None:
    add_user(house, "clerk", "operator")
    browser.client.cookies.set("broadsheet", Signed(house, "clerk").token)
    page = browser.get("/members/import").text
    form_token = re.search(r'name="form_token" value="(\w+)"', page)
    assert form_token
    shown = browser.client.post(
        "/members/import", data={"form_token": form_token[1]}, files={"file": ("list.csv", A_LIST)}
    )
    token = shown.headers["location"].rpartition("/")[2]
    for _ in range(3):
        clock.advance(minutes=25)
        browser.get("/account")
    rounds.keep(house)
    assert browser.post(f"/members/import/{token}/look").status_code == 404
    with house.reading() as tx:
        assert tx.session.scalar(select(ListPiece.position)) is None
    assert list(house.settings.data.rglob("*.csv")) == []


def test_no_answer_names_a_host_that_the_request_made_up(house: Runtime, browser: Browser) -> None:
    answer = browser.client.get("/login/", headers={"host": "evil.example"})
    assert "evil.example" not in answer.headers.get("location", "")
    assert answer.status_code == 404


def test_a_nul_in_an_address(house: Runtime, browser: Browser) -> None:
    assert browser.client.get("/login?next=%00").status_code == 400


def test_the_token_of_a_form_opens_nothing_else(house: Runtime, browser: Browser) -> None:
    add_user(house, "view", "viewer")
    browser.sign_in("view")
    form_token = re.search(r'name="form_token" value="(\w+)"', browser.get("/account").text)
    assert form_token
    browser.client.cookies.set("done", f"form.{form_token[1]}")
    assert browser.get("/account").status_code == 200
