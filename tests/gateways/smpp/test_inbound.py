"""Receipts and messages from members: whose they are, once each, and acknowledged when they are kept."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from broadcaster import logs
from broadcaster.gateways.contract import Accepted
from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.events import Event, InboundMessage, InboundPart, Receipt, ReceiptState
from broadcaster.gateways.smpp import SmppGateway, exchange
from broadcaster.gateways.testkit import make_parts
from broadcaster.gateways.testsessions import wait_for
from tests.gateways.smpp.conftest import Make
from tests.gateways.smpp.smsc import PASSWORD, Smsc, deliver_body, pdu, tlv

MEMBER = "8619900000007"


class Listener:
    """Listens in a thread until the block ends, through lost connections."""

    def __init__(self, gateway: SmppGateway, on_events: Callable[[list[Event]], None] | None = None) -> None:
        self.events: list[Event] = []
        self._gateway = gateway
        self._on_events = on_events or self.events.extend
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._gateway.listen(self._on_events, self._stop)
            except LinkDown:
                self._stop.wait(0.05)

    @property
    def receipts(self) -> list[Receipt]:
        return [event for event in self.events if isinstance(event, Receipt)]

    @property
    def messages(self) -> list[InboundMessage]:
        return [event for event in self.events if isinstance(event, InboundMessage)]

    @property
    def parts(self) -> list[InboundPart]:
        return [event for event in self.events if isinstance(event, InboundPart)]


@pytest.fixture
def gateway(opened: Make) -> Iterator[SmppGateway]:
    return opened()


def decimal(number: int) -> str:
    return str(1_000_000 + number)


def hexadecimal(number: int) -> str:
    return f"{1_000_000 + number:x}"


class TestIds:
    @pytest.mark.parametrize(
        ("submit_id", "receipt_id"),
        [
            (decimal, decimal),
            (hexadecimal, decimal),
            (decimal, hexadecimal),
            (lambda number: hexadecimal(number).upper(), decimal),
            (lambda number: hexadecimal(number).zfill(10), lambda number: hexadecimal(number).upper()),
            (decimal, lambda number: decimal(number).zfill(12)),
        ],
        ids=["same", "hex_decimal", "decimal_hex", "HEX_decimal", "padded_HEX", "decimal_padded"],
    )
    @pytest.mark.parametrize("by_tlv", [True, False], ids=["parameters", "text"])
    def test_a_receipt_bears_the_id_of_the_answer(
        self,
        gateway: SmppGateway,
        smsc: Smsc,
        submit_id: Callable[[int], str],
        receipt_id: Callable[[int], str],
        by_tlv: bool,
    ) -> None:
        smsc.manners.submit_id, smsc.manners.receipt_id = submit_id, receipt_id
        smsc.manners.by_tlv, smsc.manners.by_text = by_tlv, not by_tlv
        with Listener(gateway) as listener:
            outcomes = gateway.submit(make_parts(40))
            wait_for(lambda: len(listener.receipts) == 40)
        assert {each.message_id for each in listener.receipts} == {
            outcome.message_id for outcome in outcomes if isinstance(outcome, Accepted)
        }
        assert {each.state for each in listener.receipts} == {ReceiptState.DELIVERED}

    def test_what_was_learned_is_said_once(self, gateway: SmppGateway, smsc: Smsc) -> None:
        written = io.StringIO()
        logs.configure(stream=written)
        smsc.manners.submit_id, smsc.manners.receipt_id = hexadecimal, decimal
        with Listener(gateway) as listener:
            gateway.submit(make_parts(60))
            wait_for(lambda: len(listener.receipts) == 60)
        assert written.getvalue().count("hex_decimal") == 1

    def test_what_was_learned_serves_after_a_restart(self, opened: Make, smsc: Smsc) -> None:
        """A receipt for a part of the process before: its id is in no memory, only its form is known."""
        smsc.manners.submit_id, smsc.manners.receipt_id = hexadecimal, decimal
        first = opened()
        with Listener(first) as listener:
            first.submit(make_parts(40))
            wait_for(lambda: len(listener.receipts) == 40)
        learned = first.learned()
        first.close()
        second = opened()
        assert second.learned() == ""
        second.recall(learned)
        with Listener(second) as listener:
            smsc.receipt(7, MEMBER, "1069000012")
            wait_for(lambda: listener.receipts)
        assert listener.receipts[0].message_id == hexadecimal(7)
        assert second.learned() == learned
        assert second.explain(learned) == "The answer gives the id in hexadecimal, the receipt in decimal."

    def test_as_the_settings_say_after_a_restart(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened(receipt_ids="hex_decimal")
        smsc.manners.receipt_id = decimal
        with Listener(gateway) as listener:
            smsc.receipt(7, MEMBER, "1069000012")
            wait_for(lambda: listener.receipts)
        assert listener.receipts[0].message_id == hexadecimal(7)

    def test_a_receipt_before_its_answer(self, gateway: SmppGateway, smsc: Smsc) -> None:
        smsc.manners.early = True
        with Listener(gateway) as listener:
            gateway.submit(make_parts(30))
            wait_for(lambda: len(listener.receipts) == 30)

    def test_repeated_out_of_order_and_unknown(self, gateway: SmppGateway, smsc: Smsc) -> None:
        smsc.manners.repeats = 3
        with Listener(gateway) as listener:
            gateway.submit(make_parts(1))
            wait_for(lambda: len(listener.receipts) == 3)
            smsc.receipt(1, MEMBER, "1069000012", "ENROUTE")
            smsc.receipt(999_999, MEMBER, "1069000012", "UNDELIV")
            wait_for(lambda: len(listener.receipts) == 9)
        assert [each.state for each in listener.receipts] == [
            *[ReceiptState.DELIVERED] * 3,
            *[ReceiptState.IN_NETWORK] * 3,
            *[ReceiptState.FAILED] * 3,
        ]
        wait_for(lambda: len(smsc.acknowledged) == 9)
        assert {status for _, status in smsc.acknowledged} == {0}

    def test_by_data_sm(self, gateway: SmppGateway, smsc: Smsc) -> None:
        body = b"\0\1\1" + MEMBER.encode() + b"\0\0\0" + b"1069000012\0" + bytes((4, 0, 0))
        with Listener(gateway) as listener:
            smsc.send(pdu(0x103, 5, body + tlv(0x1E, b"77\0") + tlv(0x427, b"\2")))
            wait_for(lambda: listener.receipts)
        assert (listener.receipts[0].message_id, listener.receipts[0].state) == ("77", ReceiptState.DELIVERED)


def test_one_id_at_two_carriers_is_two_messages(opened: Make, smsc: Smsc) -> None:
    """Each event says whose it is; the ledger matches within one gateway only."""
    with Smsc() as other:
        here, there = opened(), opened(name="backup", port=other.port)
        with Listener(here) as ours, Listener(there) as theirs:
            first, second = here.submit(make_parts(1)), there.submit(make_parts(1, first=2))
            assert first == second == [Accepted("1")]
            wait_for(lambda: ours.receipts and theirs.receipts)
    assert (ours.receipts[0].gateway, ours.receipts[0].msisdn) == ("carrier", make_parts(1)[0].msisdn)
    assert (theirs.receipts[0].gateway, theirs.receipts[0].msisdn) == ("backup", make_parts(1, first=2)[0].msisdn)


class TestMessages:
    def test_a_short_one(self, gateway: SmppGateway, smsc: Smsc) -> None:
        with Listener(gateway) as listener:
            smsc.say(MEMBER, "1069000012", "收到，谢谢🙏".encode("utf-16-be"), coding=8)
            wait_for(lambda: listener.messages)
        told = listener.messages[0]
        assert (told.msisdn, told.destination, told.text) == (f"+{MEMBER}", "1069000012", "收到，谢谢🙏")

    @pytest.mark.parametrize("how", ["8 bits", "16 bits", "sar"])
    def test_parts_of_a_long_one(self, opened: Make, smsc: Smsc, how: str) -> None:
        pieces = {number: chr(0x4E00 + number).encode("utf-16-be") * 60 for number in (3, 1, 2)}
        with Listener(opened(join_timeout=45)) as listener:
            for number, octets in pieces.items():
                if how == "8 bits":
                    smsc.say(MEMBER, "106", bytes((5, 0, 3, 9, 3, number)) + octets, coding=8, esm=0x40)
                elif how == "16 bits":
                    smsc.say(MEMBER, "106", bytes((6, 8, 4, 1, 9, 3, number)) + octets, coding=8, esm=0x40)
                else:
                    told = tlv(0x20C, b"\1\x09") + tlv(0x20E, b"\3") + tlv(0x20F, bytes((number,)))
                    smsc.say(MEMBER, "106", octets, coding=8, tlvs=told)
            wait_for(lambda: len(smsc.acknowledged) == 3)
        reference, bits = (9, 8) if how == "8 bits" else (0x109, 16)
        assert listener.parts == [
            InboundPart("carrier", f"+{MEMBER}", "106", reference, bits, 3, number, octets, "utf-16-be", 45)
            for number, octets in pieces.items()
        ]
        assert not listener.messages

    def test_a_carrier_that_sends_one_thing_at_a_time(self, gateway: SmppGateway, smsc: Smsc) -> None:
        with Listener(gateway) as listener:
            for number, octets in ((1, b"first "), (2, b"second")):
                smsc.say(MEMBER, "106", bytes((5, 0, 3, 9, 2, number)) + octets, esm=0x40)
                wait_for(lambda number=number: len(smsc.acknowledged) == number)
            wait_for(lambda: len(listener.parts) == 2)

    @pytest.mark.parametrize("header", ["050003090200", "050003090203", "050003090001", "060804010902ff"])
    def test_a_part_that_cannot_be_is_a_message_of_its_own(self, gateway: SmppGateway, smsc: Smsc, header: str) -> None:
        with Listener(gateway) as listener:
            smsc.say(MEMBER, "106", bytes.fromhex(header) + b"alone", esm=0x40)
            wait_for(lambda: listener.messages)
        assert listener.messages[0].text == "alone"

    def test_what_the_carrier_repeats_is_one(self, gateway: SmppGateway, smsc: Smsc) -> None:
        with Listener(gateway) as listener:
            for text in (b"R", b"R", b"TD", b"R"):
                smsc.say(MEMBER, "106", text)
            smsc.say("8619900000008", "106", b"R")
            wait_for(lambda: len(listener.messages) == 5)
        assert len({told.message_id for told in listener.messages}) == 3

    def test_one_that_nobody_can_read_does_not_come_again(self, gateway: SmppGateway, smsc: Smsc) -> None:
        with Listener(gateway) as listener:
            smsc.deliver(b"x" * 40)
            smsc.say(MEMBER, "106", b"R")
            wait_for(lambda: listener.messages)
            wait_for(lambda: len(smsc.acknowledged) == 2)
        assert sorted(status for _, status in smsc.acknowledged) == [0, 0x65]


class TestKeeping:
    def test_a_part_that_could_not_be_kept_is_not_acknowledged(self, gateway: SmppGateway, smsc: Smsc) -> None:
        def fail(events: list[Event]) -> None:
            raise OSError("the disk is full")

        stop = threading.Event()
        smsc.say(MEMBER, "106", bytes((5, 0, 3, 9, 2, 1)) + b"first ", esm=0x40)
        with pytest.raises(OSError, match="the disk is full"):
            gateway.listen(fail, stop)
        assert not smsc.acknowledged
        with Listener(gateway) as listener:
            wait_for(lambda: smsc.acknowledged)
        assert [part.octets for part in listener.parts] == [b"first "]

    def test_a_flood_that_nobody_listens_to(
        self, gateway: SmppGateway, smsc: Smsc, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exchange, "MOST_WAITING", 50)
        for number in range(80):
            smsc.say(MEMBER, "106", f"message {number}".encode())
        wait_for(lambda: len(smsc.acknowledged) == 30)
        assert {status for _, status in smsc.acknowledged} == {0x64}
        with Listener(gateway) as listener:
            wait_for(lambda: len(listener.messages) == 50)

    @pytest.mark.parametrize("mode", ["transceiver", "two_links"])
    def test_whoever_is_behind_with_receipts_sends_no_more_until_they_are_taken_in(
        self, opened: Make, smsc: Smsc, monkeypatch: pytest.MonkeyPatch, mode: str
    ) -> None:
        """A carrier that is asked to repeat them does so a few times only."""
        gateway = opened(mode=mode, window=5)
        # two links are two threads: one is a few parts ahead of the other
        smsc.manners.latency = 0.002
        monkeypatch.setattr(exchange, "MOST_WAITING", 50)
        going_on = threading.Event()
        events: list[Event] = []

        def slowly(told: list[Event]) -> None:
            assert going_on.wait(30)
            events.extend(told)

        outcomes: list[object] = []
        with Listener(gateway, slowly):
            smsc.say(MEMBER, "106", b"first")
            sending = threading.Thread(target=lambda: outcomes.extend(gateway.submit(make_parts(200))))
            sending.start()
            wait_for(lambda: len(smsc.taken) > 25)
            time.sleep(0.3)
            taken = len(smsc.taken)
            assert taken < 200
            going_on.set()
            sending.join()
            wait_for(lambda: sum(isinstance(event, Receipt) for event in events) == 200)
        assert len(outcomes) == 200
        assert {status for _, status in smsc.acknowledged} == {0}

    def test_a_transmitter_listens_to_nobody(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened(mode="transmitter")
        assert not gateway.capabilities.receipts
        smsc.send(pdu(0x05, 3, deliver_body(MEMBER, "106", b"R", 0, 0, b"")))
        wait_for(lambda: smsc.acknowledged == [(3, 0x04)])
        stop = threading.Event()
        threading.Timer(0.1, stop.set).start()
        gateway.listen(lambda events: None, stop)


def test_no_secret_number_or_text_in_any_log(
    opened: Make, smsc: Smsc, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    gateway = opened(answer_timeout=0.3)
    private = "a private matter"
    with Listener(gateway) as listener:
        smsc.say(MEMBER, "106", private.encode())
        smsc.deliver(MEMBER.encode() + private.encode())
        told = [*gateway.submit(make_parts(3))]
        wait_for(lambda: listener.messages and len(listener.receipts) == 3)
        smsc.manners.mute = True
        told += gateway.submit(make_parts(2))
        smsc.send(b"\0\0\0\x01" + private.encode())
        wait_for(lambda: len(smsc.binds) == 2)
        repr(listener.events)
        told_of = f"{listener.events!r}"
    written = f"{caplog.text} {''.join(capfd.readouterr())} {told!r} {gateway!r} {gateway.config!r} {told_of}"
    for secret in (PASSWORD, private, MEMBER, make_parts(1)[0].msisdn[1:]):
        assert secret not in written
