"""What became of one person's message, part by part, down to the receipts as they came."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import refuse_unmet
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery.heard import Heard, heard
from broadcaster.delivery.models import Doubt, Message, Part, Submission
from broadcaster.reports.scope import Scope
from subscribers.actor import Actor, Right, needs
from subscribers.errors import NotFound
from subscribers.models import Member

#: a receipt may overtake the answer; and say more, or something else, when the part is settled
_BEFORE, _AFTER = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A part that left, and whose answer did not come."""

    since: datetime
    settled_at: datetime | None
    #: "answer", "receipt", or the user who decided; empty while nobody has
    settled_by: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of one attempt."""

    attempt: int
    number: int
    state: str
    gateway: str
    #: what the carrier calls it; empty if it never said
    provider_id: str
    #: when the carrier's answer was written down; without one, when it came into doubt
    submitted_at: datetime | None
    final_at: datetime | None
    #: the carrier's own code, and our words for it
    code: str
    reason: str
    #: empty once it is older than texts are kept, or forgotten
    text: str
    #: None for nearly all
    doubt: InDoubt | None
    receipts: tuple[Heard, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """One person's message. `msisdn` is empty for whom there was nothing to send to, and for who is forgotten."""

    name: str
    msisdn: str
    state: str
    reason: str
    attempt: int
    parts: tuple[Piece, ...]


@needs(Right.SEE)
def trace(session: Session, actor: Actor, campaign: Campaign, member_id: int, *, now: datetime) -> Trace:
    """What became of a campaign's message to a member. Raises `NotFound` if it had none for them."""
    refuse_unmet(actor, campaign)
    row = session.execute(
        select(Message, Member.name)
        .join(Campaign, Campaign.id == Message.campaign_id)
        .outerjoin(Member, Member.id == Message.member_id)
        .where(Message.campaign_id == campaign.id, Message.member_id == member_id)
        .where(Scope(actor.under).holds(Message.member_id))
    ).first()
    if row is None:
        raise NotFound(
            "Campaign {id} was not meant for member {member}.",
            hint="`broadsheet members find NAME` shows a member's number.",
            id=campaign.id,
            member=member_id,
        )
    message, name = row
    parts = session.execute(
        select(Part, Submission.provider_id, Doubt)
        .outerjoin(Submission, Submission.part_id == Part.id)
        .outerjoin(Doubt, Doubt.part_id == Part.id)
        .where(Part.message_id == message.id)
        .order_by(Part.attempt, Part.number)
    ).all()
    told: dict[tuple[str, str], list[Heard]] = defaultdict(list)
    for gateway in {part.gateway for part, _, _ in parts}:
        mine = [(part, provider_id) for part, provider_id, _ in parts if provider_id and part.gateway == gateway]
        if mine:
            since = min((part.submitted_at or part.final_at or now) for part, _ in mine) - _BEFORE
            until = max((part.final_at or now) for part, _ in mine) + _AFTER
            ids = {provider_id for _, provider_id in mine}
            for one in heard(session, gateway, ids, message.msisdn, since=since, until=until):
                told[gateway, one.provider_id].append(one)
    return Trace(
        name=name or "",
        msisdn=message.msisdn or "",
        state=message.state.word,
        reason=message.reason or "",
        attempt=message.attempt,
        parts=tuple(
            _piece(part, provider_id, doubt, told[part.gateway, provider_id or ""])
            for part, provider_id, doubt in parts
        ),
    )


def _piece(part: Part, provider_id: str | None, doubt: Doubt | None, receipts: list[Heard]) -> Piece:
    return Piece(
        attempt=part.attempt,
        number=part.number,
        state=part.state.word,
        gateway=part.gateway,
        provider_id=provider_id or "",
        submitted_at=part.submitted_at,
        final_at=part.final_at,
        code=part.code or "",
        reason=part.reason or "",
        text=part.text,
        doubt=InDoubt(doubt.since, doubt.settled_at, doubt.settled_by or "") if doubt else None,
        receipts=tuple(receipts),
    )
