"""Whether an edition has gone out: when, as which send, and whether it reached phones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import is_met_by
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.newspaper.models import Edition
from subscribers.actor import Actor, Right, needs


@dataclass(frozen=True, slots=True)
class GoneOut:
    """A send of an edition that was started, of which something may have left."""

    campaign_id: int
    at: datetime
    state: str
    is_rehearsal: bool
    #: made in the actor's part of the tree, and not above it
    is_own: bool


def has_begun() -> ColumnElement[bool]:
    """The condition that something of a campaign may have left: it was started, and not stopped before that."""
    return and_(Campaign.started_at.is_not(None), Campaign.state != CampaignState.CANCELLED)


def is_rehearsal(kept: Mapping[str, bool] | None) -> bool:
    """Whether nothing that was confirmed so reached a phone; `kept`: `Campaign.rehearsed`."""
    return kept is not None and all(kept.values())


def was_rehearsed(campaign: Campaign) -> bool:
    """Whether it was started, and as a rehearsal throughout."""
    return campaign.started_at is not None and is_rehearsal(campaign.rehearsed)


def may_have_reached_phones() -> ColumnElement[bool]:
    """The condition that a campaign is no rehearsal, or that nobody knows whether it was one."""
    # its JSON as text: a name in which these signs stand makes a send of a rehearsal, and never the other way round
    return or_(Campaign.rehearsed.is_(None), cast(Campaign.rehearsed, Text).contains(": false"))


@needs(Right.SEE)
def gone_out(session: Session, actor: Actor, numbers: Sequence[int]) -> dict[int, list[GoneOut]]:
    """By the number of an edition, its newest send that may have reached phones, then its newest rehearsal; each if
    there was one, and may have reached the actor's people. One statement for all of them.
    """
    real = may_have_reached_phones()
    newest_first = func.row_number().over(partition_by=(Campaign.edition_id, real), order_by=Campaign.id.desc())
    ranked = (
        select(Campaign.id, Edition.number, real.label("is_real"), newest_first.label("place"))
        .join(Edition, Edition.id == Campaign.edition_id)
        .where(Edition.number.in_(numbers), is_met_by(actor), has_begun())
        .subquery()
    )
    query = (
        select(ranked.c.number, ranked.c.is_real, Campaign.id, Campaign.started_at, Campaign.state, Campaign.under)
        .join(Campaign, Campaign.id == ranked.c.id)
        .where(ranked.c.place == 1)
    )
    found: dict[int, list[GoneOut]] = {}
    for number, is_real, id_, at, state, under in session.execute(query):
        if at is not None:
            sent = GoneOut(id_, at, state, not is_real, under.startswith(actor.under))
            found.setdefault(number, []).append(sent)
    for sends in found.values():
        sends.sort(key=lambda sent: sent.is_rehearsal)
    return found
