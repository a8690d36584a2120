"""One run: a campaign through an installation to which things happen, and what the judge says of it in the end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from broadcaster.delivery.models import Doubt
from broadcaster.rehearsal.fates import State, fate
from subscribers.clock import utc_now
from tests import tallies
from tests.chaos import judge
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.installation import BINDS, WINDOW, Installation, installed, wait_until
from tests.chaos.judge import Verdict
from tests.journeys.stage import draft, people, start

TEXT = "{{ name }}，您好：明天上午九点在社区礼堂开会，请带上学习材料。"
#: so many seconds of undisturbed sending, whatever the number of messages
SENDING = 30
#: members are made so many at once
_PEOPLE = 5000
_WORDS = {
    State.DELIVERED: "delivered",
    State.EXPIRED: "expired",
    State.UNDELIVERABLE: "failed",
    State.REJECTED: "rejected",
}


@dataclass
class Happened:
    """One fault: when, after how many parts; seconds to the next part, and until what it left in doubt was counted."""

    fault: Fault
    at: float
    parts: int
    since: datetime
    recovered: float | None = None
    counted: float | None = None


@dataclass
class Outcome:
    """What came of a run."""

    seed: int
    happened: list[Happened] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)
    seconds: float = 0.0
    #: what stayed in doubt: since when, and how many parts
    doubts: Sequence[tuple[datetime, int]] = ()
    #: what the processes logged last, if something is wrong
    logs: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was lost and nothing came twice."""
        return not self.verdict.faults


def run(
    folder: Path,
    *,
    seed: int,
    messages: int,
    faults: int,
    database: str = "sqlite",
    broker: str = "redis",
    broken: str = "",
    only: Sequence[str] = (),
    patience: float = 90,
    tell: Callable[[str], None] = lambda _: None,
    **given: Any,
) -> Outcome:
    """Send to so many members while so many faults are drawn with this seed.

    `only`: of these names. `patience`: seconds to wait for what should happen.
    """
    chance = random.Random(seed)
    began = time.monotonic()
    outcome = Outcome(seed)
    given.setdefault("rate", max(50, messages // SENDING))
    with installed(folder, database=database, broker=broker, broken=broken, **given) as on:
        audience = members(on, messages)
        campaign(on)
        on.start()
        plan = drawn(on, chance, faults, only)
        for step, fault in enumerate(plan, 1):
            until = int(messages * (step - chance.random() * 0.8) / (len(plan) + 0.5))
            if not wait_until(lambda: on.log.parts >= until, patience):  # noqa: B023
                outcome.verdict.wrong.append(f"nothing goes out any more: {on.log.parts} parts before {fault.name}")
                break
            outcome.happened.append(happen(on, fault, chance, began, patience))
            tell(line(outcome.happened[-1]))
            if broken and judge.judge([], [], on.carrier.accepted(), []).doubled:
                # it has been seen
                patience = 0
                break
        finish(on, outcome, audience, patience)
        if not outcome.ok:
            outcome.logs = on.logged()
    outcome.seconds = time.monotonic() - began
    return outcome


def members(on: Installation, count: int) -> set[str]:
    """The audience; their numbers."""
    made: set[str] = set()
    while len(made) < count:
        made |= people(on.runtime, min(_PEOPLE, count - len(made)))
    return made


def campaign(on: Installation, text: str = TEXT) -> int:
    """One to everyone, started."""
    number = draft(on.runtime, text)
    start(on.runtime, number)
    return number


def drawn(on: Installation, chance: random.Random, count: int, only: Sequence[str] = ()) -> list[Fault]:
    """So many faults: each kind that matters most at least once, if there is room, the rest by lot."""
    possible = [fault for fault in FAULTS if fault.possible(on) and (not only or fault.name in only)]
    first = sorted(possible, key=lambda fault: -fault.weight)[: count // 2]
    chosen = [*first, *chance.choices(possible, [fault.weight for fault in possible], k=count - len(first))]
    chance.shuffle(chosen)
    return chosen


def happen(on: Installation, fault: Fault, chance: random.Random, began: float, patience: float) -> Happened:
    """Let it happen, and see how long it takes until the next part is accepted."""
    happened = Happened(fault, time.monotonic() - began, on.log.parts, utc_now())
    since = fault.inject(on, chance)
    if wait_until(on.has_taken_over, patience):
        happened.counted = max(0.0, time.monotonic() - since)
    wait_until(lambda: on.log.after(since) is not None or on.is_quiet(), patience)
    happened.recovered = on.log.after(since)
    return happened


def line(happened: Happened) -> str:
    """As it is told."""
    fault = happened.fault
    if happened.recovered is None:
        told = "nothing was left to send"
    else:
        late = f" (goal {fault.goal:g} s)" if happened.recovered > fault.goal else ""
        told = f"next part after {happened.recovered:5.2f} s{late}"
    if fault.kills and happened.counted is not None:
        told += f", taken over after {happened.counted:.2f} s"
    return f"{happened.at:7.1f} s  {happened.parts:7,} parts  {fault.row}  {fault.name:40} {told}"


def finish(
    on: Installation, outcome: Outcome, audience: set[str], patience: float = 90, in_doubt: int | None = None
) -> None:
    """Wait for quiet, and judge. `in_doubt`: so many parts may be at most; else what the faults allow."""
    settle(on, patience)
    parts, messages = judge.read(on.url)
    ends = {msisdn: end_of(on, msisdn) for msisdn in audience}
    verdict = judge.judge(parts, messages, on.carrier.accepted(), audience, ends)
    verdict.wrong[:0] = outcome.verdict.wrong
    outcome.verdict = verdict
    most = bound(outcome.happened) if in_doubt is None else in_doubt
    if verdict.cells["unknown"] > most:
        verdict.wrong.append(f"{verdict.cells['unknown']} in doubt, of {most} that may be")
    with on.runtime.reading() as tx:
        open_ = select(Doubt.since, func.count()).where(Doubt.settled_at.is_(None))
        outcome.doubts = tx.session.execute(open_.group_by(Doubt.since).order_by(Doubt.since)).all()  # type: ignore[assignment]
        verdict.wrong += [f"a figure is not what is counted: {each}" for each in tallies.wrong(tx.session)]


def settle(on: Installation, patience: float = 90) -> bool:
    """Until nothing moves any more, and the receipts for what is in doubt have come; or until nothing has happened for
    so many seconds.
    """
    quiet = _until_still(on.is_quiet, on.left_to_do, patience)

    def settled() -> bool:
        return not (on.in_doubt() and on.carrier.counts().receipts_waiting)

    _until_still(settled, on.in_doubt, patience)
    # what has come is matched by the next sweeps
    _until_still(lambda: not on.in_doubt(), on.in_doubt, min(patience, 4))
    return quiet


def _until_still(over: Callable[[], bool], left: Callable[[], int], patience: float) -> bool:
    """Whether it was over before nothing had changed for so long."""
    before = left()
    while not wait_until(over, patience):
        if (now := left()) == before:
            return False
        before = now
    return True


def bound(happened: Sequence[Happened]) -> int:
    """How many parts may be in doubt at most: a window for each bind and each fault."""
    return len(happened) * len(BINDS) * WINDOW


def end_of(on: Installation, msisdn: str) -> str:
    """What the carrier told of this number in the end."""
    met = fate(on.carrier._behaviour, b"\1\1" + msisdn[1:].encode() + b"\0", 1)
    if met.refused:
        return "rejected"
    return _WORDS[next(turn.state for turn in met.turns if not turn.strange and turn.state is not State.ENROUTE)]
