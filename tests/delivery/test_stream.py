"""Parts that stream: fed ahead, written down as they are told, whatever gateway, database and operator do meanwhile."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from broadcaster.delivery import press
from broadcaster.delivery.journal import Journal, evidence_in
from broadcaster.delivery.models import Turn
from broadcaster.delivery.owners import Ownership
from broadcaster.delivery.throttle import Throttle
from broadcaster.gateways.contract import (
    Accepted,
    BeforeWrite,
    Capabilities,
    GatewayConfig,
    GatewayContext,
    OnOutcomes,
    OutboundPart,
    Outcome,
    OutcomeUnknown,
    Refused,
    SessionGateway,
    Settled,
    Throttled,
    Unreachable,
)
from subscribers.db import Tx
from tests.databases import Transactions
from tests.delivery.ledger import THREE_PARTS, look, owner, part_states, sending, states
from tests.delivery.scripted import Lock, press_for

Became = Callable[[OutboundPart], Outcome | None]


def accept(part: OutboundPart) -> Outcome:
    return Accepted(f"id-{part.part_id}")


class Streaming(SessionGateway):
    """Writes what it is fed at once, from a thread of its own; `became` says what is answered, None is silence."""

    kind = "streaming"

    def __init__(self, became: Became = accept) -> None:
        config = GatewayConfig(kind="streaming", sender="10690000")
        super().__init__("carrier", config, GatewayContext(Path(), ZoneInfo("Asia/Shanghai")))
        self.became = became
        self.written: list[OutboundPart] = []
        self.feeds: list[int] = []
        self.silent: list[tuple[OnOutcomes, Settled]] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(window=50)

    def feed(
        self, parts: Sequence[OutboundPart], on_outcomes: OnOutcomes, before_write: BeforeWrite | None = None
    ) -> None:
        self.feeds.append(len(parts))
        thread = threading.Thread(target=self._write, args=(parts, on_outcomes, before_write))
        thread.start()
        thread.join()

    def _write(self, parts: Sequence[OutboundPart], tell: OnOutcomes, before_write: BeforeWrite | None) -> None:
        for position, part in enumerate(parts):
            outcome = self.became(part)
            if not isinstance(outcome, Unreachable):
                assert before_write is not None
                try:
                    before_write(position)
                except IndexError:
                    outcome = Unreachable("its sender could not take note of it")
                else:
                    self.written.append(part)
            if outcome is None:
                self.silent.append((tell, Settled(position, part, OutcomeUnknown("silence"))))
            else:
                tell([Settled(position, part, outcome)])

    def settle_silent(self, outcome: Outcome | None = None) -> None:
        silent, self.silent = self.silent, []
        for tell, settled in silent:
            tell([settled if outcome is None else settled._replace(outcome=outcome)])

    def open(self) -> None: ...

    def close(self) -> None: ...

    def unbind(self, within: float = 30.0) -> None: ...

    def listen(self, on_events: Any, stop: threading.Event) -> None: ...


@pytest.fixture
def me(begin: Transactions, tmp_path: Path) -> Ownership:
    id_ = owner(begin)
    return Ownership(id_, os.getpid(), Lock(), Journal(tmp_path / "mine", "token", slots=64))


def _evidence(me: Ownership) -> frozenset[int]:
    told = evidence_in(me.journal.path.read_bytes(), "token")
    assert told is not None
    return told.written


def _open_turns(begin: Transactions) -> list[int]:
    return list(look(begin, lambda s: s.scalars(select(Turn.id)).all()))


def test_everything_due_is_handed_over_once_and_nothing_is_left_open(begin: Transactions, me: Ownership) -> None:
    campaign, _ = sending(begin, 40, THREE_PARTS)
    gateway = Streaming()
    assert not press.run(press_for(begin, me, gateway))
    assert states(begin, campaign) == {"submitted": 40}
    assert set(Counter(part.part_id for part in gateway.written).values()) == {1}
    assert _open_turns(begin) == []
    assert _evidence(me) == frozenset()
    assert me.journal.room == 64


def test_the_limit_says_that_there_may_be_more(begin: Transactions, me: Ownership) -> None:
    sending(begin, 60)
    gateway = Streaming()
    assert press.run(press_for(begin, me, gateway), limit=1)
    assert len(gateway.written) == 16
    assert not press.run(press_for(begin, me, gateway))
    assert len(gateway.written) == 60


def test_each_kind_of_end(begin: Transactions, me: Ownership) -> None:
    campaign, _ = sending(begin, 5)
    ends = iter([Accepted("a"), Refused("1", "no"), OutcomeUnknown("?"), Throttled(1), Unreachable("down")])
    throttle = Throttle(0)
    press.run(press_for(begin, me, Streaming(lambda _: next(ends)), throttle=throttle), limit=1)
    assert states(begin, campaign) == {"submitted": 1, "rejected": 1, "unknown": 1, "queued": 2}
    # the connector slows as a whole
    assert throttle.wait_for(1) > 0.5
    assert _open_turns(begin) == []


def test_a_part_without_an_answer_holds_up_nobody(begin: Transactions, me: Ownership) -> None:
    """The others are written down, and the next turns go; its own turn stays open until something is known."""
    campaign, _ = sending(begin, 40)
    gateway = Streaming(lambda part: None if part.part_id == 1 else accept(part))
    with _running(press_for(begin, me, gateway)):
        wait_for(lambda: states(begin, campaign) == {"submitted": 39, "submitting": 1})
        assert len(_open_turns(begin)) == 1
        assert _evidence(me) == {1}
        gateway.settle_silent()
    assert states(begin, campaign) == {"submitted": 39, "unknown": 1}
    assert _open_turns(begin) == []
    assert _evidence(me) == frozenset()


def test_an_answer_that_comes_after_the_end_of_the_run_still_counts(begin: Transactions, me: Ownership) -> None:
    campaign, _ = sending(begin, 2)
    late: list[tuple[OnOutcomes, Settled]] = []

    class Late(Streaming):
        def feed(
            self, parts: Sequence[OutboundPart], on_outcomes: OnOutcomes, before_write: BeforeWrite | None = None
        ) -> None:
            late.extend((on_outcomes, Settled(n, part, accept(part))) for n, part in enumerate(parts))
            super().feed(parts, on_outcomes, before_write)

    press.run(press_for(begin, me, Late(lambda _: OutcomeUnknown("silence"))))
    assert states(begin, campaign) == {"unknown": 2}
    for tell, settled in late:
        tell([settled])
    wait_for(lambda: states(begin, campaign) == {"submitted": 2})


def test_more_than_the_journal_holds_waits(begin: Transactions, me: Ownership) -> None:
    campaign, _ = sending(begin, 200)
    gateway = Streaming()
    throttle = Throttle(0)
    for _ in range(10):
        # a quick carrier: turns may be large
        throttle.took(throttle.turn_size(1000), 0.01)
    press.run(press_for(begin, me, gateway, throttle=throttle))
    assert states(begin, campaign) == {"submitted": 200}
    assert set(Counter(part.part_id for part in gateway.written).values()) == {1}


def test_the_outcomes_wait_for_the_database(begin: Transactions, me: Ownership) -> None:
    campaign, _ = sending(begin, 3)
    trouble = iter(["ok", "before", "after", "before"])

    @contextlib.contextmanager
    def shaky() -> Iterator[Tx]:
        what = next(trouble, "ok")
        with begin() as tx:
            yield tx
            if what == "before":
                raise OperationalError("", {}, Exception("the database is away"))
        if what == "after":
            raise OperationalError("", {}, Exception("the database is away"))

    gateway = Streaming()
    with contextlib.suppress(OperationalError):
        press.run(press_for(shaky, me, gateway))
    press.run(press_for(begin, me, gateway))
    assert states(begin, campaign) == {"submitted": 3}
    assert len(gateway.written) == 3


def test_a_gateway_that_breaks_its_contract_leaves_doubt(begin: Transactions, me: Ownership) -> None:
    campaign, _ = sending(begin, 3)

    class Broken(Streaming):
        def feed(
            self, parts: Sequence[OutboundPart], on_outcomes: OnOutcomes, before_write: BeforeWrite | None = None
        ) -> None:
            on_outcomes([Settled(0, parts[0], accept(parts[0]))])
            raise ZeroDivisionError

    press.run(press_for(begin, me, Broken()))
    assert states(begin, campaign) == {"submitted": 1, "unknown": 2}


def test_asked_to_end_it_finishes_what_is_on_its_way_and_leaves_no_doubt(begin: Transactions, me: Ownership) -> None:
    campaign, _ = sending(begin, 100)
    ending = threading.Event()

    def became(part: OutboundPart) -> Outcome:
        if part.part_id == 20:
            ending.set()
        return accept(part)

    press.run(press_for(begin, me, Streaming(became), stopping=ending.is_set))
    after = states(begin, campaign)
    assert set(after) == {"submitted", "queued"}
    assert after["submitted"] >= 20
    assert _open_turns(begin) == []


def test_a_message_larger_than_the_rate_goes_in_steps(begin: Transactions, me: Ownership) -> None:
    sending(begin, 1, THREE_PARTS)
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += max(seconds, 0.001)

    gateway = Streaming()
    throttle = Throttle(1, clock=lambda: now[0])
    press.run(press_for(begin, me, gateway, throttle=throttle, sleep=sleep))
    assert gateway.feeds == [1, 1, 1]
    assert now[0] >= 2
    assert part_states(begin) == {"submitted": 3}


@contextlib.contextmanager
def _running(mine: press.Press) -> Iterator[None]:
    thread = threading.Thread(target=press.run, args=(mine,))
    thread.start()
    try:
        yield
    finally:
        thread.join(20)
    assert not thread.is_alive()


def wait_for(true: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if true():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen in time")
