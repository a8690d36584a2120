"""Clients that do not behave: only their own connection suffers, and the carrier does not grow."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadcaster.rehearsal.running import Rehearsal, rehearsing
from tests.rehearsal.conftest import Start, wait_until
from tests.rehearsal.wire import (
    ANSWER,
    BIND_TRX,
    CANCEL,
    DELIVER,
    ENQUIRE,
    NACK,
    QUERY,
    SUBMIT,
    UNBIND,
    Client,
    pdu,
    submit,
)


def is_well(carrier: Rehearsal) -> bool:
    """Whether others are still served."""
    with Client(carrier.port) as client:
        return client.bind(system_id="well").status == 0 and client.ask(submit(2, registered=0)).status == 0


@pytest.mark.parametrize("length", [*range(16), 70_001, 2**31 - 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("bound", [True, False])
def test_lengths_that_cannot_be(start: Start, length: int, bound: bool) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        if bound:
            client.bind()
        client.send(pdu(ENQUIRE, 3), struct.pack(">I", length))
        assert client.read().sequence == 3, "what came before is answered"
        nack = client.read()
        assert (nack.command, nack.status) == (NACK, 0x02)
        assert client.is_over()
    assert is_well(carrier)


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"])
def test_other_protocols(start: Start, octets: bytes) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        client.send(octets)
        assert client.read().command == NACK
        assert client.is_over()
    assert is_well(carrier)


@pytest.mark.parametrize("command", [0, 7, 0x21, 0x103, 0x777, 0x7FFFFFFF])
def test_commands_that_there_are_not(start: Start, command: int) -> None:
    with Client(start().port) as client:
        client.bind()
        nack = client.ask(pdu(command, 77, b"whatever"))
        assert (nack.command, nack.status, nack.sequence) == (NACK, 0x03, 77)
        assert client.ask(submit(2)).status == 0


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (pdu(SUBMIT, 5), 0x02),
        (pdu(SUBMIT, 5, b"\xff" * 50), 0x02),
        (submit(5, tlvs=b"\x04\x24\xff\xff"), 0xC0),
        (submit(5, b"\xff", esm=0x40), 0x45),
        (pdu(QUERY, 5, b"1" * 70), 0x02),
        (pdu(CANCEL, 5), 0x02),
        (pdu(BIND_TRX, 5, b"paper\0"), 0x02),
    ],
)
def test_bodies_that_cannot_be_read(start: Start, octets: bytes, status: int) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        client.bind()
        answer = client.ask(octets)
        assert (answer.status, answer.sequence, answer.body) == (status, 5, b"")
        assert answer.command & ~ANSWER == struct.unpack(">I", octets[4:8])[0]
        assert client.ask(submit(2)).status == 0
    assert carrier.counts().malformed == 1


@pytest.mark.parametrize("command", [SUBMIT, QUERY, CANCEL, UNBIND])
def test_before_the_bind(start: Start, command: int) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        octets = submit(4) if command == SUBMIT else pdu(command, 4)
        assert client.ask(octets).status == 0x04
    assert carrier.accepted() == []


def test_bound_twice(start: Start) -> None:
    with Client(start().port) as client:
        assert client.bind().status == 0
        assert client.bind().status == 0x05
        assert client.ask(submit(3)).status == 0


def test_answers_to_what_was_never_asked(start: Start) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        client.send(pdu(DELIVER | ANSWER, 1, b"\0"), pdu(SUBMIT | ANSWER, 1), pdu(NACK, 9), pdu(0x80000777, 3))
        client.bind()
        client.send(pdu(DELIVER | ANSWER, 4711, b"\0"), pdu(NACK, 4711), pdu(DELIVER | ANSWER, 4712))
        assert client.ask(pdu(ENQUIRE, 3)).sequence == 3
    assert carrier.counts().receipts_acknowledged == 0


def test_a_pdu_may_come_octet_by_octet(start: Start) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.bind()
        for octet in submit(5, b"drop by drop", registered=0) + pdu(ENQUIRE, 6):
            client.send(bytes((octet,)))
        assert [client.read().sequence for _ in range(2)] == [5, 6]
        # half a PDU, and gone
        client.send(submit(7)[:20])
    wait_until(lambda: carrier.counts().links == 0)
    assert [line["text"] for line in carrier.accepted()] == ["drop by drop"]


def test_a_client_that_never_reads_is_not_listened_to(start: Start) -> None:
    carrier = start(receipt_delay=0.0)
    with Client(carrier.port) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.bind()
        flood = b"".join(submit(n % 1000, b"x" * 100) for n in range(2000))
        client.socket.settimeout(1)
        before = resident()
        with pytest.raises(TimeoutError):
            for _ in range(2000):
                client.socket.sendall(flood)
        # what lies in the buffers is still taken; then nothing is, for as long as the client does not read
        taken = [0, carrier.counts().accepted]
        while taken[-1] != taken[-2] and len(taken) < 40:
            time.sleep(0.5)
            taken.append(carrier.counts().accepted)
        assert taken[-1] == taken[-2]
        assert resident() - before < 100
        assert is_well(carrier)


def test_the_same_with_latency(start: Start) -> None:
    carrier = start(latency=3600.0)
    with Client(carrier.port) as client:
        client.send(*(pdu(BIND_TRX, 1, b"a\0b\0\0\x34\0\0\0"),))
        flood = b"".join(submit(n, b"x" * 100, registered=0) for n in range(2000))
        client.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            for _ in range(2000):
                client.socket.sendall(flood)
        assert carrier.counts().accepted < 50_000


def test_a_thousand_connections(start: Start) -> None:
    carrier = start()
    before = resident()
    with contextlib.ExitStack() as stack:
        for n in range(300):
            client = stack.enter_context(Client(carrier.port))
            client.send(pdu(BIND_TRX, 1, b"client%d\0\0\0\x34\0\0\0" % n))
        wait_until(lambda: carrier.counts().links == 300)
        assert is_well(carrier)
    for _ in range(700):
        Client(carrier.port).__exit__(None, None, None)
    wait_until(lambda: carrier.counts().connections == 1001 and carrier.counts().links == 0)
    assert resident() - before < 60


def test_a_client_that_is_cut_off_in_the_middle(start: Start) -> None:
    carrier = start(receipt_delay=0.0)
    for _ in range(20):
        with Client(carrier.port) as client:
            client.bind()
            client.send(*(submit(n, registered=0) for n in range(2, 202)))
            # RST instead of FIN
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: carrier.counts().links == 0)
    assert is_well(carrier)


@pytest.fixture(scope="module")
def robust(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    with rehearsing(tmp_path_factory.mktemp("robust") / "log") as carrier:
        yield carrier


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_octets_come(robust: Rehearsal, data: st.DataObject) -> None:
    good = [submit(2), pdu(ENQUIRE, 3), pdu(QUERY, 4, b"1\0\0\0\0"), pdu(CANCEL, 5, b"\0" * 8), pdu(UNBIND, 6)]
    octets = bytearray(b"".join(data.draw(st.lists(st.sampled_from(good), max_size=6))))
    for _ in range(data.draw(st.integers(0, 8)) if octets else 0):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    octets += data.draw(st.binary(max_size=40))
    with Client(robust.port) as client, contextlib.suppress(ConnectionError):
        client.bind()
        client.send(bytes(octets))
    assert not robust.ended.is_set()
    with Client(robust.port) as client:
        assert client.bind().status == 0


def test_after_all_of_that_nothing_went_wrong_inside(robust: Rehearsal) -> None:
    assert is_well(robust)
    wait_until(lambda: robust.counts().links == 0)
    assert robust.counts().internal_errors == 0


def resident() -> float:
    """MiB of memory that this process has now (Linux), with the carrier in it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    return int(status.read_text().partition("VmRSS:")[2].split()[0]) / 1024
