"""Rows of the ledger as a send leaves them, without the send."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

import broadcaster.newspaper.models  # noqa: F401 - a campaign's row points at its edition
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery.models import Message, Part
from broadcaster.delivery.states import State
from broadcaster.replies.models import Letter
from tests.factories import NOW, ORGANISATION, MadeMember, make_member
from tests.tallies import recount

_counter = itertools.count()


def make_campaign(session: Session, *, started_at: datetime | None = NOW, **given: Any) -> Campaign:
    """A campaign that has begun, at 0.05 a part."""
    values: dict[str, Any] = {
        "kind": "notice",
        "title": "开会",
        "state": "sending" if started_at else "draft",
        "rule": "everyone",
        "under": "",
        "created_by": "test",
        "created_at": NOW,
        "started_at": started_at,
        "audience_on": started_at.date() if started_at else None,
        "tariffs": {"carrier": ["0.05", "CNY", "parts"]},
    }
    campaign = Campaign(**{**values, **given})
    session.add(campaign)
    session.flush()
    return campaign


def make_message(
    session: Session,
    campaign: Campaign | None,
    state: str,
    *,
    reason: str | None = None,
    parts: int = 1,
    organisation: str = ORGANISATION,
    submitted_at: datetime = NOW + timedelta(minutes=1),
    gateway: str = "carrier",
) -> MadeMember:
    """A member with a message in this state, and its parts if it left."""
    member = make_member(session, organisation=organisation)
    skipped, now = state == "skipped", State[state.upper()]
    message = Message(
        campaign_id=campaign.id if campaign else None,
        member_id=member.id,
        msisdn=None if skipped else member.msisdn,
        gateway=None if skipped else gateway,
        state=now,
        reason=reason,
        parts=parts,
    )
    session.add(message)
    session.flush()
    if now not in (State.SKIPPED, State.QUEUED, State.CANCELLED):
        session.add_all(
            Part(
                message_id=message.id,
                attempt=1,
                number=number,
                state=now,
                gateway=gateway,
                encoding="ucs2",
                text="字",
                submitted_at=submitted_at,
            )
            for number in range(1, parts + 1)
        )
    recount(session)
    return member


def make_letter(session: Session, member: MadeMember, campaign: Campaign | None, **given: Any) -> Letter:
    """A letter of this member."""
    values: dict[str, Any] = {
        "gateway": "carrier",
        "provider_id": f"letter-{next(_counter)}",
        "msisdn": member.msisdn,
        "destination": "1069",
        "text": "几点？",
        "received_at": NOW + timedelta(hours=2),
        "member_id": member.id,
        "campaign_id": campaign.id if campaign else None,
        "state": "open",
        "handled_as": "inbox",
    }
    letter = Letter(**{**values, **given})
    session.add(letter)
    session.flush()
    return letter
