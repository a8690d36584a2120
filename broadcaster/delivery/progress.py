"""How far a campaign is, in figures that add up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import tally
from broadcaster.delivery.models import Kind, Turn
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
    """The figures of a campaign now, as they were kept: however large it is, nothing is counted."""
    result = Progress()
    for cell, n in tally.figures(session, [campaign.id]).items():
        if cell.kind is Kind.MESSAGE:
            result.messages[cell.state.word] += n
            if cell.state is State.SKIPPED:
                result.skipped[cell.reason] += n
            continue
        result.parts[cell.state.word] += n
        price, currency, _ = campaign.tariffs.get(cell.gateway, ("0", result.currency, "parts"))
        result.currency = currency
        if cell.state in PAID:
            result.cost += Decimal(price) * n
    result.in_flight = in_flight(session, campaign)
    return result


def in_flight(session: Session, campaign: Campaign) -> int:
    """Parts that are being handed over at this moment."""
    total = session.scalar(select(func.coalesce(func.sum(Turn.parts), 0)).where(Turn.campaign_id == campaign.id))
    return int(total or 0)
