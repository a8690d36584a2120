"""Writing down what the gateway said about a turn: one bulk write."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Insert, Select, delete, exists, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery.models import Batch, Doubt, Message, Part, Submission, Turn
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.states import REACHED_FROM, State
from broadcaster.gateways.contract import (
    Accepted,
    OptedOut,
    OutboundPart,
    Outcome,
    OutcomeUnknown,
    Refused,
    Settled,
    Throttled,
    Unreachable,
)
from subscribers import consent
from subscribers.actor import SYSTEM
from subscribers.db import in_bulk, is_sqlite
from subscribers.models import Wish

#: how long to leave a gateway alone that could not be reached
UNREACHABLE_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class ClaimedTurn:
    """What a sender has claimed and committed, and may now hand over."""

    id: int
    campaign_id: int | None
    gateway: str
    lane: int
    parts: Sequence[OutboundPart]
    #: of each part, in the same order
    message_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a turn, in parts. `pause`: seconds for which the gateway asked to be left alone."""

    accepted: int = 0
    refused: int = 0
    requeued: int = 0
    unknown: int = 0
    pause: float = 0


def insert_or_ignore(session: Session, table: type[DeclarativeBase]) -> Insert:
    """An INSERT that passes over rows which are there already."""
    if is_sqlite(session):
        return sqlite.insert(table).on_conflict_do_nothing()
    return postgresql.insert(table).on_conflict_do_nothing()


def _storable(text: str, length: int) -> str:
    """What a carrier answered, as any database takes it: no NUL, no halves of surrogate pairs, not too long."""
    return re.sub("[\0\ud800-\udfff]", "", text)[:length]


def refresh_messages(session: Session, message_ids: Collection[int]) -> None:
    """Bring messages up to their parts: a message is the least of them, and says why.

    One whose new attempt has no parts yet stays as it is: a receipt for the old attempt does not move it.
    """
    mine = (Part.message_id == Message.id) & (Part.attempt == Message.attempt)
    worst = select(func.min(Part.state)).where(mine).scalar_subquery()
    why = select(Part.reason).where(mine).order_by(Part.state, Part.number).limit(1).scalar_subquery()
    count = select(func.count()).select_from(Part).where(mine).scalar_subquery()
    delivered = select(func.count()).select_from(Part).where(mine, Part.state == State.DELIVERED).scalar_subquery()
    for ids in in_bulk(sorted(message_ids)):
        # whoever changes another part of the same message waits here, and then sees our parts; without it each would
        # reckon with the other's part as it was before, and the message would stay behind both for good
        session.execute(select(Message.id).where(Message.id.in_(ids)).order_by(Message.id).with_for_update())
        session.execute(
            update(Message)
            .where(Message.id.in_(ids), exists().where(mine))
            .values(state=worst, reason=why, parts=count, delivered_parts=delivered)
            .execution_options(synchronize_session=False)
        )


def record(
    session: Session, turn: ClaimedTurn, settled: Sequence[Settled], *, closes: bool = True, now: datetime
) -> Recorded:
    """Write down what became of parts of this turn; `closes`: nothing of it is on its way any more.

    Doing it twice is doing it once. When the turn is closed already, by us before or by someone who took us for dead, a
    "no" puts nothing back: the part may be in other hands by now. What the carrier said for certain still counts.
    """
    go_by_keys(session)
    by_kind: dict[type[Outcome], list[tuple[OutboundPart, Outcome]]] = defaultdict(list)
    for _, part, outcome in settled:
        by_kind[type(outcome)].append((part, outcome))
    again = [*by_kind[Throttled], *by_kind[Unreachable]]
    is_ours = _hold(session, turn, closes=closes)
    _accept(session, turn, by_kind[Accepted], now=now)
    _refuse(session, [*by_kind[Refused], *by_kind[OptedOut]], now=now)
    _opt_out(session, by_kind[OptedOut], now=now)
    doubt(session, [part.part_id for part, _ in by_kind[OutcomeUnknown]], now=now)
    message_ids = {turn.message_ids[position] for position, _, _ in settled}
    pause = _requeue(session, turn, again, message_ids, now=now) if again and is_ours else 0
    if not is_ours:
        said = [*by_kind[Accepted], *by_kind[Refused], *by_kind[OptedOut]]
        settle_doubts(session, [part.part_id for part, _ in said], by="answer", now=now)
    refresh_messages(session, message_ids)
    return Recorded(
        accepted=len(by_kind[Accepted]),
        refused=len(by_kind[Refused]) + len(by_kind[OptedOut]),
        requeued=len(again) if is_ours else 0,
        unknown=len(by_kind[OutcomeUnknown]),
        pause=pause,
    )


def _hold(session: Session, turn: ClaimedTurn, *, closes: bool) -> bool:
    """Whether the turn is still ours; if so, nobody can bury its owner before this transaction ends."""
    if closes:
        return session.scalar(delete(Turn).where(Turn.id == turn.id).returning(Turn.id)) is not None
    return session.scalar(select(Turn.id).where(Turn.id == turn.id).with_for_update()) is not None


Ends = Sequence[tuple[OutboundPart, Outcome]]


def _move(session: Session, part_ids: Iterable[int], to: State, **values: object) -> None:
    session.execute(
        update(Part)
        .where(Part.id.in_(list(part_ids)), Part.state.in_(REACHED_FROM[to]))
        .values(state=to, **values)
        .execution_options(synchronize_session=False)
    )


def _accept(session: Session, turn: ClaimedTurn, ends: Ends, *, now: datetime) -> None:
    if not ends:
        return
    ids = [part.part_id for part, _ in ends]
    session.execute(
        insert_or_ignore(session, Submission),
        [
            {"part_id": part.part_id, "gateway": turn.gateway, "provider_id": _storable(outcome.message_id, 100)}
            for part, outcome in ends
            if isinstance(outcome, Accepted)
        ],
    )
    _move(session, ids, State.SUBMITTED, submitted_at=now)
    # a receipt may have overtaken the answer: the time of the hand-over is still worth keeping
    session.execute(update(Part).where(Part.id.in_(ids), Part.submitted_at.is_(None)).values(submitted_at=now))


def _refuse(session: Session, ends: Ends, *, now: datetime) -> None:
    groups: dict[tuple[str, str, bool], list[int]] = defaultdict(list)
    for part, outcome in ends:
        if isinstance(outcome, Refused):
            groups[outcome.code, outcome.reason, outcome.permanent].append(part.part_id)
        elif isinstance(outcome, OptedOut):
            groups[outcome.code, outcome.reason, True].append(part.part_id)
    for (code, reason, permanent), ids in groups.items():
        told = {"code": _storable(code, 60), "reason": _storable(reason, 200), "permanent": permanent}
        _move(session, ids, State.REJECTED, **told, final_at=now)


def _opt_out(session: Session, ends: Ends, *, now: datetime) -> None:
    """The carrier keeps a list of its own; who is on it has refused, and the registry is told."""
    said = [
        consent.Said(part.msisdn, Wish.OUT, "carrier", _storable(outcome.code, 60))
        for part, outcome in ends
        if isinstance(outcome, OptedOut)
    ]
    consent.record_many(session, SYSTEM, said, now=now)


def doubt(session: Session, part_ids: Sequence[int], *, now: datetime) -> set[int]:
    """Mark parts as handed over without an answer, and list them. Returns the ids of their messages."""
    if not part_ids:
        return set()
    moved = session.execute(
        update(Part)
        .where(Part.id.in_(part_ids), Part.state.in_(REACHED_FROM[State.UNKNOWN]))
        .values(state=State.UNKNOWN)
        .returning(Part.id, Part.message_id)
        .execution_options(synchronize_session=False)
    ).all()
    listed = (
        select(Part.id, Part.gateway, func.coalesce(Message.msisdn, ""), literal(now, Doubt.since.type))
        .join(Message, Message.id == Part.message_id)
        .where(Part.id.in_([row.id for row in moved]))
    )
    session.execute(insert(Doubt).from_select(["part_id", "gateway", "msisdn", "since"], listed))
    return {row.message_id for row in moved}


def _requeue(session: Session, turn: ClaimedTurn, ends: Ends, message_ids: Collection[int], *, now: datetime) -> float:
    """Put back what was certainly not accepted, unless the campaign was stopped. Returns the pause in seconds."""
    ids = [part.part_id for part, _ in ends]
    # locked: an abort that is under way is waited for, so that nothing stays queued behind it
    state = session.scalar(select(Campaign.state).where(Campaign.id == turn.campaign_id).with_for_update(read=True))
    _move(session, ids, State.QUEUED, owner_id=None)
    if state in (CampaignState.ABORTED, CampaignState.CANCELLED):
        _move(session, ids, State.CANCELLED)
        return 0
    pause = max(outcome.retry_after if isinstance(outcome, Throttled) else UNREACHABLE_PAUSE for _, outcome in ends)
    low, high = min(message_ids), max(message_ids)
    session.add(
        Batch(
            campaign_id=turn.campaign_id,
            gateway=turn.gateway,
            lane=turn.lane,
            low=low,
            high=high,
            cursor=low,
            not_before=now + timedelta(seconds=pause),
        )
    )
    return pause


def settle_doubts(session: Session, part_ids: Sequence[int] | Select[int], *, by: str, now: datetime) -> None:
    """Close the doubts about these parts, and say what settled them: an answer, a receipt, a person."""
    session.execute(
        update(Doubt)
        .where(Doubt.part_id.in_(part_ids), Doubt.settled_at.is_(None))
        .values(settled_at=now, settled_by=by)
        .execution_options(synchronize_session=False)
    )
