"""A send made of its edition once more, because the edition has other words by now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns import compose
from broadcaster.campaigns.belonging import is_seen_by
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.schedule import STARTABLE, move
from broadcaster.campaigns.stale import Seen, is_stale, other_people
from broadcaster.campaigns.states import CampaignState
from broadcaster.language import msgid
from broadcaster.newspaper.models import Edition
from subscribers import segments
from subscribers.actor import Actor, Right, needs
from subscribers.audit import note
from subscribers.errors import Conflict, Invalid

#: sends that are compared with their editions for one page
_LOOKED_AT = 20


@needs(Right.EDIT)
def make_anew(session: Session, actor: Actor, /, campaign_id: int, *, now: datetime, **paper: Any) -> Campaign:
    """A draft with the words of now in the place of one that waits, for whom its segments hold now, by the same way, at
    the same time; the earlier one is cancelled. `paper`: what `compose.draft_edition` takes of it.

    It gets a number of its own: whoever has looked at the earlier one and types its number sends nothing else.
    Raises `Conflict` for one that is of no edition or does not wait, and what `compose.draft_edition` raises; `Denied`
    for one that is scheduled, to whoever may not take that back.
    """
    earlier = compose.get(session, actor, campaign_id)
    edition = session.get(Edition, earlier.edition_id) if earlier.edition_id else None
    if edition is None:
        raise Conflict("Campaign {id} was made of no edition.", hint="Make another one.", id=campaign_id)
    if earlier.state == CampaignState.SCHEDULED:
        actor.must(Right.SEND)
    planned = earlier.scheduled_for if earlier.scheduled_for and earlier.scheduled_for > now else None
    move(session, earlier, CampaignState.CANCELLED, out_of=STARTABLE)
    made = compose.draft_edition(
        session,
        # not for more people than before, whoever does it
        replace(actor, under=earlier.under),
        edition.number,
        rule=_still_asked(session, earlier),
        gateway=earlier.gateway,
        urgent=earlier.lane == Lane.URGENT,
        at=planned,
        now=now,
        **paper,
    )
    earlier.note, earlier.note_fields = msgid("Made anew as campaign {id}."), {"id": made.id}
    note(session, actor, "campaigns.anew", f"campaign {campaign_id}", people=0, now=now, made=made.id)
    session.flush()
    return made


def _still_asked(session: Session, earlier: Campaign) -> str:
    """Its rule with the segments of now; as it was written out then, if one of these is gone."""
    try:
        segments.check(session, earlier.asked, within=earlier.under)
    except Invalid:
        return earlier.rule
    return earlier.asked


@needs(Right.SEE)
def left_behind(
    session: Session, actor: Actor, numbers: Sequence[int], *, seen: Seen | None = None
) -> dict[int, list[Campaign]]:
    """By the number of an edition, the sends that wait and have other words than it or go to other people than their
    segments hold by now; of the newest that wait."""
    query = (
        select(Campaign, Edition.number)
        .join(Edition, Edition.id == Campaign.edition_id)
        .where(is_seen_by(actor), Edition.number.in_(numbers), Campaign.state.in_(STARTABLE))
        .order_by(Campaign.id.desc())
        .limit(_LOOKED_AT)
    )
    found: dict[int, list[Campaign]] = {}
    seen = seen or Seen()
    for campaign, number in session.execute(query):
        if is_stale(session, campaign, seen) or other_people(session, campaign, seen):
            found.setdefault(number, []).append(campaign)
    return found
