"""How far a campaign is, in figures that add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery.models import Message, Part, Turn
from broadcaster.delivery.states import State


@dataclass(slots=True)
class Progress:
    """Messages and parts by state, the skipped by reason, and what it has cost so far."""

    messages: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    cost: Decimal = Decimal(0)
    currency: str = "CNY"

    @property
    def recipients(self) -> int:
        """Everyone who was not skipped when the audience was frozen or since."""
        return sum(self.messages.values()) - self.messages[State.SKIPPED.word]

    @property
    def waiting(self) -> int:
        """Messages that have still to be handed over."""
        return sum(self.messages[state.word] for state in (State.QUEUED, State.HELD, State.SUBMITTING))


#: a part in one of these states was taken by the carrier, and is paid for
PAID = (State.SUBMITTED, State.IN_NETWORK, State.DELIVERED, State.FAILED, State.EXPIRED, State.NO_RECEIPT)


def progress(session: Session, campaign: Campaign) -> Progress:
    """The figures of a campaign now."""
    result = Progress()
    mine = Message.campaign_id == campaign.id
    for state, reason, n in session.execute(
        select(Message.state, Message.reason, func.count()).where(mine).group_by(Message.state, Message.reason)
    ):
        result.messages[state.word] += n
        if state is State.SKIPPED:
            result.skipped[reason or ""] += n
    for gateway, state, n in session.execute(
        select(Part.gateway, Part.state, func.count())
        .join(Message, Message.id == Part.message_id)
        .where(mine)
        .group_by(Part.gateway, Part.state)
    ):
        result.parts[state.word] += n
        price, currency, _ = campaign.tariffs.get(gateway, ("0", result.currency, "parts"))
        result.currency = currency
        if state in PAID:
            result.cost += Decimal(price) * n
    result.in_flight = in_flight(session, campaign)
    return result


def in_flight(session: Session, campaign: Campaign) -> int:
    """Parts that are being handed over at this moment."""
    total = session.scalar(select(func.coalesce(func.sum(Turn.parts), 0)).where(Turn.campaign_id == campaign.id))
    return int(total or 0)
