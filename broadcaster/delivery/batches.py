"""Claiming: which messages go out next. One transaction, committed before the first byte."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, true
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import SkipReason
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import transitions
from broadcaster.delivery.models import Batch, Message, Turn
from broadcaster.delivery.pieces import Sender, fitting, mark_submitting, outbound, printed, written_before
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.recording import ClaimedTurn
from broadcaster.delivery.states import State
from subscribers.errors import BroadsheetError
from subscribers.models import Subscription, Wish


class CannotPrint(Exception):
    """The texts of a campaign cannot be made any more, though its check went well: a value has changed since."""

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

    Raises `CannotPrint`.
    """
    go_by_keys(session)
    stopping: set[int] = set()
    while (
        batch := _next_batch(session, sender.gateway, passing=stopping, up_to=up_to, only=only, now=now)
    ) is not None:
        campaign = _held_campaign(session, batch)
        if batch.campaign_id is not None and campaign is None:
            stopping.add(batch.campaign_id)
            continue
        messages = _next_messages(session, batch, limit=parts)
        if not messages:
            batch.done = True
            continue
        turn = _claim_messages(session, owner_id, sender, batch, campaign, messages, parts=parts, now=now)
        if turn is not None:
            return turn
    return None


def _next_batch(
    session: Session, gateway: str, *, passing: Collection[int], up_to: Lane, only: int | None, now: datetime
) -> Batch | None:
    return session.scalar(
        select(Batch)
        .outerjoin(Campaign, Campaign.id == Batch.campaign_id)
        .where(
            Batch.gateway == gateway,
            Batch.done.is_(False),
            Batch.lane <= up_to,
            Batch.id == only if only is not None else true(),
            or_(Batch.not_before.is_(None), Batch.not_before <= now),
            or_(
                Batch.campaign_id.is_(None),
                (Campaign.state == CampaignState.SENDING) & Campaign.id.not_in(sorted(passing)),
            ),
        )
        .order_by(Batch.lane, Batch.id)
        .limit(1)
        .with_for_update(of=Batch, skip_locked=True)
    )


def _held_campaign(session: Session, batch: Batch) -> Campaign | None:
    """The campaign, kept from being paused until this claim has committed; None when someone is at it already.

    It is not waited for: an abort that holds the campaign may be waiting for the batch that we hold.
    """
    return session.scalar(
        select(Campaign)
        .where(Campaign.id == batch.campaign_id, Campaign.state == CampaignState.SENDING)
        .with_for_update(read=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _next_messages(session: Session, batch: Batch, *, limit: int) -> Sequence[Any]:
    mine = Message.campaign_id.is_(None) if batch.campaign_id is None else Message.campaign_id == batch.campaign_id
    return session.execute(
        select(Message.id, Message.member_id, Message.msisdn, Message.variant, Message.attempt)
        .where(
            Message.id.between(batch.cursor, batch.high),
            mine,
            Message.gateway == batch.gateway,
            Message.state == State.QUEUED,
        )
        .order_by(Message.id)
        .limit(limit)
    ).all()


def _claim_messages(
    session: Session,
    owner_id: int,
    sender: Sender,
    batch: Batch,
    campaign: Campaign | None,
    messages: Sequence[Any],
    *,
    parts: int,
    now: datetime,
) -> ClaimedTurn | None:
    refused = _skip_refused(session, messages, now=now) if campaign is not None else set()
    waiting = [m for m in messages if m.id not in refused]
    ready = written_before(session, waiting)
    fresh = [m for m in waiting if m.id not in ready]
    try:
        pieces, lacking = printed(session, campaign, fresh, sender) if campaign is not None else ({}, set())
    except BroadsheetError as error:
        raise CannotPrint(batch.campaign_id or 0, error) from error
    transitions.withdraw(session, lacking, State.SKIPPED, SkipReason.MISSING_VALUE.value, now=now)
    chosen, batch.cursor = fitting(messages, ready, pieces, parts=parts)
    taken = transitions.take(session, batch.campaign_id, sender.gateway, chosen)
    rows = mark_submitting(session, owner_id, sender, batch.campaign_id, taken, ready, pieces)
    if not rows:
        return None
    turn = Turn(
        owner_id=owner_id,
        campaign_id=batch.campaign_id,
        gateway=sender.gateway,
        lane=batch.lane,
        low=min(taken),
        high=max(taken),
        parts=len(rows),
    )
    session.add(turn)
    session.flush()
    going = outbound(session, sender, campaign, rows, {m.id: m.msisdn for m in messages})
    return ClaimedTurn(turn.id, batch.campaign_id, sender.gateway, batch.lane, going, [row.message_id for row in rows])


def _skip_refused(session: Session, messages: Sequence[Any], *, now: datetime) -> set[int]:
    """Skip those who have refused since the audience was frozen."""
    # by the numbers themselves: in a join, a planner that expects few refusals reads all the wishes there are
    out = set(
        session.scalars(
            select(Subscription.msisdn).where(
                Subscription.msisdn.in_([m.msisdn for m in messages]), Subscription.wish == Wish.OUT
            )
        )
    )
    refused = {m.id for m in messages if m.msisdn in out}
    transitions.withdraw(session, refused, State.SKIPPED, SkipReason.OPTED_OUT.value, now=now)
    return refused
