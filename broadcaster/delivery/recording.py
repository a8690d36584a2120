"""Writing down what the gateway said about a turn: one bulk write."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Insert, Table, bindparam, delete, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import holding, transitions
from broadcaster.delivery.holding import Held
from broadcaster.delivery.models import Batch, Doubt, Message, Part, Submission, Turn
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.states import State
from broadcaster.delivery.transitions import Alike, Move
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
from subscribers.db import Joined, among, insert_all, is_sqlite
from subscribers.models import Wish

_TURN: Table = Turn.__table__  # type: ignore[assignment]

#: how long to leave a gateway alone that could not be reached
UNREACHABLE_PAUSE = 2.0

_SUBMITTED, _UNKNOWN = Move(State.SUBMITTED), Move(State.UNKNOWN)


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
    if not (text.isascii() and "\0" not in text):
        text = re.sub("[\0\ud800-\udfff]", "", text)
    return text[:length]


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
    message_ids = {turn.message_ids[position] for position, _, _ in settled}
    again = [*by_kind[Throttled], *by_kind[Unreachable]]
    is_ours = _hold(session, turn, closes=closes)
    # before the messages: an abort that is under way is waited for, so that nothing stays queued behind it
    stopped = bool(again) and is_ours and _is_stopped(session, turn)
    rest = _take_whole(session, turn, settled, now=now)
    _keep_ids(session, turn, by_kind[Accepted])
    held = holding.hold(session, {turn.message_ids[position] for position, _, _ in rest})
    moves = {part.part_id: to for _, part, outcome in rest if (to := _move(outcome)) is not None}
    if is_ours:
        moves |= {part.part_id: Move(State.QUEUED) for part, _ in again}
    former = transitions.move(session, held, moves, now=now)
    _note_hand_over(session, held, by_kind[Accepted], former, now=now)
    _opt_out(session, by_kind[OptedOut], now=now)
    _list_doubts(session, [part for part in former if moves[part].to is State.UNKNOWN], now=now)
    settle_doubts(session, [part for part, state in former.items() if state is State.UNKNOWN], by="answer", now=now)
    pause = 0.0
    if stopped:
        transitions.move(session, held, {part.part_id: Move(State.CANCELLED) for part, _ in again}, now=now)
    elif again and is_ours:
        pause = _requeue(session, turn, again, message_ids, now=now)
    return Recorded(
        accepted=len(by_kind[Accepted]),
        refused=len(by_kind[Refused]) + len(by_kind[OptedOut]),
        requeued=len(again) if is_ours else 0,
        unknown=len(by_kind[OutcomeUnknown]),
        pause=pause,
    )


def _hold(session: Session, turn: ClaimedTurn, *, closes: bool) -> bool:
    """Whether the turn is still ours; if so, nobody can bury its owner before this transaction ends."""
    return session.scalar(_CLOSE if closes else _KEEP, {"turn": turn.id}) is not None


# made once: putting a statement together takes as long as sending it
_CLOSE = delete(_TURN).where(_TURN.c.id == bindparam("turn")).returning(_TURN.c.id)
_KEEP = select(_TURN.c.id).where(_TURN.c.id == bindparam("turn")).with_for_update()


def _is_stopped(session: Session, turn: ClaimedTurn) -> bool:
    held = select(Campaign.state).where(Campaign.id == turn.campaign_id).with_for_update(read=True, key_share=True)
    return session.scalar(held) in (CampaignState.ABORTED, CampaignState.CANCELLED)


def _take_whole(session: Session, turn: ClaimedTurn, settled: Sequence[Settled], *, now: datetime) -> list[Settled]:
    """Write down the messages that were accepted as a whole, as nearly all are. Returns what is left."""
    accepted: dict[int, list[Settled]] = defaultdict(list)
    for each in settled:
        if type(each.outcome) is Accepted:
            accepted[turn.message_ids[each.position]].append(each)
    whole: dict[int, dict[int, list[Settled]]] = defaultdict(dict)
    for message_id, its in accepted.items():
        if len(its) == its[0].part.total:
            whole[len(its)][message_id] = its
    if sum(len(its) * n for n, its in whole.items()) < len(settled) or len(whole) > 1:
        # in one order, whatever group they are of; those of one group are moved in it
        holding.lock(session, Joined.of({turn.message_ids[position] for position, _, _ in settled}))
    done: set[int] = set()
    for parts, messages in whole.items():
        part_ids = Joined.of([each.part.part_id for its in messages.values() for each in its])
        alike = Alike(turn.campaign_id, turn.gateway, State.SUBMITTING, parts)
        if transitions.move_whole(session, alike, _SUBMITTED, part_ids, Joined.of(messages), now=now):
            done |= messages.keys()
    return [each for each in settled if turn.message_ids[each.position] not in done] if done else list(settled)


Ends = Sequence[tuple[OutboundPart, Outcome]]


def _move(outcome: Outcome) -> Move | None:
    """Where an outcome that is for certain, or certainly not, brings a part."""
    match outcome:
        case Accepted():
            return _SUBMITTED
        case Refused():
            return Move(State.REJECTED, _storable(outcome.code, 60), _storable(outcome.reason, 200), outcome.permanent)
        case OptedOut():
            return Move(State.REJECTED, _storable(outcome.code, 60), _storable(outcome.reason, 200), True)
        case OutcomeUnknown():
            return _UNKNOWN
    return None


def _keep_ids(session: Session, turn: ClaimedTurn, ends: Ends) -> None:
    """What the carrier calls them."""
    insert_all(
        session,
        Submission,
        [
            {"part_id": part.part_id, "gateway": turn.gateway, "provider_id": _storable(outcome.message_id, 100)}
            for part, outcome in ends
            if isinstance(outcome, Accepted)
        ],
        ignore_known=True,
    )


def _note_hand_over(session: Session, held: Held, ends: Ends, former: Collection[int], *, now: datetime) -> None:
    """A receipt may have overtaken the answer: the time of the hand-over is still worth keeping."""
    late = [
        part.part_id
        for part, _ in ends
        if part.part_id not in former
        and (known := held.parts.get(part.part_id)) is not None
        and not known.was_handed_over
    ]
    if late:
        session.execute(
            update(Part)
            .where(among(session, Part.id, late))
            .values(submitted_at=now)
            .execution_options(synchronize_session=False)
        )


def _opt_out(session: Session, ends: Ends, *, now: datetime) -> None:
    """The carrier keeps a list of its own; who is on it has refused, and the registry is told."""
    said = [
        consent.Said(part.msisdn, Wish.OUT, "carrier", _storable(outcome.code, 60))
        for part, outcome in ends
        if isinstance(outcome, OptedOut)
    ]
    consent.record_many(session, SYSTEM, said, now=now)


def _list_doubts(session: Session, part_ids: Collection[int], *, now: datetime) -> None:
    if not part_ids:
        return
    listed = (
        select(Part.id, Part.gateway, func.coalesce(Message.msisdn, ""), literal(now, Doubt.since.type))
        .join(Message, Message.id == Part.message_id)
        .where(among(session, Part.id, sorted(part_ids)))
    )
    session.execute(insert(Doubt).from_select(["part_id", "gateway", "msisdn", "since"], listed))


def _requeue(session: Session, turn: ClaimedTurn, ends: Ends, message_ids: Collection[int], *, now: datetime) -> float:
    """Give what was certainly not accepted a batch again. Returns the pause in seconds.

    One batch for all that a carrier puts off meanwhile, not one for each of its answers: a claim costs the same for one
    part as for five hundred. Who comes second does not make the first wait longer.
    """
    pause = max(outcome.retry_after if isinstance(outcome, Throttled) else UNREACHABLE_PAUSE for _, outcome in ends)
    low, high, not_before = min(message_ids), max(message_ids), now + timedelta(seconds=pause)
    # one that somebody claims from is passed over: whoever waited for it might hold messages that he waits for
    known = session.scalar(
        select(Batch)
        .where(
            Batch.gateway == turn.gateway,
            Batch.lane == turn.lane,
            Batch.campaign_id == turn.campaign_id,
            Batch.done.is_(False),
            Batch.not_before > now,
        )
        .order_by(Batch.id.desc())
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if known is not None:
        known.low, known.cursor, known.high = min(known.low, low), min(known.cursor, low), max(known.high, high)
        return pause
    session.add(
        Batch(
            campaign_id=turn.campaign_id,
            gateway=turn.gateway,
            lane=turn.lane,
            low=low,
            high=high,
            cursor=low,
            not_before=not_before,
        )
    )
    return pause


def date_hand_over(session: Session, part_ids: Collection[int], *, now: datetime) -> None:
    """Parts of which we know that they went, though no answer came, went when they came into doubt; or just now."""
    if not part_ids:
        return
    since = select(Doubt.since).where(Doubt.part_id == Part.id).scalar_subquery()
    session.execute(
        update(Part)
        .where(among(session, Part.id, sorted(part_ids)))
        .values(submitted_at=func.coalesce(since, now))
        .execution_options(synchronize_session=False)
    )


def settle_doubts(session: Session, part_ids: Collection[int], *, by: str, now: datetime) -> None:
    """Close the doubts about these parts, and say what settled them: an answer, a receipt, a person."""
    if not part_ids:
        return
    session.execute(
        update(Doubt)
        .where(among(session, Doubt.part_id, sorted(part_ids)), Doubt.settled_at.is_(None))
        .values(settled_at=now, settled_by=by)
        .execution_options(synchronize_session=False)
    )
