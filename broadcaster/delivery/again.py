"""Sending again, which only a person orders: to those it failed for, and to those whose hand-over stayed in doubt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, literal, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import refuse_foreign
from broadcaster.campaigns.check import Way
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.rehearsals import refuse_real
from broadcaster.campaigns.schedule import move
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import holding, transitions
from broadcaster.delivery.control import submit_queue, wake_senders
from broadcaster.delivery.holding import Held
from broadcaster.delivery.models import Batch, Message, Part
from broadcaster.delivery.recording import date_hand_over, settle_doubts
from broadcaster.delivery.snapshot import plan
from broadcaster.delivery.states import State
from broadcaster.delivery.transitions import Move
from subscribers.actor import Actor, Right, needs
from subscribers.audit import note
from subscribers.db import among, wake
from subscribers.errors import Conflict

#: what is worth another try
FAILED = (State.FAILED, State.EXPIRED)
#: handed over, and nobody knows
DOUBTFUL = (State.UNKNOWN,)
_OVER = frozenset({CampaignState.SENT, CampaignState.CLOSED})


@needs(Right.SEND)
def resend_failed(
    session: Session, actor: Actor, campaign: Campaign, confirmed: int, ways: Mapping[str, Way], *, now: datetime
) -> int:
    """A new attempt for everyone it failed for, if `confirmed` is their number. Returns the number of messages.

    Raises `Conflict` for another number, and for a rehearsal that would go out by one of `ways`, as they are now.
    """
    _confirm(session, actor, campaign, FAILED, confirmed)
    _refuse_real(session, campaign, FAILED, ways)
    note(session, actor, "campaigns.resend", f"campaign {campaign.id}", people=confirmed, now=now)
    return _again(session, campaign, FAILED, confirmed)


@needs(Right.SEND)
def settle_as_sent(session: Session, actor: Actor, campaign: Campaign, confirmed: int, *, now: datetime) -> int:
    """Count the parts in doubt as sent: nothing goes out. Returns the number of messages."""
    _confirm(session, actor, campaign, DOUBTFUL, confirmed)
    note(session, actor, "campaigns.settle", f"campaign {campaign.id}", people=confirmed, now=now, how="as sent")
    count_as_sent(session, held_in(session, _ids(session, campaign, DOUBTFUL), DOUBTFUL), by=actor.name, now=now)
    return confirmed


@needs(Right.SEND)
def settle_by_resending(
    session: Session, actor: Actor, campaign: Campaign, confirmed: int, ways: Mapping[str, Way], *, now: datetime
) -> int:
    """A new attempt for everyone in doubt: some may get it twice. Returns the number of messages.

    Raises as `resend_failed`.
    """
    _confirm(session, actor, campaign, DOUBTFUL, confirmed)
    _refuse_real(session, campaign, DOUBTFUL, ways)
    note(session, actor, "campaigns.settle", f"campaign {campaign.id}", people=confirmed, now=now, how="resend")
    settle(session, held_in(session, _ids(session, campaign, DOUBTFUL), DOUBTFUL), by=actor.name, now=now)
    return _again(session, campaign, DOUBTFUL, confirmed)


def count_as_sent(session: Session, held: Held, *, by: str, now: datetime) -> None:
    """What is in doubt of these messages was sent, says somebody."""
    parts = settle(session, held, by=by, now=now)
    transitions.move(session, held, dict.fromkeys(parts, Move(State.SUBMITTED)), now=now)
    date_hand_over(session, parts, now=now)


def settle(session: Session, held: Held, *, by: str, now: datetime) -> list[int]:
    """Close the doubts about these messages. Returns the ids of their parts in doubt."""
    parts = [
        part.id
        for message in held.messages.values()
        for part in message.pieces
        if part.attempt == message.attempt and part.state is State.UNKNOWN
    ]
    settle_doubts(session, parts, by=by, now=now)
    return parts


def write_again(session: Session, held: Held) -> None:
    """A new attempt of messages of no campaign, ahead of every broadcast: the same pieces once more."""
    answers = list(held.messages.values())
    former = select(
        Part.message_id,
        Part.attempt + 1,
        Part.number,
        literal(int(State.QUEUED)),
        Part.gateway,
        Part.encoding,
        Part.text,
    ).join(Message, (Message.id == Part.message_id) & (Message.attempt == Part.attempt))
    columns = ["message_id", "attempt", "number", "state", "gateway", "encoding", "text"]
    mine = among(session, Message.id, sorted(held.messages))
    session.execute(insert(Part).from_select(columns, former.where(mine).order_by(Part.id)))
    transitions.try_again(session, answers, written=True)
    for message in answers:
        at = message.id
        session.add(Batch(gateway=message.gateway or "", lane=Lane.ANSWER, low=at, high=at, cursor=at))
    for gateway in {message.gateway or "" for message in answers}:
        wake(session, submit_queue(gateway))


def confirm(count: int, typed: int) -> None:
    """Raise `Conflict` unless whoever typed the number of people has it right."""
    if typed != count:
        raise Conflict(
            "The number is not right: it is {count}, you typed {typed}. Nothing was changed.",
            hint="Type the number that is shown.",
            count=count,
            typed=typed,
        )


def confirm_held(held: Held, typed: int) -> None:
    """Raise `Conflict` when some were settled between the look and the hold."""
    if len(held.messages) != typed:
        raise Conflict(
            "Receipts came in at this moment: the number is {count} by now. Nothing was changed.",
            hint="Look again, and type the number that is shown.",
            count=len(held.messages),
        )


def held_in(session: Session, ids: Collection[int], states: Sequence[State]) -> Held:
    """Those of these messages that are in one of these states once nobody else moves them any more."""
    held = holding.hold(session, ids)
    held.messages = {id_: message for id_, message in held.messages.items() if message.state in states}
    return held


def _confirm(session: Session, actor: Actor, campaign: Campaign, states: Sequence[State], confirmed: int) -> None:
    refuse_foreign(actor, campaign)
    count = session.scalar(select(func.count()).where(*_mine(campaign, states)))
    confirm(count or 0, confirmed)


def _refuse_real(session: Session, campaign: Campaign, states: Sequence[State], ways: Mapping[str, Way]) -> None:
    went_by = select(Message.gateway).where(*_mine(campaign, states), Message.gateway.is_not(None)).distinct()
    refuse_real(campaign, (name for name in session.scalars(went_by) if name), ways)


def _ids(session: Session, campaign: Campaign, states: Sequence[State]) -> Sequence[int]:
    return session.scalars(select(Message.id).where(*_mine(campaign, states))).all()


def _mine(campaign: Campaign, states: Sequence[State]) -> tuple[ColumnElement[bool], ...]:
    return Message.campaign_id == campaign.id, Message.state.in_(states), Message.msisdn.is_not(None)


def _again(session: Session, campaign: Campaign, states: Sequence[State], confirmed: int) -> int:
    if not confirmed:
        return 0
    if campaign.state != CampaignState.SENDING:
        # one that was paused is resumed by a person who says so, not by the way
        move(session, campaign, CampaignState.SENDING, out_of=_OVER, closed_at=None)
    held = held_in(session, _ids(session, campaign, states), states)
    confirm_held(held, confirmed)
    queued = held.messages.values()
    transitions.try_again(session, queued)
    plan(session, campaign, [(message.gateway or "", message.id) for message in queued])
    wake_senders(session, campaign)
    return len(queued)
