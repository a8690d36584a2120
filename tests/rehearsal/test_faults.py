"""What the carrier does on purpose: each fault as it is asked for."""

from __future__ import annotations

import re
import socket
import struct
import time
from typing import Any

import pytest

from tests.factories import generated_msisdn
from tests.rehearsal.conftest import Start, wait_until
from tests.rehearsal.wire import ANSWER, BIND_RX, BIND_TX, DATA, DELIVER, ENQUIRE, SUBMIT, Client, Pdu, pdu, submit


def answers(start: Start, many: int = 200, **behaviour: Any) -> list[Pdu]:
    """The answers to so many submits to different people."""
    carrier = start(**behaviour)
    with Client(carrier.port) as client:
        client.bind()
        client.send(*(submit(n, to=generated_msisdn(n), registered=0) for n in range(2, many + 2)))
        found = [client.read() for _ in range(many)]
    assert sum(not each.status for each in found) == len(carrier.accepted()) == carrier.counts().accepted
    return found


@pytest.mark.parametrize(("how", "status"), [("throttled", 0x58), ("queue-full", 0x14)])
def test_too_fast(start: Start, how: str, status: int) -> None:
    found = answers(start, throttle=0.5, throttle_with=how)
    assert 50 < sum(each.status == status for each in found) < 150
    assert {each.status for each in found} == {0, status}
    assert all(not each.body for each in found if each.status)


def test_a_limit_is_one_for_all_connections(start: Start) -> None:
    found = answers(start, limit=10.0)
    assert 1 <= sum(not each.status for each in found) < 100


def test_refused(start: Start) -> None:
    assert {each.status for each in answers(start, refuse=0.5)} == {0, 0x0B}


def test_latency(start: Start) -> None:
    carrier = start(latency=0.4, receipt_delay=0.0)
    with Client(carrier.port) as client:
        assert client.bind().status == 0
        began = time.monotonic()
        assert client.ask(submit(2)).command == SUBMIT | ANSWER
        assert time.monotonic() - began > 0.35
        client.acknowledged()


def test_latency_does_not_hold_back_a_client_that_goes_on(start: Start) -> None:
    carrier = start(latency=0.3)
    with Client(carrier.port) as client:
        client.bind()
        client.send(*(submit(n, registered=0) for n in range(2, 102)), pdu(6, 200))
        assert [client.read().sequence for _ in range(100)] == list(range(2, 102))
        assert client.read().sequence == 200
        assert client.is_over()


@pytest.mark.parametrize(
    ("behaviour", "stats"),
    [
        ({"undelivered": 1.0}, ["UNDELIV"]),
        ({"expired": 1.0}, ["EXPIRED"]),
        ({"rejected": 1.0}, ["REJECTD"]),
        ({"intermediate": 1.0, "receipt_delay": 0.3}, ["ENROUTE", "DELIVRD"]),
        ({"reordered": 1.0}, ["DELIVRD", "ENROUTE"]),
        ({"duplicate": 1.0}, ["DELIVRD", "DELIVRD"]),
        ({"duplicate": 1.0, "undelivered": 1.0}, ["UNDELIV", "UNDELIV"]),
        ({"lost": 1.0}, []),
        ({"late": 1.0, "late_delay": 0.3}, ["DELIVRD"]),
    ],
    ids=lambda each: " ".join(each),
)
def test_receipts(start: Start, behaviour: dict[str, float], stats: list[str]) -> None:
    with Client(start(**behaviour).port) as client:
        client.bind()
        message_id = client.ask(submit(2)).message_id
        found = [client.acknowledged().words for _ in stats]
        assert [words.partition("stat:")[2][:7] for words in found] == stats
        assert all(f"id:{message_id} " in words for words in found)
        assert client.hears_nothing(0.3)


def test_a_receipt_for_an_id_that_nobody_was_given(start: Start) -> None:
    with Client(start(unknown_id=1.0).port) as client:
        client.bind()
        message_id = client.ask(submit(2)).message_id
        own, strange = (client.acknowledged().words.split()[0] for _ in range(2))
        assert own == f"id:{message_id}"
        assert strange != own


def test_a_receipt_before_its_answer(start: Start) -> None:
    with Client(start(early=1.0).port) as client:
        client.bind()
        client.send(submit(2))
        receipt = client.acknowledged()
        assert client.read().message_id in receipt.words


def test_a_receipt_before_its_answer_on_another_connection(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    # long enough to be seen on a busy machine
    monkeypatch.setattr("broadcaster.rehearsal.link.EARLY_BY", 1.0)
    carrier = start(early=1.0)
    with Client(carrier.port) as sending, Client(carrier.port) as receiving:
        sending.bind(how=BIND_TX)
        receiving.bind(how=BIND_RX)
        sending.send(submit(2))
        receipt = receiving.acknowledged()
        assert sending.hears_nothing(0.02)
        assert sending.read().message_id in receipt.words


def test_receipts_out_of_order(start: Start) -> None:
    with Client(start(receipt_delay=0.0, receipt_spread=0.5).port) as client:
        client.bind()
        client.send(*(submit(n) for n in range(2, 42)))
        found = [client.read() for _ in range(80)]
        receipts = [each.words.split()[0] for each in found if each.command == DELIVER]
        assert len(receipts) == 40
        assert receipts != sorted(receipts)


def test_ids_in_two_forms(start: Start) -> None:
    with Client(start(id_form="upper-padded", receipt_id_form="decimal", receipt_by="tlv").port) as client:
        client.bind()
        message_id = client.ask(submit(2)).message_id
        assert re.fullmatch("000000[0-9A-F]{8}", message_id)
        receipt = client.acknowledged()
        assert receipt.tlvs[0x1E] == b"%d\0" % int(message_id, 16)
        assert receipt.message == b""


def test_receipts_by_data_sm(start: Start) -> None:
    carrier = start(receipt_with="data_sm")
    with Client(carrier.port) as client:
        client.bind()
        message_id = client.ask(submit(2)).message_id
        receipt = client.acknowledged()
        assert receipt.command == DATA
        assert receipt.tlvs[0x1E] == message_id.encode() + b"\0"
        wait_until(lambda: carrier.counts().receipts_acknowledged == 1)


def test_the_line_drops_with_an_answer_missing(start: Start) -> None:
    carrier = start(drop_after=3)
    for round_ in (1, 2):
        with Client(carrier.port) as client:
            client.bind()
            client.send(*(submit(n, registered=0) for n in range(2, 12)))
            assert [client.read().sequence for _ in range(2)] == [2, 3]
            assert client.is_over()
        assert len(carrier.accepted()) == 3 * round_


@pytest.mark.parametrize("fault", ["silent_after", "half_open_after"])
def test_silence(start: Start, fault: str) -> None:
    carrier = start(**{fault: 2})
    with Client(carrier.port) as client, Client(carrier.port) as other:
        client.bind()
        client.send(*(submit(n) for n in range(2, 12)))
        assert [client.read().sequence for _ in range(2)] == [2, 3]
        client.send(pdu(ENQUIRE, 99))
        assert client.hears_nothing(0.3)
        # only this connection: its receipts go to another one
        other.bind()
        assert {other.acknowledged().words.partition("stat:")[2][:7] for _ in range(2)} == {"DELIVRD"}
    assert len(carrier.accepted()) == 2


def test_half_open_does_not_read(start: Start) -> None:
    with Client(start(half_open_after=1).port) as client:
        client.bind()
        assert client.ask(submit(2)).status == 0
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.socket.sendall(b"\0" * 50_000_000)


def test_garbage_before_the_answer(start: Start) -> None:
    carrier = start(garbage=1.0)
    seen = set()
    for n in range(2, 60):
        with Client(carrier.port) as client:
            client.bind()
            client.send(submit(n, registered=0))
            data = b""
            client.socket.settimeout(5)
            while pdu(SUBMIT | ANSWER, n)[4:] not in data and len(data) < 1000:
                data += client.socket.recv(1000)
            seen.add(data.partition(struct.pack(">III", SUBMIT | ANSWER, 0, n))[0][:-4])
    assert len(seen) > 8
    assert b"" not in seen


def test_octets_drip(start: Start) -> None:
    with Client(start(drip=200.0).port) as client:
        began = time.monotonic()
        assert client.bind().status == 0
        assert time.monotonic() - began > 0.1
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert client.ask(submit(2)).status == 0
        assert "stat:DELIVRD" in client.acknowledged().words


def test_the_default_alphabet(start: Start) -> None:
    for alphabet, text in (("gsm", "¡"), ("latin1", "@")):
        carrier = start(default_alphabet=alphabet, log=alphabet)
        with Client(carrier.port) as client:
            client.bind()
            client.ask(submit(2, b"\x40"))
        assert carrier.accepted()[0]["text"] == text


def test_it_changes_while_it_runs(start: Start) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        client.bind()
        assert client.ask(submit(2, registered=0)).status == 0
        carrier.behave(throttle=1.0)
        assert client.ask(submit(3)).status == 0x58
        carrier.behave(throttle=0.0)
        assert client.ask(submit(4, registered=0)).status == 0
        carrier.cut()
        assert client.is_over()


def test_what_waits_comes_after_the_answer_to_the_bind(start: Start) -> None:
    carrier = start(receipt_delay=0.0)
    with Client(carrier.port) as sending:
        sending.bind(how=BIND_TX)
        sending.ask(submit(2))
        wait_until(lambda: carrier.counts().receipts_waiting == 1)
        carrier.behave(latency=0.3)
        with Client(carrier.port) as receiving:
            assert receiving.bind(how=BIND_RX).command == BIND_RX | ANSWER
            assert "stat:DELIVRD" in receiving.acknowledged().words
