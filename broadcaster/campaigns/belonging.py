"""Whose a campaign is: everybody's in whose part of the tree it was made."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, true

from broadcaster.campaigns.models import Campaign
from subscribers.actor import Actor
from subscribers.errors import NotFound


def is_seen_by(actor: Actor) -> ColumnElement[bool]:
    """The condition that a campaign was made in the actor's part of the tree."""
    return Campaign.under.startswith(actor.under, autoescape=True) if actor.under else true()


def is_met_by(actor: Actor) -> ColumnElement[bool]:
    """The condition that a campaign may have reached the actor's people: made in their part, or above them."""
    return or_(is_seen_by(actor), Campaign.under.in_(_above(actor)))


def refuse_unmet(actor: Actor, campaign: Campaign) -> None:
    """Raise `NotFound` for a campaign that cannot have reached the actor's people."""
    if campaign.under not in _above(actor):
        refuse_foreign(actor, campaign)


def _above(actor: Actor) -> list[str]:
    steps = actor.under.split("/")[:-1]
    return ["".join(f"{step}/" for step in steps[:depth]) for depth in range(len(steps))]


def refuse_foreign(actor: Actor, campaign: Campaign) -> None:
    """Raise `NotFound` for a campaign of another part of the tree, as if it were not there.

    Verbs are handed a campaign and not a number: this is their own look, whoever fetched it.
    """
    if not campaign.under.startswith(actor.under):
        raise no_campaign(campaign.id)


def no_campaign(campaign_id: int) -> NotFound:
    """What is said of a campaign that is not there, or not for this person."""
    return NotFound("There is no campaign {id}.", hint="`broadsheet campaigns list` shows them.", id=campaign_id)
