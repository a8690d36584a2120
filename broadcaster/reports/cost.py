"""What the carriers took, by month and gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.profiles import Tariff
from broadcaster.delivery.models import Message, Part
from broadcaster.delivery.progress import PAID
from broadcaster.reports.scope import Scope
from subscribers.actor import Actor, Right, needs

#: gateway -> prices of a part, the oldest first: for what belongs to no campaign, such as answers
Prices = Mapping[str, Sequence[Tariff]]


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
    days = {each.day for tariffs in prices.values() for each in tariffs}
    spans = _spans(first.astimezone(zone), last.astimezone(zone), days)
    at = case(
        *[(Part.submitted_at < span.end, literal(n)) for n, span in enumerate(spans)], else_=literal(len(spans) - 1)
    )
    counted = taken.with_only_columns(
        at.label("span"), Part.gateway, Message.campaign_id, func.count(Part.id)
    ).group_by("span", Part.gateway, Message.campaign_id)
    rows = session.execute(counted).all()
    tariffs = _tariffs(session, {campaign_id for _, _, campaign_id, _ in rows if campaign_id is not None})
    totals: dict[tuple[str, str, str], tuple[int, Decimal]] = {}
    for at_span, gateway, campaign_id, n in rows:
        month, day, _ = spans[at_span]
        price, currency = tariffs.get((campaign_id, gateway)) or _price_on(prices.get(gateway, ()), day)
        parts, cost = totals.get((month, gateway, currency), (0, Decimal(0)))
        totals[month, gateway, currency] = (parts + n, cost + price * n)
    return [
        CostReport(name, gateway, parts, cost, currency)
        for (name, gateway, currency), (parts, cost) in sorted(totals.items(), reverse=True)
    ]


class _Span(NamedTuple):
    """A stretch of days in one month and at the same prices: its first day, and the instant at which it ends."""

    month: str
    first: date
    end: datetime


def _spans(first: datetime, last: datetime, changes: Iterable[date]) -> list[_Span]:
    """The months from one instant to another, cut where a price changes."""
    begins = {first.date()} | {day for day in changes if first.date() < day <= last.date()}
    year, month = first.year, first.month
    while (year, month) <= (last.year, last.month):
        year, month = year + month // 12, month % 12 + 1
        begins.add(date(year, month, 1))
    return [
        _Span(f"{begin:%Y-%m}", begin, datetime.combine(end, time(), tzinfo=first.tzinfo))
        for begin, end in pairwise(sorted(begins))
    ]


def _price_on(tariffs: Sequence[Tariff], day: date) -> tuple[Decimal, str]:
    held = [(each.price, each.currency) for each in tariffs if each.day <= day]
    return held[-1] if held else (Decimal(0), "CNY")


def _tariffs(session: Session, campaign_ids: set[int]) -> dict[tuple[int | None, str], tuple[Decimal, str]]:
    rows = session.execute(select(Campaign.id, Campaign.tariffs).where(Campaign.id.in_(campaign_ids)))
    return {
        (campaign_id, gateway): (Decimal(price), currency)
        for campaign_id, tariffs in rows
        for gateway, (price, currency, _) in tariffs.items()
    }
