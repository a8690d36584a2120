"""Sending again, which only a person orders: to those it failed for, and to those whose hand-over stayed in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import refuse_foreign
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import move
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import transitions
from broadcaster.delivery.control import wake_senders
from broadcaster.delivery.models import Message
from broadcaster.delivery.recording import settle_doubts
from broadcaster.delivery.snapshot import plan
from broadcaster.delivery.states import State
from broadcaster.delivery.transitions import Held, Move
from subscribers.actor import Actor, Right, needs
from subscribers.audit import note
from subscribers.errors import Conflict

#: what is worth another try
FAILED = (State.FAILED, State.EXPIRED)
#: handed over, and nobody knows
DOUBTFUL = (State.UNKNOWN,)
_OVER = frozenset({CampaignState.SENT, CampaignState.CLOSED})


@needs(Right.SEND)
def resend_failed(session: Session, actor: Actor, campaign: Campaign, confirmed: int, *, now: datetime) -> int:
    """A new attempt for everyone it failed for, if `confirmed` is their number. Returns the number of messages."""
    _confirm(session, actor, campaign, FAILED, confirmed)
    note(session, actor, "campaigns.resend", f"campaign {campaign.id}", people=confirmed, now=now)
    return _again(session, campaign, FAILED, confirmed)


@needs(Right.SEND)
def settle_as_sent(session: Session, actor: Actor, campaign: Campaign, confirmed: int, *, now: datetime) -> int:
    """Count the parts in doubt as sent: nothing goes out. Returns the number of messages."""
    _confirm(session, actor, campaign, DOUBTFUL, confirmed)
    note(session, actor, "campaigns.settle", f"campaign {campaign.id}", people=confirmed, now=now, how="as sent")
    held = _held(session, campaign, DOUBTFUL)
    parts = _settle(session, actor, held, now=now)
    transitions.move(session, held, dict.fromkeys(parts, Move(State.SUBMITTED)), now=now)
    return confirmed


@needs(Right.SEND)
def settle_by_resending(session: Session, actor: Actor, campaign: Campaign, confirmed: int, *, now: datetime) -> int:
    """A new attempt for everyone in doubt: some may get it twice. Returns the number of messages."""
    _confirm(session, actor, campaign, DOUBTFUL, confirmed)
    note(session, actor, "campaigns.settle", f"campaign {campaign.id}", people=confirmed, now=now, how="resend")
    _settle(session, actor, _held(session, campaign, DOUBTFUL), now=now)
    return _again(session, campaign, DOUBTFUL, confirmed)


def _confirm(session: Session, actor: Actor, campaign: Campaign, states: Sequence[State], confirmed: int) -> None:
    refuse_foreign(actor, campaign)
    mine = select(func.count()).where(
        Message.campaign_id == campaign.id, Message.state.in_(states), Message.msisdn.is_not(None)
    )
    count = session.scalar(mine)
    if confirmed != count:
        raise Conflict(
            "The number is not right: it is {count}, you typed {typed}. Nothing was changed.",
            hint="Type the number that is shown.",
            count=count,
            typed=confirmed,
        )


def _held(session: Session, campaign: Campaign, states: Sequence[State]) -> Held:
    """The campaign's messages in these states, as they are once nobody else moves them any more."""
    ids = select(Message.id).where(
        Message.campaign_id == campaign.id, Message.state.in_(states), Message.msisdn.is_not(None)
    )
    held = transitions.hold(session, session.scalars(ids).all())
    held.messages = {id_: message for id_, message in held.messages.items() if message.state in states}
    return held


def _settle(session: Session, actor: Actor, held: Held, *, now: datetime) -> list[int]:
    """Close the doubts about these messages. Returns the ids of their parts in doubt."""
    parts = [
        part.id
        for message in held.messages.values()
        for part in message.pieces
        if part.attempt == message.attempt and part.state is State.UNKNOWN
    ]
    settle_doubts(session, parts, by=actor.name, now=now)
    return parts


def _again(session: Session, campaign: Campaign, states: Sequence[State], confirmed: int) -> int:
    if not confirmed:
        return 0
    if campaign.state != CampaignState.SENDING:
        # one that was paused is resumed by a person who says so, not by the way
        move(session, campaign, CampaignState.SENDING, out_of=_OVER, closed_at=None)
    queued = _held(session, campaign, states).messages.values()
    if len(queued) != confirmed:
        raise Conflict(
            "Receipts came in at this moment: the number is {count} by now. Nothing was changed.",
            hint="Look again, and type the number that is shown.",
            count=len(queued),
        )
    transitions.try_again(session, queued)
    plan(session, campaign, [(message.gateway or "", message.id) for message in queued])
    wake_senders(session, campaign)
    return len(queued)
