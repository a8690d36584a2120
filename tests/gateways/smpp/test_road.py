"""Each way in which the road to the carrier ends early is one line that says what to do."""

from __future__ import annotations

import contextlib
import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from broadcaster.gateways.contract import Accepted, Unreachable
from broadcaster.gateways.errors import GatewayError, LinkDown, Misconfigured
from broadcaster.gateways.smpp import road
from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.gateways.testkit import make_parts
from tests.gateways.smpp.conftest import Make
from tests.gateways.smpp.smsc import PASSWORD, Smsc

AUTHORITY = trustme.CA()


def server_context(name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(path)
    return path


def told(make: Make, **settings: object) -> GatewayError:
    """What opening says; parts are unreachable, and nobody asks again."""
    gateway = make(**settings)
    with pytest.raises(GatewayError) as caught:
        gateway.open()
    assert [type(outcome) for outcome in gateway.submit(make_parts(2))] == [Unreachable] * 2
    assert caught.value.hint
    assert "\n" not in str(caught.value)
    assert PASSWORD not in f"{caught.value}{caught.value.hint}"
    return caught.value


def test_small_pdus_do_not_wait_for_one_another(smsc: Smsc) -> None:
    """With Nagle's way and late acknowledgements a window of one goes 40 times as slow."""
    config = SmppConfig(kind="smpp", host="127.0.0.1", port=smsc.port, system_id="paper")
    with road.connect("carrier", config, None) as connection:
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"password": "wrong"}, "the password is wrong"),
        ({"system_id": "pager"}, "does not know system_id pager"),
        ({"system_type": "OTA"}, "does not take system_type 'OTA'"),
        ({"interface_version": "5.0"}, "refuses the bind and does not say why"),
    ],
)
def test_what_the_sheet_says_otherwise(make: Make, smsc: Smsc, wrong: dict[str, object], words: str) -> None:
    error = told(make, **wrong, refused_bind_pause=60)
    assert isinstance(error, Misconfigured)
    assert words in str(error)
    time.sleep(0.3)
    assert len(smsc.binds) == 1, "the carrier was asked again at once"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x05, "signed on already"),
        (0x03, "does not know this kind of bind"),
        (0x0D, "does not say why"),
        (0x08, "has trouble of its own"),
        (0x0123, "a code of its own"),
    ],
)
def test_other_refusals(make: Make, smsc: Smsc, status: int, words: str) -> None:
    smsc.manners.bind_status = status
    assert words in str(told(make))


def test_a_refused_bind_is_tried_again_after_its_pause(make: Make, smsc: Smsc) -> None:
    smsc.manners.bind_status = 0x0E
    gateway = make(refused_bind_pause=0.5)
    with pytest.raises(Misconfigured):
        gateway.open()
    smsc.manners.bind_status = None
    gateway.open()
    assert isinstance(gateway.submit(make_parts(1))[0], Accepted)
    assert smsc.binds[-1] - smsc.binds[0] >= 0.5 * (len(smsc.binds) - 1)


def test_nobody_listens(make: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "nobody listens at" in str(told(make, port=port))


def test_no_such_host(make: Make) -> None:
    assert "there is no host" in str(told(make, host="smsc.invalid"))


def test_a_carrier_that_says_nothing(make: Make, smsc: Smsc) -> None:
    smsc.manners.answers = False
    assert "takes the connection and says nothing" in str(told(make))


@contextlib.contextmanager
def server(answer: bytes) -> Iterator[int]:
    """Says this to everybody, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    near, _ = listener.accept()
                    with near:
                        near.recv(1024)
                        near.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "hung up instead of answering"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "A web server"),
        (b"220 mail.example ESMTP\r\n", "Another service"),
        (b"\x7f\xff\xff\xff\x80\0\0\x09\0\0\0\0\0\0\0\x01", "a PDU of 2147483647 octets"),
        (b"\0\0\0\x02\x80\0\0\x09\0\0\0\0\0\0\0\x01", "a PDU of 2 octets"),
    ],
)
def test_somebody_else_answers(make: Make, answer: bytes, words: str) -> None:
    with server(answer) as port:
        assert words in str(told(make, port=port))


def test_a_real_web_server(make: Make) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.05,))
        thread.start()
        # it waits for the end of a line that never comes
        assert "says nothing" in str(told(make, port=web.server_port))
        web.shutdown()
        thread.join()


class TestTls:
    def test_it_is_spoken(self, make: Make, authority: Path) -> None:
        with Smsc(server_context()) as smsc:
            gateway = make(port=smsc.port, tls=True, tls_ca=authority)
            gateway.open()
            outcomes = gateway.submit(make_parts(50))
            assert all(isinstance(outcome, Accepted) for outcome in outcomes)
            assert len(smsc.taken) == 50

    def test_by_another_name(self, make: Make, authority: Path) -> None:
        with Smsc(server_context("smsc.example")) as smsc:
            error = told(make, port=smsc.port, tls=True, tls_ca=authority)
            assert isinstance(error, Misconfigured)
            assert "is not for 127.0.0.1" in str(error)
            gateway = make(port=smsc.port, tls=True, tls_ca=authority, tls_name="smsc.example")
            gateway.open()

    def test_by_an_authority_that_nobody_trusts(self, make: Make) -> None:
        with Smsc(server_context()) as smsc:
            error = told(make, port=smsc.port, tls=True)
            assert isinstance(error, Misconfigured)
            assert "is not trusted" in str(error)

    def test_an_authority_that_is_no_file(self, make: Make, tmp_path: Path) -> None:
        gateway = make(tls=True, tls_ca=tmp_path / "none.pem")
        with pytest.raises(Misconfigured, match="holds no certificates"):
            gateway.open()

    def test_asked_for_where_there_is_none(self, make: Make, smsc: Smsc, authority: Path) -> None:
        smsc.manners.answers = False
        assert "to TLS" in str(told(make, tls=True, tls_ca=authority))
        with server(b"\0\0\0\x10\x80\0\0\0\0\0\0\x02\0\0\0\0") as port:
            error = told(make, port=port, tls=True, tls_ca=authority)
            assert "does not speak TLS" in str(error)

    def test_not_asked_for_where_there_is(self, make: Make) -> None:
        with Smsc(server_context()) as smsc:
            error = told(make, port=smsc.port)
            assert isinstance(error, LinkDown)
            assert "speaks TLS" in str(error) or "hung up" in str(error)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this machine")
def test_ipv6(make: Make) -> None:
    try:
        smsc = Smsc(family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with smsc:
        gateway = make(host="::1", port=smsc.port)
        gateway.open()
        assert isinstance(gateway.submit(make_parts(1))[0], Accepted)


def test_closing_does_not_wait_for_a_carrier_that_says_nothing(make: Make, smsc: Smsc) -> None:
    smsc.manners.answers = False
    gateway = make(connect_timeout=30)
    opening = threading.Thread(target=_try, args=(gateway,))
    opening.start()
    time.sleep(0.2)
    gateway.close()
    opening.join(10)
    assert not opening.is_alive()


def _try(gateway: object) -> None:
    with contextlib.suppress(LinkDown):
        gateway.open()  # type: ignore[attr-defined]
