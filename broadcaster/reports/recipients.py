"""Everyone a campaign was meant for, one by one: who, which state, why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.belonging import refuse_unmet
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery.models import Message
from broadcaster.delivery.states import State
from broadcaster.language import listed
from broadcaster.reports.scope import Scope
from broadcaster.words import MESSAGE_STATES, states_named
from subscribers.actor import Actor, Right, needs
from subscribers.db import BULK
from subscribers.errors import Invalid
from subscribers.models import Member


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person of the audience. `msisdn` is empty for whom there was nothing to send to."""

    message_id: int
    member_id: int | None
    name: str
    msisdn: str
    state: str
    reason: str
    parts: int
    delivered_parts: int
    attempt: int


@needs(Right.SEE)
def recipients(
    session: Session, actor: Actor, campaign: Campaign, *, state: str | None = None, limit: int | None = None
) -> Iterator[Recipient]:
    """In the order of the ledger; all of them, or those in some states, named with commas between.

    Raises `Invalid` for a state there is not.
    """
    refuse_unmet(actor, campaign)
    query = (
        select(Message, Member.name)
        .join(Campaign, Campaign.id == Message.campaign_id)
        .outerjoin(Member, Member.id == Message.member_id)
        .where(Message.campaign_id == campaign.id, Scope(actor.under).holds(Message.member_id))
    )
    if state is not None:
        query = query.where(Message.state.in_(read_states(state)))
    return _portions(session, query, limit)


def read_states(text: str) -> set[State]:
    """States by their names or by the words that are shown: `failed, no_receipt`, `not delivered`, `未送达`."""
    found: set[State] = set()
    for word in re.split("[,，]", text):
        named = states_named(word, MESSAGE_STATES)
        if not named:
            raise Invalid(
                "There is no state {word}.",
                hint="There are: {words}. Several are written with commas between.",
                word=word.strip(),
                words=listed(state.word for state in State),
            )
        found.update(State[name.upper()] for name in named)
    return found


def _portions(session: Session, query: Select[Message, str], limit: int | None) -> Iterator[Recipient]:
    last, left = 0, limit
    while left is None or left > 0:
        size = BULK if left is None else min(BULK, left)
        rows = session.execute(query.where(Message.id > last).order_by(Message.id).limit(size)).all()
        for message, name in rows:
            yield Recipient(
                message_id=message.id,
                member_id=message.member_id,
                name=name or "",
                msisdn=message.msisdn or "",
                state=message.state.word,
                reason=message.reason or "",
                parts=message.parts,
                delivered_parts=message.delivered_parts,
                attempt=message.attempt,
            )
        if len(rows) < size:
            return
        last = rows[-1][0].id
        left = None if left is None else left - len(rows)
