"""What the carriers took, by month and gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery.models import Message, Part
from broadcaster.delivery.progress import PAID
from broadcaster.reports.scope import Scope
from subscribers.actor import Actor, Right, needs

#: gateway -> price of a part now, and its currency: for what belongs to no campaign, such as answers
Prices = Mapping[str, tuple[Decimal, str]]


@dataclass(frozen=True, slots=True)
class CostReport:
    """One gateway in one month of the paper's own time (`2026-11`)."""

    month: str
    gateway: str
    parts: int
    cost: Decimal
    currency: str


@needs(Right.SEE)
def costs(session: Session, actor: Actor, scope: Scope, prices: Prices, *, zone: ZoneInfo) -> list[CostReport]:
    """The parts that carriers took in the span, at the tariffs of their campaigns; the newest month first."""
    scope = scope.seen_by(actor)
    within = [Part.state.in_(PAID), scope.spans(Part.submitted_at), scope.holds(Message.member_id)]
    taken = (
        select(Part)
        .join(Message, Message.id == Part.message_id)
        .outerjoin(Campaign, Campaign.id == Message.campaign_id)
        .where(*within)
    )
    first, last = session.execute(
        taken.with_only_columns(func.min(Part.submitted_at), func.max(Part.submitted_at))
    ).one()
    if first is None or last is None:
        return []
    months = _months(first.astimezone(zone), last.astimezone(zone))
    month = case(*[(Part.submitted_at < end, literal(name)) for name, end in months], else_=literal(months[-1][0]))
    counted = taken.with_only_columns(
        month.label("month"), Part.gateway, Message.campaign_id, func.count(Part.id)
    ).group_by("month", Part.gateway, Message.campaign_id)
    rows = session.execute(counted).all()
    tariffs = _tariffs(session, {campaign_id for _, _, campaign_id, _ in rows if campaign_id is not None})
    totals: dict[tuple[str, str, str], tuple[int, Decimal]] = {}
    for name, gateway, campaign_id, n in rows:
        price, currency = tariffs.get((campaign_id, gateway)) or prices.get(gateway) or (Decimal(0), "CNY")
        parts, cost = totals.get((name, gateway, currency), (0, Decimal(0)))
        totals[name, gateway, currency] = (parts + n, cost + price * n)
    return [
        CostReport(name, gateway, parts, cost, currency)
        for (name, gateway, currency), (parts, cost) in sorted(totals.items(), reverse=True)
    ]


def _months(first: datetime, last: datetime) -> list[tuple[str, datetime]]:
    """The months from one instant to another, each with the instant at which it ends."""
    months: list[tuple[str, datetime]] = []
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        after = (year + month // 12, month % 12 + 1)
        months.append((f"{year}-{month:02d}", datetime(*after, 1, tzinfo=first.tzinfo)))
        year, month = after
    return months


def _tariffs(session: Session, campaign_ids: set[int]) -> dict[tuple[int | None, str], tuple[Decimal, str]]:
    rows = session.execute(select(Campaign.id, Campaign.tariffs).where(Campaign.id.in_(campaign_ids)))
    return {
        (campaign_id, gateway): (Decimal(price), currency)
        for campaign_id, tariffs in rows
        for gateway, (price, currency, _) in tariffs.items()
    }
