"""What holds besides for a gateway that streams: the contract of `SessionGateway`, over a real socket.

As `testkit` has it; the gateway under test has a window of 20 and time-outs of a few seconds.
"""

# ruff: noqa: S101

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from broadcaster.gateways.contract import (
    Accepted,
    Gateway,
    OutboundPart,
    Outcome,
    OutcomeUnknown,
    SessionGateway,
    Settled,
    Unreachable,
)
from broadcaster.gateways.testkit import (
    CarrierUnderTest,
    ListeningGatewayContract,
    assert_true_to_the_record,
    make_parts,
)
from broadcaster.gateways.testproxy import Proxy


class SessionGatewayContract(ListeningGatewayContract):
    """What holds besides for a gateway that streams."""

    def test_the_next_claim_is_taken_while_answers_are_out(
        self, gateway: Gateway, proxy: Proxy, carrier: CarrierUnderTest
    ) -> None:
        gateway.submit(make_parts(1))
        window = gateway.capabilities.window
        parts = make_parts(3 * window, first=2)
        fed = _Fed(gateway)
        proxy.hush()
        fed.feed(parts[:window])
        fed.feed(parts[window : 2 * window])
        with ThreadPoolExecutor(1) as thread:
            third = thread.submit(fed.feed, parts[2 * window :])
            wait_for(lambda: len(fed.written) >= window)
            time.sleep(0.1)
            assert not third.done(), "a third window found room while nothing was answered"
            assert len(fed.written) == window, "more is out without an answer than the window allows"
            proxy.speak()
            third.result(10)
        wait_for(lambda: len(fed.settled) == len(parts))
        assert all(isinstance(settled.outcome, Accepted) for settled in fed.settled)
        assert_true_to_the_record(parts, fed.outcomes(parts), carrier)

    def test_each_part_is_announced_before_it_is_written(self, gateway: Gateway, carrier: CarrierUnderTest) -> None:
        parts = make_parts(30)
        fed = _Fed(gateway)
        fed.feed(parts)
        wait_for(lambda: len(fed.settled) == len(parts))
        assert fed.written == list(range(30))
        assert all(settled.part is parts[settled.position] for settled in fed.settled)

    def test_what_cannot_be_announced_is_not_written(self, gateway: Gateway, carrier: CarrierUnderTest) -> None:
        parts = make_parts(10)
        fed = _Fed(gateway, fail_at=4)
        fed.feed(parts)
        wait_for(lambda: len(fed.settled) == len(parts))
        outcomes = fed.outcomes(parts)
        assert [type(outcome) for outcome in outcomes] == [Accepted] * 4 + [Unreachable] * 6
        assert_true_to_the_record(parts, outcomes, carrier)
        assert isinstance(gateway.submit(make_parts(1, first=50))[0], Accepted)

    @pytest.mark.parametrize("answered", [0, 1, 50, 700])
    def test_a_cut_settles_everything_once(
        self, gateway: Gateway, proxy: Proxy, carrier: CarrierUnderTest, answered: int
    ) -> None:
        gateway.submit(make_parts(1))
        proxy.cut_after(answered)
        parts = make_parts(4 * gateway.capabilities.window, first=2)
        fed = _Fed(gateway)
        fed.feed(parts)
        wait_for(lambda: len(fed.settled) == len(parts))
        assert sorted(settled.position for settled in fed.settled) == list(range(len(parts)))
        doubtful = sum(isinstance(settled.outcome, OutcomeUnknown) for settled in fed.settled)
        assert doubtful <= gateway.capabilities.window
        assert_true_to_the_record(parts, fed.outcomes(parts), carrier)

    def test_silence_is_noticed(self, gateway: Gateway, proxy: Proxy, carrier: CarrierUnderTest) -> None:
        gateway.submit(make_parts(1))
        proxy.hush()
        parts = make_parts(2 * gateway.capabilities.window, first=2)
        outcomes = gateway.submit(parts)
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds.count(OutcomeUnknown) == gateway.capabilities.window
        assert kinds.count(Unreachable) == gateway.capabilities.window
        proxy.speak()
        assert_true_to_the_record(parts, outcomes, carrier)

    def test_unbind_drains(self, gateway: Gateway, carrier: CarrierUnderTest) -> None:
        assert isinstance(gateway, SessionGateway)
        parts = make_parts(2 * gateway.capabilities.window)
        fed = _Fed(gateway)
        fed.feed(parts)
        gateway.unbind()
        assert len(fed.settled) == len(parts)
        assert all(isinstance(settled.outcome, Accepted) for settled in fed.settled)
        assert [type(outcome) for outcome in gateway.submit(make_parts(2, first=100))] == [Unreachable] * 2
        gateway.open()
        assert isinstance(gateway.submit(make_parts(1, first=200))[0], Accepted)

    def test_close_settles_what_is_out(self, gateway: Gateway, proxy: Proxy, carrier: CarrierUnderTest) -> None:
        gateway.submit(make_parts(1))
        proxy.hush()
        parts = make_parts(2 * gateway.capabilities.window, first=2)
        fed = _Fed(gateway)
        fed.feed(parts)
        wait_for(lambda: len(fed.written) == gateway.capabilities.window)
        gateway.close()
        assert sorted(settled.position for settled in fed.settled) == list(range(len(parts)))
        proxy.speak()
        assert_true_to_the_record(parts, fed.outcomes(parts), carrier)


class _Fed:
    """What a caller of `feed` is told."""

    def __init__(self, gateway: Gateway, fail_at: int | None = None) -> None:
        assert isinstance(gateway, SessionGateway)
        self._gateway = gateway
        self._fail_at = fail_at
        self.written: list[int] = []
        self.settled: list[Settled] = []

    def feed(self, parts: Sequence[OutboundPart]) -> None:
        self._gateway.feed(parts, self.settled.extend, self._before_write)

    def outcomes(self, parts: Sequence[OutboundPart]) -> list[Outcome]:
        by_part = {settled.part.part_id: settled.outcome for settled in self.settled}
        return [by_part[part.part_id] for part in parts]

    def _before_write(self, position: int) -> None:
        if position == self._fail_at:
            raise OSError("the disk is full")
        self.written.append(position)


def wait_for(true: Callable[[], object], within: float = 20.0) -> None:
    """Wait until it is true; fail if it does not become so."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
