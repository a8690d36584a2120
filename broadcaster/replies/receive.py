"""Letters come in once, whoever brings them and however often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Message
from broadcaster.delivery.recording import insert_or_ignore
from broadcaster.gateways.events import InboundMessage
from broadcaster.replies.models import Letter, LetterState
from subscribers.db import wake
from subscribers.models import Number

#: the queue that routes letters
ROUTE = "replies"

#: characters of a letter that are kept; no telephone sends more
LONGEST = 10_000


def store(session: Session, messages: Sequence[InboundMessage], *, now: datetime) -> None:
    """Keep letters as they came. The carrier may be told yes once this has committed."""
    if not messages:
        return
    numbers = {message.msisdn for message in messages}
    members = dict(
        session.execute(
            select(Number.msisdn, func.min(Number.member_id)).where(Number.msisdn.in_(numbers)).group_by(Number.msisdn)
        ).all()
    )
    campaigns = dict(
        session.execute(
            select(Message.msisdn, func.max(Message.campaign_id))
            .where(Message.msisdn.in_(numbers))
            .group_by(Message.msisdn)
        ).all()
    )
    session.execute(
        insert_or_ignore(session, Letter),
        [
            {
                "gateway": message.gateway,
                "provider_id": message.message_id[:100],
                "msisdn": message.msisdn[:20],
                "destination": message.destination[:40],
                "text": message.text[:LONGEST],
                "received_at": message.received_at or now,
                "member_id": members.get(message.msisdn),
                "campaign_id": campaigns.get(message.msisdn),
                "state": LetterState.NEW,
                "handled_as": message.taken_as or None,
            }
            for message in messages
        ],
    )
    wake(session, ROUTE)
