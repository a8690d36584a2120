"""Clients that behave: what they are told, and what is written down."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import smpplib.client
import smpplib.gsm
import trustme

from tests.factories import generated_msisdn
from tests.rehearsal.conftest import Start, wait_until
from tests.rehearsal.wire import (
    ANSWER,
    BIND_RX,
    BIND_TRX,
    BIND_TX,
    CANCEL,
    DELIVER,
    ENQUIRE,
    QUERY,
    SENDER,
    SUBMIT,
    UNBIND,
    Client,
    pdu,
    submit,
)


def about(message_id: str, *addresses: str) -> bytes:
    parts = [b"\1\1" + each.lstrip("+").encode() + b"\0" for each in addresses]
    return message_id.encode() + b"\0" + b"".join(parts)


def test_a_message_from_submit_to_receipt(start: Start) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        bound = client.bind()
        assert (bound.command, bound.status) == (BIND_TRX | ANSWER, 0)
        assert bound.body.endswith(b"\x02\x10\x00\x01\x34")
        answer = client.ask(submit(7, "会议改到周五".encode("utf-16-be"), coding=8))
        assert (answer.command, answer.status, answer.sequence) == (SUBMIT | ANSWER, 0, 7)
        receipt = client.acknowledged()
        assert f"id:{answer.message_id} " in receipt.words
        assert "stat:DELIVRD" in receipt.words
        (line,) = carrier.accepted()
        assert {"time", "bind", "sequence", "source", "destination", "text", "id"} <= line.keys()
        assert (line["sequence"], line["source"], line["text"]) == (7, SENDER, "会议改到周五")
        assert line["destination"] == generated_msisdn(1).lstrip("+")
        assert (line["id"], line["system_id"]) == (answer.message_id, "paper")
        wait_until(lambda: carrier.counts().receipts_acknowledged == 1)
        assert client.ask(pdu(UNBIND, 9)).command == UNBIND | ANSWER
        assert client.is_over()


def test_smpplib_sends_a_long_message_and_hears_its_receipts(start: Start) -> None:
    carrier = start()
    heard = []
    client = smpplib.client.Client("127.0.0.1", carrier.port, allow_unknown_opt_params=True)
    client.set_message_received_handler(lambda pdu: heard.append((pdu.receipted_message_id, pdu.message_state)))
    client.connect()
    client.bind_transceiver(system_id="paper", password="secret")
    text = "会" * 100 + "𠮷田"
    parts, coding, flag = smpplib.gsm.make_parts(text)
    for part in parts:
        client.send_message(
            source_addr=SENDER,
            destination_addr=generated_msisdn(2),
            short_message=part,
            data_coding=coding,
            esm_class=flag,
            registered_delivery=True,
        )
    while len(heard) < len(parts):
        client.read_once()
    written = carrier.accepted()
    assert "".join(line["text"] for line in written) == text
    assert [(line["number"], line["total"]) for line in written] == [(1, 2), (2, 2)]
    assert len({line["reference"] for line in written}) == 1
    assert [(line["id"].encode(), 2) for line in written] == heard
    client.unbind()
    client.disconnect()


def test_passwords_and_names(start: Start) -> None:
    carrier = start(system_id="paper", password="secret", max_binds=1)
    with Client(carrier.port) as client:
        assert client.bind(password="wrong").status == 0x0E
        assert client.bind(system_id="other").status == 0x0F
        assert client.bind(password="123456789").status == 0x0E
        assert client.bind().status == 0
        assert client.bind().status == 0x05
        with Client(carrier.port) as second:
            assert second.bind().status == 0x0D
    # the last one was too long to be looked at
    assert carrier.counts().binds_refused == 3


def test_receipts_go_to_any_receiving_connection_of_the_same_system_id(start: Start) -> None:
    carrier = start()
    with Client(carrier.port) as sending, Client(carrier.port) as receiving, Client(carrier.port) as stranger:
        sending.bind(how=BIND_TX)
        receiving.bind(how=BIND_RX)
        stranger.bind(system_id="another")
        answer = sending.ask(submit(2))
        assert answer.message_id in receiving.acknowledged().words
        assert receiving.ask(submit(3)).status == 0x04
        assert stranger.hears_nothing(0.2)
        assert sending.hears_nothing(0.1)


def test_receipts_wait_for_a_receiver_and_are_sent_again_until_acknowledged(start: Start) -> None:
    carrier = start(receipt_delay=0)
    with Client(carrier.port) as sending:
        sending.bind(how=BIND_TX)
        ids = {sending.ask(submit(n)).message_id for n in range(2, 5)}
        wait_until(lambda: carrier.counts().receipts_waiting == 3)
        with Client(carrier.port) as deaf:
            deaf.bind(how=BIND_RX)
            seen = [deaf.read().words.split()[0] for _ in ids]
        wait_until(lambda: carrier.counts().links == 1)
        with Client(carrier.port) as receiving:
            receiving.bind(how=BIND_RX)
            assert [receiving.acknowledged().words.split()[0] for _ in ids] == seen
            wait_until(lambda: carrier.counts().receipts_acknowledged == 3)
    assert {word.removeprefix("id:") for word in seen} == ids


def test_no_more_are_on_the_way_than_the_window_has(start: Start) -> None:
    carrier = start(receipt_delay=0, receipt_window=2)
    with Client(carrier.port) as client:
        client.bind(how=BIND_TRX)
        client.send(*(submit(n) for n in range(2, 7)))
        found = [client.read() for _ in range(7)]
        assert sum(each.command == DELIVER for each in found) == 2
        assert client.hears_nothing(0.1)
        for each in found:
            if each.command == DELIVER:
                client.send(pdu(DELIVER | ANSWER, each.sequence, b"\0"))
        for _ in range(3):
            client.acknowledged()


@pytest.mark.parametrize(
    ("registered", "undelivered", "comes"), [(0, 1, 0), (1, 0, 1), (1, 1, 1), (2, 0, 0), (2, 1, 1)]
)
def test_receipts_come_as_they_were_asked_for(start: Start, registered: int, undelivered: int, comes: int) -> None:
    carrier = start(undelivered=float(undelivered), receipt_delay=0)
    with Client(carrier.port) as client:
        client.bind()
        message_id = client.ask(submit(2, registered=registered)).message_id
        for _ in range(comes):
            client.acknowledged()
        assert client.hears_nothing(0.1)
        # what was not told can be asked for
        answer = client.ask(pdu(QUERY, 3, about(message_id, SENDER)))
        assert answer.body[-2] == (5 if undelivered else 2)


def test_a_receipt_is_tried_again_if_the_client_says_later(start: Start) -> None:
    carrier = start(receipt_delay=0)
    with Client(carrier.port) as client:
        client.bind()
        client.ask(submit(2))
        first = client.acknowledged(status=0x64)
        assert client.acknowledged(status=0x65).words == first.words
        wait_until(lambda: carrier.counts().receipts_refused == 2)


def test_query_and_cancel(start: Start) -> None:
    carrier = start(receipt_delay=3600.0)
    to = generated_msisdn(1)
    with Client(carrier.port) as client, Client(carrier.port) as other:
        client.bind()
        other.bind(system_id="other")
        message_id = client.ask(submit(2)).message_id
        enroute = client.ask(pdu(QUERY, 3, about(message_id, SENDER)))
        assert (enroute.status, enroute.body) == (0, message_id.encode() + b"\0\0\1\0")
        for wrong in ("1", "x", "9" * 64, ""):
            assert client.ask(pdu(QUERY, 4, about(wrong, SENDER))).status == 0x0C
        assert client.ask(pdu(QUERY, 4, about(message_id, "999"))).status == 0x0C
        assert other.ask(pdu(QUERY, 4, about(message_id, SENDER))).status == 0x0C
        assert other.ask(pdu(CANCEL, 4, b"\0" + about(message_id, SENDER, to))).status == 0x0C
        assert client.ask(pdu(CANCEL, 5, b"\0" + about(message_id, SENDER, generated_msisdn(9)))).status == 0x0C
        assert client.ask(pdu(CANCEL, 5, b"\0" + about(message_id, SENDER, to))).status == 0
        assert client.ask(pdu(CANCEL, 6, b"\0" + about(message_id, SENDER, to))).status == 0x11
        assert client.ask(pdu(QUERY, 7, about(message_id, SENDER))).body[-2] == 4


def test_dates_are_written_in_the_clock_of_the_house(start: Start) -> None:
    """Half an hour off a whole one, and one that is behind UTC; asked for, they say which clock it is."""
    for zone, off in (("Asia/Kolkata", timedelta(hours=5.5)), ("America/Bogota", timedelta(hours=-5))):
        carrier = start(time_zone=zone, log=zone.replace("/", "-"))
        with Client(carrier.port) as client:
            client.bind()
            message_id = client.ask(submit(2)).message_id
            words = client.acknowledged().words
            done = words.partition("done date:")[2][:10]
            there = datetime.now(UTC) + off
            assert done in {f"{there - timedelta(minutes=n):%y%m%d%H%M}" for n in (0, 1)}
            told = client.ask(pdu(QUERY, 3, about(message_id, SENDER))).body.split(b"\0")[1].decode()
            assert told == f"{done}000{abs(off) // timedelta(minutes=15):02}{'-' if off < timedelta() else '+'}"


def test_what_was_taken_back_is_deleted(start: Start) -> None:
    carrier = start(receipt_delay=1.0)
    with Client(carrier.port) as client:
        client.bind()
        message_id = client.ask(submit(2)).message_id
        assert client.ask(pdu(CANCEL, 5, b"\0" + about(message_id, SENDER, generated_msisdn(1)))).status == 0
        assert "stat:DELETED" in client.acknowledged().words


def test_members_write(start: Start) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        client.bind()
        client.ask(submit(2, source="10697777", registered=0))
        carrier.say(generated_msisdn(5), "退订", system_id="paper")
        letter = client.acknowledged()
        assert letter.message.decode("utf-16-be") == "退订"
        assert b"10697777\0" in letter.body, "it is an answer to the sender"
        carrier.say(generated_msisdn(5), "长" * 150, destination="106911", system_id="paper", join="udh16")
        parts = [client.acknowledged() for _ in range(3)]
        assert all(part.esm_class == 0x40 and b"106911\0" in part.body for part in parts)
        assert "".join(part.message[7:].decode("utf-16-be") for part in parts) == "长" * 150
        wait_until(lambda: carrier.counts().mo_acknowledged == 4)


def test_invented_members_write_at_a_rate(start: Start) -> None:
    carrier = start(mo_rate=100.0)
    with Client(carrier.port) as client:
        client.bind()
        for _ in range(40):
            assert b"\1\00186199" in client.acknowledged().body
    assert carrier.counts().mo >= 20


def test_a_client_that_asks_is_answered(start: Start) -> None:
    with Client(start().port) as client:
        assert client.ask(pdu(ENQUIRE, 5)).sequence == 5
        client.bind()
        assert client.ask(pdu(ENQUIRE, 6)).command == ENQUIRE | ANSWER


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def contexts(authority: trustme.CA) -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext]]:
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    yield server, client


def test_over_tls(start: Start, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    carrier = start(tls=contexts[0])
    with Client(carrier.port, contexts[1]) as client:
        assert client.bind().status == 0
        assert client.ask(submit(2)).status == 0
        client.acknowledged()
    with Client(carrier.port) as plain:
        plain.send(pdu(ENQUIRE, 1))
        assert plain.is_over()
    assert len(carrier.accepted()) == 1


def test_several_carriers_and_many_clients_at_once(start: Start) -> None:
    carrier = start(receipt_delay=0.0)

    def work(number: int) -> None:
        with Client(carrier.port) as client:
            client.bind(system_id=f"client{number}")
            client.send(*(submit(n, registered=0) for n in range(2, 202)))
            assert {client.read().sequence for _ in range(200)} == set(range(2, 202))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = carrier.accepted()
    assert len({line["id"] for line in lines}) == len(lines) == 1600


def test_ids_do_not_begin_anew(start: Start) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        client.bind()
        first = client.ask(submit(2)).message_id
    carrier.stop()
    with Client(start().port) as client:
        client.bind()
        second, third = (int(client.ask(submit(n)).message_id) for n in (2, 3))
    carrier.stop()
    # they go up, and with another log they do not begin anew: whoever kept them would take them for the old ones
    with Client(start(log="another").port) as client:
        client.bind()
        assert third == second + 1
        assert len({int(first), second, third, int(client.ask(submit(2)).message_id)}) == 4


def test_it_says_goodbye_to_its_clients(start: Start) -> None:
    carrier = start()
    with Client(carrier.port) as client:
        client.bind()
        ending = threading.Thread(target=carrier.stop)
        ending.start()
        goodbye = client.read()
        assert goodbye.command == UNBIND
        client.send(pdu(UNBIND | ANSWER, goodbye.sequence))
        assert client.is_over()
        ending.join()
    assert carrier.stop().links == 0
