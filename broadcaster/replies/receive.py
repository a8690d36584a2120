"""Letters come in once, whoever brings them and however often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Message
from broadcaster.delivery.recording import insert_or_ignore
from broadcaster.gateways.events import InboundMessage
from broadcaster.replies.models import Letter, LetterState
from subscribers.db import reserve_ids, wake
from subscribers.models import Number

#: the queue that routes letters
ROUTE = "replies"

#: characters of a letter that are kept; no telephone sends more
LONGEST = 10_000


def store(session: Session, messages: Sequence[InboundMessage], *, now: datetime) -> int:
    """Keep letters as they came. The carrier may be told yes once this has committed.

    Returns how many were not known yet.
    """
    if not messages:
        return 0
    numbers = {message.msisdn for message in messages}
    members = dict(
        session.execute(
            select(Number.msisdn, func.min(Number.member_id)).where(Number.msisdn.in_(numbers)).group_by(Number.msisdn)
        ).all()
    )
    ids = _provider_ids(session, messages, now=now)
    campaigns = dict(
        session.execute(
            select(Message.msisdn, func.max(Message.campaign_id))
            .where(Message.msisdn.in_(numbers))
            .group_by(Message.msisdn)
        ).all()
    )
    rows = [
        {
            # they are answered in the order in which they came
            "id": id_,
            "gateway": message.gateway,
            "provider_id": provider_id,
            "msisdn": message.msisdn[:20],
            "destination": message.destination[:40],
            "text": message.text[:LONGEST],
            "received_at": message.received_at or now,
            "member_id": members.get(message.msisdn),
            "campaign_id": campaigns.get(message.msisdn),
            "state": LetterState.NEW,
            "handled_as": message.taken_as or None,
        }
        for message, provider_id, id_ in zip(messages, ids, reserve_ids(session, Letter, len(messages)), strict=True)
    ]
    # one order for all: two connections to which a carrier repeats the same letters wait for each other only once
    rows.sort(key=itemgetter("gateway", "provider_id"))
    fresh = session.scalars(insert_or_ignore(session, Letter).returning(Letter.id), rows).all()
    wake(session, ROUTE)
    return len(fresh)


def _provider_ids(session: Session, messages: Sequence[InboundMessage], *, now: datetime) -> list[str]:
    """What letters are known by. An id that was made of the words has the minute with it in which they first came."""
    made = [message for message in messages if message.repeats_within]
    first_came: dict[tuple[str, str], datetime] = {}
    if made:
        query = select(Letter.gateway, Letter.provider_id, Letter.received_at).where(
            Letter.gateway.in_({message.gateway for message in made}),
            Letter.provider_id.in_({_made(message, now, before=1) for message in made}),
        )
        first_came = {(gateway, id_): at for gateway, id_, at in session.execute(query)}

    def known_by(message: InboundMessage) -> str:
        if not message.repeats_within:
            return message.message_id[:100]
        # what came just before the minute ended may be repeated in the next
        earlier = first_came.get((message.gateway, _made(message, now, before=1)))
        is_repeat = earlier is not None and now - earlier < timedelta(seconds=message.repeats_within)
        return _made(message, now, before=int(is_repeat))

    return [known_by(message) for message in messages]


def _made(message: InboundMessage, now: datetime, *, before: int) -> str:
    return f"{message.message_id[:80]}-{int(now.timestamp() // message.repeats_within) - before}"
