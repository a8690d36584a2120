"""What is at each stage between the press and the receipts, by gateway: for whoever keeps the machinery running.

Asked every few seconds, also while twelve million rows are in the tables: it reads small tables, partial indexes and
the newest rows, and counts no further than `MOST`. It holds figures only, and nobody's number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, literal, or_, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import tally
from broadcaster.delivery.leases import Holder, holders
from broadcaster.delivery.locks import Locks
from broadcaster.delivery.models import (
    Batch,
    Doubt,
    Message,
    Owner,
    Part,
    ReceiptInbox,
    ReceiptLot,
    ReceiptLotWaiting,
    ReceiptOrphan,
    ReceiptWaiting,
    Turn,
)
from broadcaster.delivery.standing import Receipts, receipts_of
from broadcaster.delivery.states import State
from broadcaster.replies.models import Letter, LetterState

#: what is more is not counted
MOST = 100_000
#: a receipt without a part may have overtaken its answer: for so long that is nothing
EARLY = timedelta(minutes=10)
#: among so many of the newest receipts, those that fit no part are counted
NEWEST = 10_000
#: a part is written down when it is claimed, and is never skipped
_OF_PARTS = [state for state in State if state not in (State.HELD, State.SKIPPED)]


@dataclass(frozen=True, slots=True)
class GatewayStage:
    """One gateway now. Messages and parts are counted as such; times are those of the oldest."""

    name: str
    #: messages in batches that are due, at most so many: some may be skipped
    queued: int = 0
    #: of them, in batches that a carrier asked to hold back, or that could not be handed over
    throttled: int = 0
    #: parts in turns that are not written down to their end
    in_flight: int = 0
    #: of them, in the hands of a process that is gone and was not taken over yet
    left: int = 0
    #: parts in doubt, and since when
    unknown: int = 0
    unknown_since: datetime | None = None
    #: newest receipts that fit no part, though they had the time
    orphans: int = 0
    #: processes with a place here, and what is known of their connections
    places: Sequence[Holder] = ()
    #: parts of campaigns, by the name of their state; nothing is left out
    parts: Mapping[str, int] = field(default_factory=dict)
    receipts: Receipts = field(default_factory=Receipts)

    @property
    def links(self) -> int:
        """Connections that stand."""
        return sum(place.bound_at is not None for place in self.places)


@dataclass(frozen=True, slots=True)
class Stages:
    """All gateways, and what belongs to none."""

    gateways: Sequence[GatewayStage]
    #: receipts that are not applied yet, and since when the oldest waits
    pending: int
    pending_since: datetime | None
    #: letters that are not routed yet
    letters: int
    #: campaigns by state
    campaigns: Mapping[str, int]
    #: campaigns with parts in doubt
    doubtful: Sequence[int]
    #: messages of no campaign, such as answers, that are in doubt
    doubtful_answers: int
    #: processes that send
    senders: int
    #: of the newest part and receipt: how many there have been, about
    parts: int
    receipts: int


def stages(session: Session, locks: Locks, gateways: Sequence[str], *, now: datetime) -> Stages:
    """The stages of these gateways."""
    queued = _by_name(session, _waiting(Batch.not_before.is_(None) | (Batch.not_before <= now)))
    throttled = _by_name(session, _waiting(Batch.not_before > now))
    # before the locks: whoever begins in between is no dead one
    in_hand = session.execute(
        select(Turn.gateway, Turn.owner_id, func.sum(Turn.parts)).group_by(Turn.gateway, Turn.owner_id)
    ).all()
    owners = session.scalars(select(Owner.id).where(Owner.ended_at.is_(None))).all()
    living = locks.living(session, {*owners, *(owner for _, owner, _ in in_hand)})
    flying, left = Counter[str](), Counter[str]()
    for name, owner, n in in_hand:
        flying[name] += n
        left[name] += 0 if owner in living else n
    doubts = {
        row[0]: row
        for row in session.execute(
            select(Doubt.gateway, func.count(), func.min(Doubt.since))
            .where(Doubt.settled_at.is_(None))
            .group_by(Doubt.gateway)
        )
    }
    last = _last_receipt(session)
    orphans = _by_name(session, _orphans(last, now))
    places = holders(session, locks)
    parts = tally.parts_now(session)
    pending, since = _pending(session)
    doubtful = _doubtful(session)
    return Stages(
        gateways=[
            GatewayStage(
                name=name,
                queued=queued.get(name, 0) + throttled.get(name, 0),
                throttled=throttled.get(name, 0),
                in_flight=flying[name],
                left=left[name],
                unknown=doubts[name][1] if name in doubts else 0,
                unknown_since=doubts[name][2] if name in doubts else None,
                orphans=orphans.get(name, 0),
                places=[place for place in places if place.gateway == name],
                parts={state.word: parts.get((name, state), 0) for state in _OF_PARTS},
                receipts=receipts_of(session, name),
            )
            for name in gateways
        ],
        pending=pending,
        pending_since=since,
        letters=_limited(session, select(Letter.id).where(Letter.state == LetterState.NEW)),
        campaigns=_by_name(session, select(Campaign.state, func.count()).group_by(Campaign.state)),
        doubtful=sorted(id_ for id_ in doubtful if id_ is not None),
        doubtful_answers=doubtful[None],
        senders=len(living & set(owners)),
        parts=session.scalar(select(func.max(Part.id))) or 0,
        receipts=last,
    )


def _waiting(when: ColumnElement[bool]) -> Select[str, int]:
    """Messages of open batches that may go: those of a paused campaign wait for a person, not for a sender."""
    going = or_(Batch.campaign_id.is_(None), Campaign.state == CampaignState.SENDING)
    return (
        select(Batch.gateway, func.sum(Batch.high - Batch.cursor + 1))
        .outerjoin(Campaign, Campaign.id == Batch.campaign_id)
        .where(Batch.done.is_(False), Batch.cursor <= Batch.high, going, when)
        .group_by(Batch.gateway)
    )


def _last_receipt(session: Session) -> int:
    """The highest number of any: rows and lots have them of one count."""
    return max(session.scalar(select(func.max(table.id))) or 0 for table in (ReceiptInbox, ReceiptLot))


def _orphans(last: int, now: datetime) -> Select[str, int]:
    return (
        select(ReceiptInbox.gateway, func.count())
        .join(ReceiptOrphan, ReceiptOrphan.inbox_id == ReceiptInbox.id)
        .where(ReceiptOrphan.inbox_id > last - NEWEST, ReceiptInbox.received_at < now - EARLY)
        .group_by(ReceiptInbox.gateway)
    )


def _pending(session: Session) -> tuple[int, datetime | None]:
    """By themselves and in lots."""
    oldest = select(func.min(ReceiptWaiting.inbox_id)).scalar_subquery()
    oldest_lot = select(func.min(ReceiptLotWaiting.lot_id)).scalar_subquery()
    since = [
        session.scalar(select(ReceiptInbox.received_at).where(ReceiptInbox.id == oldest)),
        session.scalar(select(ReceiptLot.received_at).where(ReceiptLot.id == oldest_lot)),
    ]
    lots = select(ReceiptLotWaiting.receipts).limit(MOST).subquery()
    waiting = _limited(session, select(ReceiptWaiting.inbox_id))
    waiting += session.scalar(select(func.coalesce(func.sum(lots.c.receipts), 0))) or 0
    return min(waiting, MOST), min((moment for moment in since if moment is not None), default=None)


def _doubtful(session: Session) -> Counter[int | None]:
    """Messages in doubt by campaign, as far as their parts are among the first thousand in doubt."""
    some = select(Doubt.part_id).where(Doubt.settled_at.is_(None)).limit(1000).subquery()
    query = (
        select(Message.campaign_id, func.count(Message.id.distinct()))
        .join(Part, Part.message_id == Message.id)
        .join(some, some.c.part_id == Part.id)
        .group_by(Message.campaign_id)
    )
    return Counter(dict(session.execute(query).all()))


def _limited(session: Session, query: Select[int]) -> int:
    return session.scalar(select(func.count(literal(1))).select_from(query.limit(MOST).subquery())) or 0


def _by_name(session: Session, query: Select[str, int]) -> dict[str, int]:
    return {name: int(n) for name, n in session.execute(query)}
