"""What there is to know before a campaign is sent, and what of it comes from its age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import is_met_by, refuse_foreign
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.stale import is_stale, other_people
from broadcaster.campaigns.went_out import has_begun, may_have_reached_phones
from broadcaster.language import msgid
from broadcaster.newspaper.lint import about_notice
from broadcaster.newspaper.models import Edition
from subscribers import segments
from subscribers.actor import Actor, Right, needs


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know before sending: a sentence with fields, for the catalogue. `blocking`: it cannot be sent so."""

    message: str
    blocking: bool
    fields: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""
    #: how whoever runs the installation mends it: a command, or a line of the configuration
    typed: str = ""


def about_fields(campaign: Campaign) -> list[Finding]:
    """What looks like a field in the text of a notice, and is none."""
    if campaign.edition_id:
        # its sentences are looked at where they are written
        return []
    texts = dict.fromkeys(variant.source for variant in campaign.variants)
    return [Finding(each.message, False, each.fields, each.hint) for text in texts for each in about_notice(text)]


@needs(Right.SEE)
def about_age(session: Session, actor: Actor, campaign: Campaign, *, zone: ZoneInfo, now: datetime) -> list[Finding]:
    """That its edition has other words by now, or a segment other people, where it is so."""
    refuse_foreign(actor, campaign)
    anew = msgid("Make it anew on the page of the check of the edition.")
    as_drafted = msgid("`--as-drafted` sends it as it is; the page of the check of its edition makes it anew.")
    if not campaign.edition_id:
        anew, as_drafted = msgid("Make the send once more."), msgid("`--as-drafted` sends it as it is.")
    found = []
    if is_stale(session, campaign):
        words = msgid(
            "Edition {number} was changed since campaign {id} was made of it: its words are the earlier ones."
        )
        number = session.get_one(Edition, campaign.edition_id).number
        found.append(Finding(words, False, {"number": number, "id": campaign.id}, anew, as_drafted))
    mine, today = replace(actor, under=campaign.under), now.astimezone(zone).date()
    found += [
        Finding(
            msgid(
                "{by} changed the segment {segment} on {date}, after campaign {id} was made. It still goes to whom the "
                "segment held before: {before}. Now it holds {now}."
            ),
            False,
            {
                "by": each.segment.saved_by,
                "segment": each.segment.name,
                "date": f"{each.segment.saved_at.astimezone(zone):%Y-%m-%d}",
                "id": campaign.id,
                "before": segments.count(session, mine, each.kept, on=today).members,
                "now": segments.count(session, mine, each.now, on=today).members,
            },
            anew,
            as_drafted,
        )
        for each in other_people(session, campaign)
    ]
    return found


@needs(Right.SEE)
def about_repeats(session: Session, actor: Actor, campaign: Campaign, *, zone: ZoneInfo) -> list[Finding]:
    """That its edition has gone out already, where it has: not what reached no phone."""
    refuse_foreign(actor, campaign)
    if not campaign.edition_id:
        return []
    others = session.execute(
        select(Campaign.id, Campaign.started_at)
        .where(Campaign.edition_id == campaign.edition_id, Campaign.id != campaign.id)
        .where(is_met_by(actor), has_begun(), may_have_reached_phones())
        .order_by(Campaign.id)
    )
    number = session.get_one(Edition, campaign.edition_id).number
    return [
        Finding(
            msgid(
                "Edition {number} went out on {date} as campaign {other}: whoever got it then and is among these gets "
                "it once more."
            ),
            False,
            {"number": number, "date": f"{other.started_at.astimezone(zone):%Y-%m-%d}", "other": other.id},
        )
        for other in others
        if other.started_at is not None
    ]
