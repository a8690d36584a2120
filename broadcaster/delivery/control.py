"""A person's hand on a running campaign: pause, resume, abort."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import refuse_foreign
from broadcaster.campaigns.check import Way
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.rehearsals import refuse_real
from broadcaster.campaigns.schedule import PREPARE, RESUMABLE, move
from broadcaster.campaigns.states import CampaignState, may_move
from broadcaster.delivery import transitions
from broadcaster.delivery.models import Batch, Message
from broadcaster.delivery.progress import in_flight
from broadcaster.delivery.states import State
from broadcaster.language import msgid
from subscribers.actor import Actor, Right, needs
from subscribers.audit import note
from subscribers.db import wake
from subscribers.errors import BroadsheetError


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop did: parts that could not be called back any more, and messages that stay."""

    state: str
    in_flight: int
    cancelled: int = 0


def submit_queue(gateway: str) -> str:
    """The queue whose hints wake the senders of a gateway."""
    return f"submit.{gateway}"


def wake_senders(session: Session, campaign: Campaign) -> None:
    """Hint to every gateway that has open work of this campaign."""
    for gateway in session.scalars(_waits_at(campaign)):
        wake(session, submit_queue(gateway))


def _waits_at(campaign: Campaign) -> Select[str]:
    return select(Batch.gateway).where(Batch.campaign_id == campaign.id, Batch.done.is_(False)).distinct()


@needs(Right.SEND)
def pause(session: Session, actor: Actor, campaign: Campaign, *, now: datetime) -> Stopped:
    """Claim nothing more of it. What is being handed over finishes: `in_flight` parts at most."""
    refuse_foreign(actor, campaign)
    move(session, campaign, CampaignState.PAUSED, note=msgid("Paused by {actor}."), note_fields={"actor": actor.name})
    note(session, actor, "campaigns.pause", f"campaign {campaign.id}", people=0, now=now)
    return Stopped(campaign.state, in_flight(session, campaign))


@needs(Right.SEND)
def resume(session: Session, actor: Actor, campaign: Campaign, ways: Mapping[str, Way], *, now: datetime) -> Stopped:
    """Go on exactly where it was. `ways`: the gateways as they are now.

    Raises `Conflict` for one that does not stand still, and for one that was a rehearsal and would go out.
    """
    refuse_foreign(actor, campaign)
    # a gateway by which the rest of its audience may go is written down with the rest
    refuse_real(campaign, (campaign.prepared_at is None and campaign.rehearsed) or (), ways)
    refuse_real(campaign, session.scalars(_waits_at(campaign)), ways)
    # an audience that was not written down to its end is finished first
    unfinished = campaign.prepared_at is None
    to = CampaignState.PREPARING if unfinished else CampaignState.SENDING
    # a draft is started, with the number of people typed, and what is over is sent again in the same way
    move(session, campaign, to, out_of=RESUMABLE, note="", note_fields={})
    if unfinished:
        wake(session, PREPARE, [campaign.id])
    wake_senders(session, campaign)
    note(session, actor, "campaigns.resume", f"campaign {campaign.id}", people=0, now=now)
    return Stopped(campaign.state, in_flight(session, campaign))


@needs(Right.SEND)
def abort(session: Session, actor: Actor, campaign: Campaign, *, now: datetime) -> Stopped:
    """Stop it for good: what waits is cancelled, in one statement; what the carrier has cannot be called back."""
    refuse_foreign(actor, campaign)
    # held, so that no claim slips in between the look and the move
    session.execute(select(Campaign.id).where(Campaign.id == campaign.id).with_for_update())
    left = session.scalar(select(exists().where(Message.campaign_id == campaign.id, Message.state.not_in(_NEVER_LEFT))))
    to = CampaignState.ABORTED if left else CampaignState.CANCELLED
    move(session, campaign, to, note=msgid("Stopped by {actor}."), note_fields={"actor": actor.name})
    cancelled = cancel_waiting(session, campaign, now=now)
    note(session, actor, "campaigns.abort", f"campaign {campaign.id}", people=cancelled, now=now)
    return Stopped(campaign.state, in_flight(session, campaign), cancelled)


def stop(session: Session, campaign_id: int, trouble: BroadsheetError) -> None:
    """Take a campaign that cannot go on out of the way of the others, with the reason; a person resumes it."""
    campaign = session.get_one(Campaign, campaign_id)
    if may_move(campaign.state, CampaignState.FAILED):
        fields = {name: str(value) for name, value in trouble.fields.items()}
        move(session, campaign, CampaignState.FAILED, note=trouble.message, note_fields=fields)


_NEVER_LEFT = (State.QUEUED, State.HELD, State.SKIPPED, State.CANCELLED)


def cancel_waiting(session: Session, campaign: Campaign, *, now: datetime) -> int:
    """Cancel what is queued or held, while the campaign is held. Returns how many messages."""
    begun = select(Message.id).where(
        Message.campaign_id == campaign.id, Message.state.in_(transitions.WAITING), Message.parts > 0
    )
    cancelled = transitions.withdraw(session, session.scalars(begun).all(), State.CANCELLED, now=now)
    cancelled += transitions.cancel(session, campaign.id)
    session.execute(update(Batch).where(Batch.campaign_id == campaign.id).values(done=True))
    return cancelled
