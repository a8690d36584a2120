"""Claiming: which messages go out next. One transaction, committed before the first byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, Table, bindparam, func, insert, null, or_, select, text, true, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import SkipReason
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.rehearsals import is_held_back, only_rehearsed
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import printing, tally, transitions
from broadcaster.delivery.models import Batch, Message, Part, Proof, Turn
from broadcaster.delivery.pieces import Sender, Waiting, find_written, fitting, take_up
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.printing import Printing
from broadcaster.delivery.recording import ClaimedTurn
from broadcaster.delivery.states import State
from broadcaster.delivery.tally import Cell
from subscribers.db import among, insert_all, is_sqlite, unread
from subscribers.errors import BroadsheetError
from subscribers.models import Subscription, Wish

# tables, not objects: a claim is a thousand rows, and making objects of them would cost more than all else it does
_BATCH: Table = Batch.__table__  # type: ignore[assignment]
_CAMPAIGN: Table = Campaign.__table__  # type: ignore[assignment]
_MESSAGE: Table = Message.__table__  # type: ignore[assignment]
_SUBSCRIPTION: Table = Subscription.__table__  # type: ignore[assignment]
_TURN: Table = Turn.__table__  # type: ignore[assignment]

#: why a proof did not go: its gateway rehearsed when it was asked for, and does no more
ONLY_REHEARSED = "only_rehearsed"


class CannotGoOn(Exception):
    """A campaign whose check went well: its texts cannot be made any more, or its gateway has become another."""

    def __init__(self, campaign_id: int, error: BroadsheetError) -> None:
        super().__init__(str(error))
        self.campaign_id = campaign_id
        self.error = error


def claim(
    session: Session,
    owner_id: int,
    sender: Sender,
    *,
    parts: int,
    up_to: Lane,
    only: int | None = None,
    now: datetime,
) -> ClaimedTurn | None:
    """The next turn for this gateway, marked `submitting` for this owner; None when nothing is due.

    At most `parts` parts, but at least one whole message. Answers come first, then urgent notices, then the rest; lanes
    behind `up_to` wait. The state of the campaign and the wish of every recipient are read here, in the same
    transaction: what was paused or refused before it commits is not sent. `only`: of this batch, and of no other.

    Raises `CannotGoOn`.
    """
    go_by_keys(session)
    stopping: set[int] = set()
    while (
        batch := _next_batch(session, sender.gateway, passing=stopping, up_to=up_to, only=only, now=now)
    ) is not None:
        campaign = None
        if batch.campaign_id is not None:
            campaign = printing.hold(session, batch.campaign_id, sender)
            if campaign is None:
                stopping.add(batch.campaign_id)
                continue
            if is_held_back(campaign.rehearsed, sender.gateway, rehearses=sender.rehearses):
                raise CannotGoOn(batch.campaign_id, only_rehearsed(batch.campaign_id, sender.gateway))
        most = max(1, parts // sender.shortest.get(batch.campaign_id, 1))
        messages = _next_messages(session, batch, limit=most)
        turn = None
        if messages:
            turn = _claim_messages(session, owner_id, sender, batch, campaign, messages, most, parts=parts, now=now)
        else:
            _go_on(session, batch, cursor=batch.cursor, done=True)
        if turn is not None:
            return turn
    return None


@cache
def _batches_due(passing: bool, only: bool, sqlite: bool) -> Select[Any]:
    # made once: putting a statement together takes as long as sending it
    b, c = _BATCH.c, _CAMPAIGN.c
    going = c.state == CampaignState.SENDING
    if passing:
        going &= c.id.not_in(bindparam("passing", expanding=True))
    now = bindparam("now", type_=b.not_before.type)
    # with the number of the turn that may become of it
    turn_id = null() if sqlite else func.nextval(func.pg_get_serial_sequence("turn", "id"))
    return (
        select(b.id, b.campaign_id, b.gateway, b.lane, b.high, b.cursor, turn_id.label("turn_id"))
        .outerjoin_from(_BATCH, _CAMPAIGN, c.id == b.campaign_id)
        .where(
            b.gateway == bindparam("gateway"),
            b.done.is_(False),
            b.lane <= bindparam("up_to"),
            or_(b.not_before.is_(None), b.not_before <= now),
            or_(b.campaign_id.is_(None), going),
            b.id == bindparam("only") if only else true(),
        )
        .order_by(b.lane, b.id)
        .limit(1)
        .with_for_update(of=_BATCH, skip_locked=True)
    )


def _next_batch(
    session: Session, gateway: str, *, passing: Collection[int], up_to: Lane, only: int | None, now: datetime
) -> Any:
    given: dict[str, object] = {"gateway": gateway, "up_to": int(up_to), "now": now}
    if passing:
        given["passing"] = sorted(passing)
    if only is not None:
        given["only"] = only
    return session.execute(_batches_due(bool(passing), only is not None, is_sqlite(session)), given).first()


_GO_ON = (
    update(_BATCH)
    .where(_BATCH.c.id == bindparam("batch_id"))
    .values(cursor=bindparam("next_id"), done=bindparam("is_done"))
)


def _go_on(session: Session, batch: Any, *, cursor: int, done: bool) -> None:
    session.execute(_GO_ON, {"batch_id": batch.id, "next_id": cursor, "is_done": done})


@cache
def _messages_waiting(answers: bool) -> Select[Any]:
    m, w = _MESSAGE.c, _SUBSCRIPTION.c
    # found by the range of ids: to a planner whose statistics are older than the campaign, its own index looks better
    campaign_id = m.campaign_id + 0
    # asked for each number by itself: in a join, a planner that expects few refusals reads all the wishes there are
    wish = select(w.wish).where(w.msisdn == m.msisdn).scalar_subquery()
    return (
        # an answer goes also to who wants no paper
        select(m.id, m.member_id, m.msisdn, m.variant, m.attempt, m.parts, null() if answers else wish)
        .where(
            m.id.between(bindparam("low"), bindparam("high")),
            campaign_id.is_(None) if answers else campaign_id == bindparam("campaign_id"),
            m.gateway == bindparam("gateway"),
            m.state == State.QUEUED,
        )
        .order_by(m.id)
        .limit(bindparam("most"))
    )


def _next_messages(session: Session, batch: Any, *, limit: int) -> list[Waiting]:
    """What waits in the batch, each with what its recipient wants now."""
    given = {"low": batch.cursor, "high": batch.high, "gateway": batch.gateway, "most": limit}
    if batch.campaign_id is not None:
        given["campaign_id"] = batch.campaign_id
    rows = session.execute(_messages_waiting(batch.campaign_id is None), given).all()
    return [Waiting(*row) for row in rows]


def _claim_messages(
    session: Session,
    owner_id: int,
    sender: Sender,
    batch: Any,
    campaign: Printing | None,
    messages: Sequence[Waiting],
    most: int,
    *,
    parts: int,
    now: datetime,
) -> ClaimedTurn | None:
    refused = [m.id for m in messages if m.wish == Wish.OUT]
    transitions.withdraw(session, refused, State.SKIPPED, SkipReason.OPTED_OUT.value, now=now)
    waiting = [m for m in messages if m.wish != Wish.OUT]
    if campaign is None and not sender.rehearses:
        only_rehearsed = _only_rehearsed(session, waiting)
        transitions.withdraw(session, only_rehearsed, State.CANCELLED, ONLY_REHEARSED, now=now)
        waiting = [m for m in waiting if m.id not in only_rehearsed]
    find_written(session, waiting)
    if campaign is not None:
        try:
            without = printing.print_texts(session, campaign, [m for m in waiting if not m.written])
        except BroadsheetError as error:
            raise CannotGoOn(campaign.campaign_id, error) from error
        for reason, lost in without.items():
            transitions.withdraw(session, lost, State.SKIPPED, reason.value, now=now)
        transitions.take_number_off(session, without[SkipReason.LEFT_SEGMENT])
    chosen, cursor = fitting(messages, parts=parts)
    all_seen = len(messages) < most and cursor > messages[-1].id
    if chosen and campaign is not None:
        sender.shortest[campaign.campaign_id] = min(m.size for m in chosen)
    changes: Counter[Cell] = Counter()
    taken = set(transitions.take(session, batch.campaign_id, sender.gateway, [m.id for m in chosen], changes))
    # answers are cut for the width of the configuration: nobody freezes another one for them
    can = sender.capabilities if campaign is None else campaign.capabilities
    mine = [m for m in chosen if m.id in taken]
    going, message_ids, new = take_up(
        session, owner_id, sender, batch.campaign_id, mine, reference_bits=can.reference_bits, changes=changes
    )
    # known before it is written, so that all of this is one journey to the server
    turn_id = session.scalar(_NEXT_ON_SQLITE) if is_sqlite(session) else batch.turn_id
    with unread(session):
        insert_all(session, Part, new)
        _go_on(session, batch, cursor=cursor, done=all_seen or cursor > batch.high)
        tally.add(session, changes)
        if not going:
            return None
        opened = {"owner_id": owner_id, "campaign_id": batch.campaign_id, "gateway": sender.gateway, "lane": batch.lane}
        opened |= {"id": turn_id, "low": message_ids[0], "high": message_ids[-1], "parts": len(going)}
        session.execute(_OPEN_TURN, opened)
    return ClaimedTurn(turn_id, batch.campaign_id, sender.gateway, batch.lane, going, message_ids)


_OPEN_TURN = insert(_TURN)
# nobody else writes before this transaction ends; ids of rows that are gone count
_NEXT_ON_SQLITE = text("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'turn'")


def _only_rehearsed(session: Session, messages: Sequence[Waiting]) -> set[int]:
    """Those of which their sender was told that nothing reaches a phone: whose it is, nobody has asked."""
    mine = among(session, Proof.message_id, [message.id for message in messages])
    return set(session.scalars(select(Proof.message_id).where(mine, Proof.rehearsed.is_(True))))
