"""The server in a thread: its address, its port, its end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from broadcaster.app import make_web, serve
from broadcaster.runtime import Runtime
from broadcaster.settings import Paper, Settings
from subscribers.errors import Unavailable
from tests.databases import Clock
from tests.websites import make_house, opened


@pytest.fixture
def house(tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    made = make_house(f"sqlite:///{tmp_path / 'none.db'}", tmp_path, clock)
    yield made
    made.close()


def test_a_free_port_is_chosen_and_told(house: Runtime) -> None:
    with serve(make_web(house), "127.0.0.1", 0) as one, serve(make_web(house), "127.0.0.1", 0) as other:
        assert one != other
        for address in (one, other):
            assert httpx2.get(f"{address}health/live").json() == {"ok": True}


def test_two_houses_in_one_process_answer_for_themselves(house: Runtime, tmp_path: Path) -> None:
    other = replace(house, settings=Settings(data=tmp_path, paper=Paper(name="暮色手机报")))
    with opened(house) as here:
        assert "晨晖手机报" in here.get("/p/nothing", headers={"accept": "text/html"}).text
        with opened(other) as there:
            assert "暮色手机报" in there.get("/p/nothing", headers={"accept": "text/html"}).text
        assert "晨晖手机报" in here.get("/p/nothing", headers={"accept": "text/html"}).text


def test_it_ends_with_the_block(house: Runtime) -> None:
    # other tests of this process may have one of their own
    before = set(threading.enumerate())
    with serve(make_web(house), "127.0.0.1", 0) as address:
        httpx2.get(f"{address}health/live")
        assert {thread.name for thread in set(threading.enumerate()) - before} >= {"web"}
    assert "web" not in {thread.name for thread in set(threading.enumerate()) - before}
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(address)
    with serve(make_web(house), "127.0.0.1", int(address.rstrip("/").rpartition(":")[2])) as again:
        assert again == address


def test_an_open_connection_does_not_hold_up_the_end(house: Runtime) -> None:
    with serve(make_web(house), "127.0.0.1", 0) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        idle = socket.create_connection(("127.0.0.1", port))
        assert httpx2.get(f"{address}health/live").status_code == 200
    with idle:
        assert idle.recv(1) == b""


def test_a_port_that_is_taken(house: Runtime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with (
            pytest.raises(Unavailable, match=f"127.0.0.1 port {port} cannot be used"),
            serve(make_web(house), "127.0.0.1", port),
        ):
            pass


def test_an_answer_goes_out_whole(house: Runtime) -> None:
    """Head and body are two writes; without this the second waits until the browser has said that it has the first."""
    made: list[socket.socket] = []
    with pytest.MonkeyPatch.context() as patch:
        real = socket.create_server
        patch.setattr(socket, "create_server", lambda *args, **more: made.append(real(*args, **more)) or made[-1])
        with serve(make_web(house), "127.0.0.1", 0):
            assert made[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_every_interface_is_told_by_one_that_can_be_opened(house: Runtime) -> None:
    with serve(make_web(house), "0.0.0.0", 0) as address:
        assert address.startswith("http://127.0.0.1:")
        assert httpx2.get(f"{address}health/live").status_code == 200


def test_no_line_for_a_request(house: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with serve(make_web(house), "127.0.0.1", 0) as address:
        httpx2.get(f"{address}hooks/carrier?from=%2B8619900000001")
    assert "1990000" not in "".join(record.getMessage() for record in caplog.records if "httpx" not in record.name)


def test_a_form_that_is_broken_off_is_no_trouble_of_the_server(
    house: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    """A button pressed twice: the browser takes back the first form while it is under way."""
    with serve(make_web(house), "127.0.0.1", 0) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as browser:
            head = "POST /login HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n"
            browser.sendall(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode())
            # the server waits for the form
            assert b" 100 " in browser.recv(1000)
            browser.sendall(b"--b\r\n")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
