"""What carriers tell by calling: once, whole, only if it is them, whatever else arrives."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from broadcaster import hooks
from broadcaster.delivery.models import ReceiptInbox
from broadcaster.logs import Seldom
from broadcaster.replies.models import Letter
from broadcaster.runtime import Runtime
from broadcaster.web import bodies
from subscribers.db import Wake, make_engine
from tests.databases import Clock
from tests.websites import call, make_house, opened, sign

RECEIPT = json.dumps([{"id": "m-1", "stat": "DELIVRD"}]).encode()
BOTH = json.dumps(
    [{"id": "m-2", "stat": "MK:0001"}, {"id": "mo-1", "from": "+8619900000001", "text": "收到，谢谢"}]
).encode()


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    made = make_house(database_url, tmp_path, clock, language="en")
    yield made
    made.close()


@pytest.fixture
def site(house: Runtime) -> Iterator[httpx2.Client]:
    with opened(house) as client:
        yield client


def kept(house: Runtime) -> tuple[int, int]:
    """Receipts and letters in the database."""
    with house.reading() as tx:
        receipts = tx.session.scalar(select(func.count()).select_from(ReceiptInbox)) or 0
        return receipts, tx.session.scalar(select(func.count()).select_from(Letter)) or 0


def test_receipts_and_letters_are_stored_before_the_answer(house: Runtime, site: httpx2.Client) -> None:
    hints: list[Wake] = []

    def publish(wakes: Sequence[Wake]) -> None:
        assert kept(house) == (1, 1), "the hint came before the commit"
        hints.extend(wakes)

    house.publish = publish
    answer = call(site, BOTH)
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (202, "text/x-carrier", "OK 2")
    assert {wake.queue for wake in hints} == {"receipts", "replies"}
    with house.reading() as tx:
        receipt = tx.session.scalars(select(ReceiptInbox)).one()
        letter = tx.session.scalars(select(Letter)).one()
        assert (receipt.gateway, receipt.provider_id, receipt.state) == ("carrier", "m-2", "failed")
        assert (receipt.reason, receipt.received_at) == ("the number does not exist", tx.now)
        assert (letter.msisdn, letter.text, letter.state) == ("+8619900000001", "收到，谢谢", "new")


def test_told_again_is_kept_once(house: Runtime, site: httpx2.Client) -> None:
    assert [call(site, BOTH).status_code for _ in range(3)] == [202] * 3
    assert kept(house) == (1, 1)


def test_requests_that_bring_nothing_new_are_told_once_a_minute(
    house: Runtime, site: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = json.dumps([{"id": "mo-1", "from": "+8619900000001", "text": "收到，谢谢"}]).encode()
    half_new = json.dumps([{"id": "m-1", "stat": "DELIVRD"}, {"id": "m-2", "stat": "DELIVRD"}]).encode()
    at = 1000.0
    monkeypatch.setattr(hooks, "monotonic", lambda: at)
    monkeypatch.setattr(hooks, "repeats", Seldom(60.0))

    def told(*bodies: bytes) -> list[tuple[str, str, int, int]]:
        with capture_logs() as logged:
            assert [call(site, body).status_code for body in bodies] == [202] * len(bodies)
        lines = [line for line in logged if "nothing new" in line["event"]]
        assert all("have it give you another secret" in line["hint"] for line in lines)
        return [(line["log_level"], line["gateway"], line["requests"], line["events"]) for line in lines]

    # the first time, with something new, with nothing at all
    assert told(RECEIPT, letter, half_new, b"[]") == []
    assert told(RECEIPT) == [("info", "carrier", 1, 1)]
    assert told(RECEIPT, letter, half_new) == []
    at += 59
    assert told(letter) == []
    at += 1
    assert told(half_new) == [("warning", "carrier", 5, 2)]
    at += 60
    assert told(letter) == [("info", "carrier", 1, 1)]
    assert kept(house) == (2, 1)


def test_a_receipt_in_the_address(house: Runtime, site: httpx2.Client) -> None:
    url = "/hooks/carrier?id=m%2F3&stat=DELIVRD"
    answer = site.get(url, headers={"x-signature": sign(url, b"")})
    assert (answer.status_code, answer.text) == (202, "OK 1")
    with house.reading() as tx:
        assert tx.session.scalars(select(ReceiptInbox.provider_id)).one() == "m/3"


def test_no_events_are_an_answer_too(house: Runtime, site: httpx2.Client) -> None:
    assert call(site, b"[]").text == "OK 0"
    assert kept(house) == (0, 0)


def test_a_forged_request_is_refused_unread_and_logged(house: Runtime, site: httpx2.Client) -> None:
    with capture_logs() as logged:
        for forged in ("", "0" * 64, sign("/hooks/carrier", RECEIPT + b" ")):
            answer = call(site, RECEIPT, **{"x-signature": forged})
            assert answer.status_code == 403
            assert answer.text == "This request does not prove where it comes from.\n"
        # what would not parse is forged first
        assert call(site, b"{", **{"x-signature": "0"}).status_code == 403
    assert kept(house) == (0, 0)
    assert [(line["event"], line["gateway"]) for line in logged] == [("forged request refused", "carrier")] * 4


BROKEN = {
    "no JSON": (b"{", {}, 400),
    "empty": (b"", {}, 400),
    "another encoding": ("[]，".encode("gb18030"), {}, 400),
    "bytes of nothing": (b"\xff\xfe\x00\x80", {}, 400),
    "NUL alone": (b"\0", {}, 400),
    "another type": (RECEIPT, {"content-type": "text/xml"}, 400),
    "a field too few": (b'[{"id": "m-1"}]', {}, 400),
    "nested without end": (b"[" * 60_000, {}, 400),
    "too large": (b" " * (bodies.MOST + 1), {}, 413),
    "as large as it may be": (RECEIPT.ljust(bodies.MOST), {}, 202),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", BROKEN)
def test_broken_inputs(house: Runtime, site: httpx2.Client, name: str) -> None:
    body, headers, status = BROKEN[name]
    answer = call(site, body, **headers)
    assert answer.status_code == status, answer.text
    assert kept(house) == ((1, 0) if status == 202 else (0, 0))
    assert call(site, RECEIPT).status_code == 202, "the door still works"


def test_characters_that_no_database_keeps(house: Runtime, site: httpx2.Client) -> None:
    told = [
        {"id": "m\0-1", "stat": "DELIVRD\ud800"},
        {"id": "mo-1", "from": "+8619900000001", "text": "a\0b\udfffc😀"},
    ]
    assert call(site, json.dumps(told).encode()).status_code == 202
    with house.reading() as tx:
        assert tx.session.scalars(select(Letter.text)).one() == "abc😀"
        assert tx.session.scalars(select(ReceiptInbox.provider_id)).one() == "m-1"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method(site: httpx2.Client, method: str) -> None:
    answer = site.request(method, "/hooks/carrier", content=RECEIPT)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ["nobody", "", "carrier/more", "%00", "..%2f..%2fetc"])
def test_a_gateway_there_is_not(house: Runtime, site: httpx2.Client, name: str) -> None:
    assert site.post(f"/hooks/{name}", content=RECEIPT).status_code == 404
    assert kept(house) == (0, 0)


def test_a_gateway_that_takes_no_requests(site: httpx2.Client) -> None:
    answer = site.post("/hooks/simulator", content=RECEIPT)
    assert answer.status_code == 404
    assert "Gateway simulator takes no HTTP requests" in answer.text


@pytest.mark.parametrize("url", ["postgresql+psycopg://x@127.0.0.1:1/x", "sqlite:////nowhere/at/all.db"])
def test_while_the_database_is_away_the_carrier_is_asked_to_repeat(
    house: Runtime, site: httpx2.Client, url: str
) -> None:
    engine, house.engine = house.engine, make_engine(url)
    answer = call(site, RECEIPT)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    house.engine = engine
    assert call(site, RECEIPT).status_code == 202
    assert kept(house) == (1, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
class TestBySocket:
    """What no decent client sends."""

    def test_a_large_body_is_refused_before_it_is_sent(self, site: httpx2.Client) -> None:
        with connected(site) as line:
            line.sendall(head("POST", f"Content-Length: {10 * bodies.MOST}"))
            assert line.recv(100).startswith(b"HTTP/1.1 413")

    def test_a_chunked_body_is_read_only_so_far(self, site: httpx2.Client) -> None:
        with connected(site) as line:
            line.sendall(head("POST", "Transfer-Encoding: chunked"))
            chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
            line.sendall(chunk * 3)
            assert line.recv(100).startswith(b"HTTP/1.1 413")

    def test_a_chunked_body_of_a_decent_size(self, house: Runtime, site: httpx2.Client) -> None:
        pieces = iter([RECEIPT[:5], RECEIPT[5:]])
        headers = {"content-type": "application/json", "x-signature": sign("/hooks/carrier", RECEIPT)}
        assert site.post("/hooks/carrier", content=pieces, headers=headers).status_code == 202
        assert kept(house) == (1, 0)

    def test_a_body_that_does_not_come(self, site: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bodies, "PATIENCE", 0.2)
        with connected(site) as line:
            line.sendall(head("POST", "Content-Length: 10") + b"[")
            assert line.recv(100).startswith(b"HTTP/1.1 408")

    def test_a_client_that_leaves_in_the_middle(
        self, house: Runtime, site: httpx2.Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        with connected(site) as line:
            line.sendall(head("POST", "Content-Length: 10") + b"[")
            time.sleep(0.1)
        assert call(site, RECEIPT).status_code == 202
        assert kept(house) == (1, 0)
        assert "Traceback" not in caplog.text

    @pytest.mark.parametrize("length", ["-1", "ten", "1e3", ""])
    def test_a_length_that_is_none(self, site: httpx2.Client, length: str) -> None:
        with connected(site) as line:
            line.sendall(head("POST", f"Content-Length: {length}") + b"[]")
            assert line.recv(100).startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))


def connected(site: httpx2.Client) -> socket.socket:
    return socket.create_connection(("127.0.0.1", site.base_url.port or 0), timeout=5)


def head(method: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} /hooks/carrier HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()
