"""The contract as a test suite, over a real socket. It needs pytest, and is imported by tests only.

    class TestMyGateway(ListeningGatewayContract):
        @pytest.fixture
        def carrier(self, tmp_path):
            with MyCarrier(tmp_path) as carrier:
                yield carrier

        def make_gateway(self, port, data_dir):
            return make("mine", {"kind": "mine", "port": port}, GatewayContext(data_dir, ZoneInfo("UTC")))

The carrier accepts every part and sends a receipt for each, within a second. Between the two stands a `Proxy`, which
breaks the connection in the ways that connections break.
"""

# ruff: noqa: S101

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest

from broadcaster.gateways.contract import (
    Accepted,
    Gateway,
    ListeningGateway,
    OutboundPart,
    Outcome,
    OutcomeUnknown,
    Unreachable,
)
from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.events import Event, InboundPart, Receipt
from broadcaster.gateways.testproxy import Proxy
from broadcaster.sms import Encoding, split

TEXTS = {
    "gsm": "Meeting at 18:00 {hall 2} [bring €5] ~ ^ \\ | @£$¥èé" + "x" * 100,
    "chinese": "【东城快报】第128期：明日上午九时在二楼会议室开会，请带好证件。" + "满" * 35,
    "emoji": "团圆 👩‍👩‍👧‍👦 𠮷野家 🌕",
    "lines": "first line\nsecond line\n\nthird",
    "quotes": '"double" \'single\' {"json": 1} <xml/> &amp; %s %d \\u4e2d',
}


@dataclass(frozen=True, slots=True)
class AcceptedPart:
    """What the carrier's own record says about one part that it took."""

    message_id: str
    msisdn: str
    text: str


class CarrierUnderTest(Protocol):
    """The other end, made for the test: a real server on the loopback."""

    port: int
    secrets: Sequence[str]
    """Passwords and keys of the gateway, which may appear in no log."""

    def accepted(self) -> list[AcceptedPart]:
        """What it took, in its order, from a record that outlives it."""

    def kill(self) -> None:
        """End it at once, without a word to anybody."""


def make_part(part_id: int, text: str = "The paper is out.") -> OutboundPart:
    """A message of one part, to an invented number that hangs on `part_id`."""
    encoding = (
        Encoding.UCS2 if any(ord(character) > 0x2000 and character != "€" for character in text) else Encoding.GSM7
    )
    return OutboundPart(
        part_id=part_id,
        msisdn=f"+86199{part_id:08d}",
        sender="10690000",
        text=text,
        encoding=encoding,
        number=1,
        total=1,
        reference=part_id % 256,
        client_reference=f"p{part_id}",
    )


def make_parts(count: int, first: int = 1) -> list[OutboundPart]:
    """Messages of one part each."""
    return [make_part(part_id) for part_id in range(first, first + count)]


class GatewayContract:
    """What holds for every gateway. A subclass says which carrier, and how the gateway is made."""

    @pytest.fixture
    def carrier(self, tmp_path: Path) -> Iterator[CarrierUnderTest]:
        """A carrier that is running."""
        raise NotImplementedError

    def make_gateway(self, port: int, data_dir: Path) -> Gateway:
        """A gateway that speaks to the carrier at this port of the loopback, not yet open."""
        raise NotImplementedError

    @pytest.fixture
    def proxy(self, carrier: CarrierUnderTest) -> Iterator[Proxy]:
        """What the gateway takes for the carrier."""
        with Proxy(carrier.port) as proxy:
            yield proxy

    @pytest.fixture
    def gateway(self, proxy: Proxy, tmp_path: Path) -> Iterator[Gateway]:
        """An open gateway."""
        gateway = self.make_gateway(proxy.port, tmp_path)
        gateway.open()
        yield gateway
        gateway.close()

    def test_each_part_has_its_outcome_in_order(self, gateway: Gateway, carrier: CarrierUnderTest) -> None:
        parts = make_parts(30)
        outcomes = gateway.submit(parts)
        assert len(outcomes) == len(parts)
        assert sorted(part.msisdn for part in carrier.accepted()) == sorted(part.msisdn for part in parts)
        assert_true_to_the_record(parts, outcomes, carrier)

    def test_no_parts_no_outcomes(self, gateway: Gateway, carrier: CarrierUnderTest) -> None:
        assert gateway.submit([]) == []
        assert carrier.accepted() == []

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
    def test_texts_arrive_whole(self, gateway: Gateway, carrier: CarrierUnderTest, text: str) -> None:
        assert isinstance(gateway.submit([make_part(1, text)])[0], Accepted)
        assert [part.text for part in carrier.accepted()] == [text]

    def test_parts_of_one_message_stay_parts(self, gateway: Gateway, carrier: CarrierUnderTest) -> None:
        if gateway.capabilities.whole_messages:
            text = "一" * 670
            assert gateway.capabilities.handed_over(split(text)) == (text,)
            assert isinstance(gateway.submit([make_part(1, text)])[0], Accepted)
            assert [part.text for part in carrier.accepted()] == [text]
            return
        whole = [
            replace(make_part(1, "一" * 67), part_id=number, client_reference=f"p{number}", number=number, total=2)
            for number in (1, 2)
        ]
        assert all(isinstance(outcome, Accepted) for outcome in gateway.submit(whole))
        assert [part.text for part in carrier.accepted()] == ["一" * 67] * 2

    def test_nobody_there_is_unreachable(self, proxy: Proxy, carrier: CarrierUnderTest, tmp_path: Path) -> None:
        proxy.refuse()
        gateway = self.make_gateway(proxy.port, tmp_path)
        with contextlib.suppress(LinkDown):
            gateway.open()
        outcomes = gateway.submit(make_parts(3))
        gateway.close()
        assert [type(outcome) for outcome in outcomes] == [Unreachable] * 3
        assert carrier.accepted() == []

    @pytest.mark.parametrize("answered", [0, 1, 200, 500])
    def test_a_cut_in_the_answers_leaves_doubt(
        self, gateway: Gateway, proxy: Proxy, carrier: CarrierUnderTest, answered: int
    ) -> None:
        parts: list[OutboundPart] = []
        outcomes: list[Outcome] = []

        def submit(count: int) -> list[Outcome]:
            batch = make_parts(count, first=len(parts) + 1)
            parts.extend(batch)
            outcomes.extend(gateway.submit(batch))
            return outcomes[-count:]

        deadline = time.monotonic() + 20
        # a receipt, or a sign of life, may use the bytes up before the parts are on their way: then once more
        while not any(isinstance(outcome, OutcomeUnknown) for outcome in outcomes):
            assert time.monotonic() < deadline
            if isinstance(submit(1)[0], Accepted):
                proxy.cut_after(answered)
                submit(40)
        assert_true_to_the_record(parts, outcomes, carrier)

    def test_garbage_is_no_answer(self, gateway: Gateway, proxy: Proxy, carrier: CarrierUnderTest) -> None:
        gateway.submit(make_parts(1))
        proxy.garble()
        parts = make_parts(5, first=2)
        outcomes = gateway.submit(parts)
        assert not any(isinstance(outcome, Accepted) for outcome in outcomes)
        assert_true_to_the_record(parts, outcomes, carrier)

    def test_a_carrier_killed_while_answering(self, gateway: Gateway, carrier: CarrierUnderTest) -> None:
        parts: list[OutboundPart] = []
        outcomes: list[Outcome] = []
        killer = threading.Timer(0.05, carrier.kill)
        killer.start()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            batch = make_parts(20, first=len(parts) + 1)
            parts += batch
            outcomes += gateway.submit(batch)
            if isinstance(outcomes[-1], Unreachable):
                break
        killer.join()
        assert isinstance(outcomes[-1], Unreachable)
        assert_true_to_the_record(parts, outcomes, carrier)

    def test_it_goes_on_after_a_cut(self, gateway: Gateway, proxy: Proxy, carrier: CarrierUnderTest) -> None:
        gateway.submit(make_parts(1))
        proxy.cut()
        parts: list[OutboundPart] = []
        outcomes: list[Outcome] = []
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            batch = make_parts(1, first=len(parts) + 2)
            parts += batch
            outcomes += gateway.submit(batch)
            if isinstance(outcomes[-1], Accepted):
                break
        assert isinstance(outcomes[-1], Accepted)
        assert_true_to_the_record(parts, outcomes, carrier)

    def test_opened_and_closed_twice(self, gateway: Gateway, carrier: CarrierUnderTest) -> None:
        gateway.open()
        gateway.close()
        gateway.close()
        assert [type(outcome) for outcome in gateway.submit(make_parts(2))] == [Unreachable] * 2
        assert carrier.accepted() == []

    def test_several_threads_at_once(self, gateway: Gateway, carrier: CarrierUnderTest) -> None:
        batches = [make_parts(20, first=1 + 20 * number) for number in range(12)]
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(gateway.submit, batches))
        parts = [part for batch in batches for part in batch]
        outcomes = [outcome for answer in answers for outcome in answer]
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        assert_true_to_the_record(parts, outcomes, carrier)

    def test_nothing_private_in_logs(
        self,
        gateway: Gateway,
        proxy: Proxy,
        carrier: CarrierUnderTest,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level("DEBUG")
        part = make_part(1, "a private text")
        told = [*gateway.submit([part])]
        proxy.garble()
        told += gateway.submit([part])
        proxy.refuse()
        told += gateway.submit([part])
        written = f"{caplog.text} {''.join(capfd.readouterr())} {told!r} {gateway!r} {part!r}"
        for private in (part.msisdn.lstrip("+"), part.text, *carrier.secrets):
            assert private not in written

    def test_its_capabilities_make_sense(self, gateway: Gateway) -> None:
        capabilities = gateway.capabilities
        assert capabilities.window >= 1
        assert capabilities.max_parts >= 1
        assert all(reason.words for reason in gateway.reasons.values())


class ListeningGatewayContract(GatewayContract):
    """What holds besides for a gateway that listens."""

    def test_each_part_has_its_receipt(self, gateway: Gateway) -> None:
        parts = make_parts(10)
        wanted = _accepted_ids(gateway.submit(parts))
        receipts = [event for event in _listen_until(gateway, wanted) if isinstance(event, Receipt)]
        assert {receipt.message_id for receipt in receipts} == wanted
        assert {receipt.gateway for receipt in receipts} == {gateway.name}
        assert all(receipt.raw and receipt.code for receipt in receipts)

    def test_what_was_acknowledged_is_not_repeated(self, gateway: Gateway) -> None:
        first = _accepted_ids(gateway.submit(make_parts(3)))
        _listen_until(gateway, first)
        second = _accepted_ids(gateway.submit(make_parts(3, first=4)))
        assert _ids(_listen_until(gateway, second)) == second

    def test_what_could_not_be_stored_is_repeated(self, gateway: Gateway) -> None:
        wanted = _accepted_ids(gateway.submit(make_parts(5)))

        def fail(events: list[Event]) -> None:
            raise OSError("the disk is full")

        with pytest.raises(OSError, match="the disk is full"):
            _listening(gateway).listen(fail, threading.Event())
        assert _ids(_listen_until(gateway, wanted)) == wanted

    def test_nothing_is_acknowledged_before_it_is_stored(self, gateway: Gateway, proxy: Proxy) -> None:
        wanted = _accepted_ids(gateway.submit(make_parts(5)))

        def cut_while_storing(events: list[Event]) -> None:
            proxy.cut()

        with pytest.raises(LinkDown):
            _listening(gateway).listen(cut_while_storing, threading.Event())
        assert _ids(_listen_until(gateway, wanted)) == wanted

    def test_a_lost_connection_is_noticed(self, gateway: Gateway, proxy: Proxy) -> None:
        threading.Timer(0.2, proxy.cut).start()
        with pytest.raises(LinkDown):
            _listening(gateway).listen(lambda events: None, threading.Event())

    def test_it_stops_when_told(self, gateway: Gateway) -> None:
        stop = threading.Event()
        threading.Timer(0.1, stop.set).start()
        began = time.monotonic()
        _listening(gateway).listen(lambda events: None, stop)
        assert time.monotonic() - began < 2


def assert_true_to_the_record(
    parts: Sequence[OutboundPart], outcomes: Sequence[Outcome], carrier: CarrierUnderTest
) -> None:
    """Accepted means that the carrier has it, under that id; what it has is accepted or in doubt; nothing is double."""
    assert len(outcomes) == len(parts)
    # asked once: it may still be at what it was handed before a cut
    accepted = carrier.accepted()
    record = {part.message_id: part.msisdn for part in accepted}
    taken = [part.msisdn for part in accepted]
    assert len(record) == len(taken), "two parts under one id"
    assert len(set(taken)) == len(taken), "a part was submitted twice"
    for part, outcome in zip(parts, outcomes, strict=True):
        if isinstance(outcome, Accepted):
            assert record.get(outcome.message_id) == part.msisdn
        elif not isinstance(outcome, OutcomeUnknown):
            assert part.msisdn not in taken, f"the carrier has it, and the gateway says {outcome}"


def _accepted_ids(outcomes: Sequence[Outcome]) -> set[str]:
    ids = {outcome.message_id for outcome in outcomes if isinstance(outcome, Accepted)}
    assert len(ids) == len(outcomes)
    return ids


def _ids(events: Sequence[Event]) -> set[str]:
    return {event.message_id for event in events if not isinstance(event, InboundPart)}


def _listening(gateway: Gateway) -> ListeningGateway:
    assert isinstance(gateway, ListeningGateway)
    return gateway


def _listen_until(gateway: Gateway, wanted: set[str], within: float = 10.0) -> list[Event]:
    """What is heard until there was an event for each of these ids, or the time is over."""
    heard: list[Event] = []
    stop = threading.Event()

    def store(events: list[Event]) -> None:
        heard.extend(events)

    def watch(done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + within
        while not done() and time.monotonic() < deadline:
            time.sleep(0.02)
        stop.set()

    watcher = threading.Thread(target=watch, args=(lambda: wanted <= _ids(heard),))
    watcher.start()
    _listening(gateway).listen(store, stop)
    watcher.join()
    return heard
