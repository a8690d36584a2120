"""Sending again, which only a person orders: to those it failed for, and to those whose hand-over stayed in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import move
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery.control import wake_senders
from broadcaster.delivery.models import Message, Part
from broadcaster.delivery.recording import refresh_messages, settle_doubts
from broadcaster.delivery.snapshot import plan
from broadcaster.delivery.states import State
from subscribers.actor import Actor, Right
from subscribers.errors import Conflict

#: what is worth another try
FAILED = (State.FAILED, State.EXPIRED)


def resend_failed(session: Session, actor: Actor, campaign: Campaign, confirmed: int) -> int:
    """A new attempt for everyone it failed for, if `confirmed` is their number. Returns the number of messages."""
    actor.must(Right.SEND)
    return _again(session, campaign, _in(session, campaign, FAILED), confirmed)


def settle_as_sent(session: Session, actor: Actor, campaign: Campaign, confirmed: int, *, now: datetime) -> int:
    """Count the parts in doubt as sent: nothing goes out. Returns the number of messages."""
    actor.must(Right.SEND)
    messages = _in(session, campaign, (State.UNKNOWN,))
    _confirm(len(messages), confirmed)
    parts = _settle(session, actor, messages, now=now)
    session.execute(
        update(Part)
        .where(Part.id.in_(parts), Part.state == State.UNKNOWN)
        .values(state=State.SUBMITTED, submitted_at=now)
        .execution_options(synchronize_session=False)
    )
    refresh_messages(session, messages)
    return len(messages)


def settle_by_resending(session: Session, actor: Actor, campaign: Campaign, confirmed: int, *, now: datetime) -> int:
    """A new attempt for everyone in doubt: some may get it twice. Returns the number of messages."""
    actor.must(Right.SEND)
    messages = _in(session, campaign, (State.UNKNOWN,))
    _confirm(len(messages), confirmed)
    _settle(session, actor, messages, now=now)
    return _again(session, campaign, messages, confirmed)


def _in(session: Session, campaign: Campaign, states: Sequence[State]) -> Sequence[int]:
    return session.scalars(
        select(Message.id).where(Message.campaign_id == campaign.id, Message.state.in_(states)).order_by(Message.id)
    ).all()


def _confirm(count: int, confirmed: int) -> None:
    if confirmed != count:
        raise Conflict(
            "The number is not right: it concerns {count} people, you typed {typed}. Nothing was changed.",
            hint="Type the number that is shown.",
            count=count,
            typed=confirmed,
        )


def _settle(session: Session, actor: Actor, messages: Sequence[int], *, now: datetime) -> Sequence[int]:
    parts = session.scalars(select(Part.id).where(Part.message_id.in_(messages), Part.state == State.UNKNOWN)).all()
    settle_doubts(session, parts, by=actor.name, now=now)
    return parts


def _again(session: Session, campaign: Campaign, messages: Sequence[int], confirmed: int) -> int:
    _confirm(len(messages), confirmed)
    if not messages:
        return 0
    if campaign.state != CampaignState.SENDING:
        move(session, campaign, CampaignState.SENDING, closed_at=None)
    queued = session.execute(
        update(Message)
        .where(Message.id.in_(messages))
        .values(state=State.QUEUED, attempt=Message.attempt + 1, reason=None, delivered_parts=0, parts=0)
        .returning(func.coalesce(Message.gateway, ""), Message.id)
        .execution_options(synchronize_session=False)
    ).all()
    plan(session, campaign, [(gateway, message_id) for gateway, message_id in queued])
    wake_senders(session, campaign)
    return len(queued)
