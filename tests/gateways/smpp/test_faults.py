"""A connection and a carrier that misbehave: what becomes of the parts, and how sending goes on."""

from __future__ import annotations

import socket
import struct
import threading
import time
from dataclasses import replace

import pytest

from broadcaster.gateways.contract import (
    Accepted,
    OptedOut,
    OutcomeUnknown,
    Refused,
    Settled,
    Throttled,
    Unreachable,
)
from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.smpp import SmppGateway, bind, bound, exchange
from broadcaster.gateways.testkit import assert_true_to_the_record, make_part, make_parts
from broadcaster.gateways.testsessions import wait_for
from tests.gateways.smpp.conftest import Make
from tests.gateways.smpp.smsc import Smsc, pdu


def goes_on(gateway: SmppGateway, first: int = 900) -> None:
    """Sooner or later parts are accepted again."""
    numbers = iter(range(first, first + 100_000))
    wait_for(lambda: isinstance(gateway.submit(make_parts(1, first=next(numbers)))[0], Accepted))


class TestLost:
    @pytest.mark.parametrize("reset", [False, True])
    def test_mid_window(self, opened: Make, smsc: Smsc, reset: bool) -> None:
        gateway = opened()
        smsc.manners.silent_after = 10
        parts = make_parts(60)
        threading.Timer(0.3, smsc.hang_up, (reset,)).start()
        outcomes = gateway.submit(parts)
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds.count(Accepted) == 10
        assert kinds.count(OutcomeUnknown) == 20
        assert kinds.count(Unreachable) == 30
        assert_true_to_the_record(parts, outcomes, smsc)
        smsc.manners.silent_after = 1_000_000
        smsc.manners.answers = True
        goes_on(gateway)

    def test_it_says_unbind_and_is_answered(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened()
        smsc.manners.latency = 0.005
        settled: list[Settled] = []
        parts = make_parts(60)
        feeding = threading.Thread(target=gateway.feed, args=(parts, settled.extend))
        feeding.start()
        wait_for(lambda: len(settled) > 5)
        smsc.unbind()
        feeding.join()
        wait_for(lambda: len(settled) == 60)
        outcomes = [each.outcome for each in sorted(settled, key=lambda each: each.position)]
        assert not any(isinstance(outcome, OutcomeUnknown) for outcome in outcomes), "what was out was not waited for"
        assert_true_to_the_record(parts, outcomes, smsc)
        goes_on(gateway)
        assert len(smsc.binds) == 2

    def test_a_hundred_losses_leak_nothing(self, opened: Make, smsc: Smsc, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bind, "LONGEST_PAUSE", 0.02)
        gateway = opened(window=5)
        threads = threading.active_count()
        for number in range(100):
            wait_for(lambda: smsc.bound)
            smsc.hang_up(reset=number % 2 == 0)
            wait_for(lambda number=number: len(smsc.binds) > number + 1)
        goes_on(gateway)
        parts = make_parts(5, first=2_000_000)
        smsc.manners.mute = True
        written: list[int] = []
        settled: list[Settled] = []
        gateway.feed(parts, settled.extend, written.append)
        wait_for(lambda: len(written) == 5)
        gateway.close()
        assert len(settled) == 5
        wait_for(lambda: threading.active_count() <= threads)


class TestNotTaken:
    def test_what_the_kernel_has_not_taken_is_not_in_doubt(self, make: Make) -> None:
        """A carrier that reads no more: the window is announced whole, and only the first of it has left."""
        with socket.create_server(("127.0.0.1", 0)) as door:
            gateway = make(port=door.getsockname()[1], window=1000, payload=True, enquire_link_interval=60)
            opening = threading.Thread(target=gateway.open)
            opening.start()
            link, _ = door.accept()
            with link:
                link.recv(1000)
                link.sendall(pdu(0x80000009, 1, b"smsc\0"))
                opening.join()
                settled: list[Settled] = []
                written: list[int] = []
                parts = [make_part(number, "x" * 20_000) for number in range(1000)]
                gateway.feed(parts, settled.extend, written.append)
                wait_for(lambda: len(written) == 1000)
                link.recv(50_000, socket.MSG_WAITALL)
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wait_for(lambda: len(settled) == 1000)
        doubtful = sorted(each.position for each in settled if isinstance(each.outcome, OutcomeUnknown))
        assert 0 < len(doubtful) < 900
        assert doubtful == list(range(len(doubtful))), "what left, left in order"
        assert all(isinstance(each.outcome, OutcomeUnknown | Unreachable) for each in settled)


class TestAgain:
    def test_ever_more_seldom_and_never_in_step(self, make: Make, smsc: Smsc, monkeypatch: pytest.MonkeyPatch) -> None:
        """Many senders that lost one carrier at the same instant must not all knock at the same instant."""
        pauses: list[float] = []

        def rest(self: exchange.Exchange, seconds: float) -> None:
            pauses.append(seconds)
            time.sleep(0.001)

        monkeypatch.setattr(exchange.Exchange, "rest", rest)
        smsc.kill()
        gateway = make()
        with pytest.raises(LinkDown):
            gateway.open()
        wait_for(lambda: len(pauses) >= 40)
        gateway.close()
        for number, seconds in enumerate(pauses):
            most = min(bind.LONGEST_PAUSE, bind.FIRST_PAUSE * 2**number)
            assert most / 2 <= seconds <= most
        assert len({round(seconds, 6) for seconds in pauses[8:40]}) > 16

    def test_a_connection_that_stood_begins_with_a_short_pause(
        self, opened: Make, smsc: Smsc, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bind, "_GOOD", 0.05)
        pauses: list[float] = []
        rest = exchange.Exchange.rest
        monkeypatch.setattr(
            exchange.Exchange, "rest", lambda self, seconds: (pauses.append(seconds), rest(self, seconds / 10))
        )
        opened()
        for number in range(8):
            wait_for(lambda: smsc.bound)
            time.sleep(0.1)
            smsc.hang_up()
            wait_for(lambda number=number: len(smsc.binds) > number + 1)
        assert max(pauses) <= bind.FIRST_PAUSE


class TestSilence:
    def test_a_carrier_that_answers_nothing_any_more(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened(enquire_link_interval=0.3)
        gateway.submit(make_parts(1))
        smsc.manners.answers = False
        wait_for(lambda: smsc.connections > 1)
        smsc.manners.answers = True
        goes_on(gateway)

    def test_an_idle_connection_is_kept_alive(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened(enquire_link_interval=0.1, enquire_link_timeout=60.0)
        wait_for(lambda: smsc.enquiries >= 5)
        assert isinstance(gateway.submit(make_parts(1))[0], Accepted)
        assert len(smsc.binds) == 1

    def test_it_answers_enquire_link(self, opened: Make, smsc: Smsc) -> None:
        heard: list[int] = []
        opened()
        smsc.on_answer = heard.append
        smsc.enquire()
        wait_for(lambda: 0x80000015 in heard)

    def test_one_octet_now_and_then_is_silence(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened(enquire_link_interval=0.4)
        gateway.submit(make_parts(1))
        smsc.manners.answers = False
        for octet in pdu(0x15, 9)[:10]:
            smsc.send(bytes((octet,)))
            time.sleep(0.1)
        wait_for(lambda: smsc.connections > 1)

    def test_no_answer_in_time_is_doubt_and_a_late_one_is_handed_on(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened(answer_timeout=0.2)
        smsc.manners.latency = 0.6
        settled: list[Settled] = []
        gateway.feed(make_parts(1), settled.extend)
        wait_for(lambda: len(settled) == 2)
        assert isinstance(settled[0].outcome, OutcomeUnknown)
        assert settled[1].outcome == Accepted(smsc.taken[0].message_id)
        assert settled[0].position == settled[1].position == 0
        smsc.manners.latency = 0
        assert len(smsc.binds) == 1
        goes_on(gateway)

    def test_mute_but_alive(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened(answer_timeout=0.3, enquire_link_interval=0.5, window=4)
        smsc.manners.mute = True
        outcomes = gateway.submit(make_parts(8))
        assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown] * 8
        assert len(smsc.binds) == 1
        smsc.manners.mute = False
        goes_on(gateway)


GARBAGE = {
    "a length of 0": b"\0" * 16,
    "a length of 15": b"\0\0\0\x0f" + b"\0" * 12,
    "two gigabytes": b"\x7f\xff\xff\xff" + b"\0" * 12,
    "text": b"hello, is there anybody? " * 3,
}
HARMLESS = {
    "an unknown command": pdu(0x00000777, 5),
    "an unknown answer": pdu(0x80000777, 5),
    "an answer that nobody waits for": pdu(0x80000004, 0x7FFFFF00, b"77\0"),
    "an answer without an end": pdu(0x80000004, 0x7FFFFF01, b"77"),
    "a parameter beyond its PDU": pdu(0x00000005, 6, b"\0" * 16 + b"\x00" + struct.pack(">HH", 0x1E, 999) + b"x"),
    "no NUL": pdu(0x00000005, 7, b"x" * 40),
    "generic_nack for nobody": pdu(0x80000000, 0, b"", 0x03),
    "alert_notification": pdu(0x00000102, 8, b"\1\1861\0\0\0x\0"),
}


class TestGarbage:
    @pytest.mark.parametrize("octets", GARBAGE.values(), ids=GARBAGE.keys())
    def test_only_a_new_connection_helps(self, opened: Make, smsc: Smsc, octets: bytes) -> None:
        gateway = opened()
        gateway.submit(make_parts(1))
        smsc.send(octets)
        wait_for(lambda: len(smsc.binds) == 2)
        goes_on(gateway)

    @pytest.mark.parametrize("octets", HARMLESS.values(), ids=HARMLESS.keys())
    def test_the_connection_goes_on(self, opened: Make, smsc: Smsc, octets: bytes) -> None:
        gateway = opened()
        smsc.send(octets)
        assert all(isinstance(outcome, Accepted) for outcome in gateway.submit(make_parts(30)))
        assert len(smsc.binds) == 1

    def test_an_answer_in_drips(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened()
        smsc.manners.drip = True
        assert all(isinstance(outcome, Accepted) for outcome in gateway.submit(make_parts(5)))
        assert len(smsc.binds) == 1

    def test_yes_without_an_id_is_doubt(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened()
        smsc.manners.empty_ids = True
        assert isinstance(gateway.submit(make_parts(1))[0], OutcomeUnknown)


class TestNo:
    @pytest.mark.parametrize(
        ("status", "kind"), [(0x0B, Refused), (0x08, Refused), (0x0400, Refused), (0x88, OptedOut), (0x58, Throttled)]
    )
    def test_to_one_part(self, opened: Make, smsc: Smsc, status: int, kind: type) -> None:
        gateway = opened(opt_out_codes=[0x88])
        smsc.manners.statuses["8619900000002"] = status
        outcomes = gateway.submit(make_parts(3))
        assert [type(outcome) for outcome in outcomes] == [Accepted, kind, Accepted]
        if isinstance(outcomes[1], Refused | OptedOut):
            assert outcomes[1].code == f"0x{status:08X}"
            assert outcomes[1].reason
        if isinstance(outcomes[1], Refused):
            assert outcomes[1].permanent is (status != 0x08)

    def test_to_the_connection(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened()
        smsc.manners.statuses["8619900000001"] = 0x04
        assert isinstance(gateway.submit(make_parts(1))[0], Unreachable)
        wait_for(lambda: len(smsc.binds) == 2)
        smsc.manners.statuses.clear()
        goes_on(gateway)

    def test_not_understood(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened()
        smsc.manners.mute = True
        threading.Timer(0.2, lambda: smsc.send(pdu(0x80000000, 1, status=0x03))).start()
        outcome = gateway.submit(make_parts(1))[0]
        assert isinstance(outcome, Refused)
        assert outcome.code == "0x00000003"

    @pytest.mark.parametrize("wrong", [{"text": "私下的话"}, {"sender": "1069" * 10}, {"msisdn": "+86199" + "0" * 20}])
    def test_what_smpp_cannot_carry_is_not_quoted(
        self, opened: Make, smsc: Smsc, caplog: pytest.LogCaptureFixture, wrong: dict[str, str]
    ) -> None:
        caplog.set_level("DEBUG")
        gateway = opened()
        outcomes = gateway.submit([replace(make_part(1, "a private matter"), **wrong), *make_parts(2, first=2)])
        assert [type(outcome) for outcome in outcomes] == [Refused, Accepted, Accepted]
        written = f"{outcomes[0]} {caplog.text}"
        assert not any(private in written for private in ("私下", "a private matter", "86199"))

    def test_codes_of_ones_own_throttle(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened(throttle_codes=[0x400])
        smsc.manners.statuses["8619900000001"] = 0x400
        assert isinstance(gateway.submit(make_parts(1))[0], Throttled)

    def test_parts_behind_a_throttled_one_wait_with_it(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened(window=1)
        smsc.manners.latency = 0.05
        smsc.manners.status = lambda count: 0x58 if count == 1 else 0
        same = [make_part(1, f"part {number}") for number in range(3)]
        settled: list[Settled] = []
        gateway.feed(same[:2], settled.extend)
        wait_for(lambda: len(settled) == 2)
        assert [type(each.outcome) for each in settled] == [Throttled, Throttled]
        assert smsc.taken == []
        assert isinstance(gateway.submit(same[2:])[0], Accepted)

    def test_throttling_slows_the_whole_connector(self, opened: Make, smsc: Smsc) -> None:
        """A carrier that takes 100 a second: few are asked twice, and nearly all that it allows goes out."""
        gateway = opened(window=20)
        allowed = _Bucket(100)
        asked = 0

        def status(count: int) -> int:
            nonlocal asked
            asked = count
            return 0 if allowed() else 0x58

        smsc.manners.status = status
        smsc.manners.receipts = False
        todo = make_parts(300)
        while todo:
            outcomes = gateway.submit(todo[:20])
            again = [part for part, outcome in zip(todo[:20], outcomes, strict=True) if isinstance(outcome, Throttled)]
            todo = again + todo[20:]
        assert len(smsc.taken) == 300
        assert asked <= 1.2 * 300


class _Bucket:
    """So many a second, evenly, with a little in hand."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._full = 10.0
        self._left = self._full
        self._at = time.monotonic()

    def __call__(self) -> bool:
        now = time.monotonic()
        self._left = min(self._full, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class TestSequence:
    def test_numbers_are_never_used_twice(self, opened: Make, smsc: Smsc, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bound, "LAST_SEQUENCE", 30)
        gateway = opened(enquire_link_interval=3600)
        parts = make_parts(40)
        outcomes = gateway.submit(parts)
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds.count(Accepted) == 29 or kinds.count(Accepted) == 30
        assert kinds.count(OutcomeUnknown) == 0
        assert_true_to_the_record(parts, outcomes, smsc)
        goes_on(gateway)
        assert len(smsc.binds) == 2


class TestAsking:
    def test_query_and_cancel(self, opened: Make, smsc: Smsc) -> None:
        gateway = opened()
        accepted = gateway.submit(make_parts(1))[0]
        assert isinstance(accepted, Accepted)
        told = gateway.query_sm(accepted.message_id)
        assert told is not None
        assert (told.message_id, told.code, told.state) == (accepted.message_id, "DELIVRD", "delivered")
        assert told.done_at is not None
        assert gateway.query_sm("nobody's") is None
        assert gateway.cancel_sm(accepted.message_id, make_part(1).msisdn)
        assert not gateway.cancel_sm("nobody's", make_part(1).msisdn)
