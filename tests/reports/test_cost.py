"""Cost by month and gateway, in the months of the paper's own zone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from broadcaster.campaigns.profiles import Tariff
from broadcaster.reports.cost import CostReport, costs
from broadcaster.reports.scope import Scope, days
from subscribers.actor import OPERATOR
from tests.reports.ledger import make_campaign, make_message

ZONE = ZoneInfo("Asia/Shanghai")
PRICES = {"carrier": [Tariff(date.min, Decimal("0.08"), "CNY")]}
#: half an hour before December begins in Shanghai, and half an hour after
NOVEMBER, DECEMBER = datetime(2026, 11, 30, 15, 30, tzinfo=UTC), datetime(2026, 11, 30, 16, 30, tzinfo=UTC)


def test_by_month_and_gateway(session: Session) -> None:
    campaign = make_campaign(session, tariffs={"carrier": ["0.05", "CNY", "parts"], "other": ["0.1", "EUR", "parts"]})
    make_message(session, campaign, "delivered", parts=2, submitted_at=NOVEMBER)
    make_message(session, campaign, "failed", submitted_at=DECEMBER)
    make_message(session, campaign, "delivered", submitted_at=DECEMBER, gateway="other")
    # an answer, at today's price
    make_message(session, None, "delivered", submitted_at=DECEMBER)
    # refused: not paid
    make_message(session, campaign, "rejected", submitted_at=DECEMBER)
    assert costs(session, OPERATOR, Scope(), PRICES, zone=ZONE) == [
        CostReport("2026-12", "other", 1, Decimal("0.1"), "EUR"),
        CostReport("2026-12", "carrier", 2, Decimal("0.13"), "CNY"),
        CostReport("2026-11", "carrier", 2, Decimal("0.10"), "CNY"),
    ]
    assert [one.month for one in costs(session, OPERATOR, november(), PRICES, zone=ZONE)] == ["2026-11"]


def november() -> Scope:
    return days(date(2026, 11, 1), date(2026, 11, 30), ZONE)


def test_nothing_yet(session: Session) -> None:
    assert costs(session, OPERATOR, Scope(), PRICES, zone=ZONE) == []


def test_over_the_turn_of_years(session: Session) -> None:
    campaign = make_campaign(session)
    for month in (datetime(2025, 12, 5, tzinfo=UTC), datetime(2026, 2, 5, tzinfo=UTC)):
        make_message(session, campaign, "delivered", submitted_at=month)
    assert [one.month for one in costs(session, OPERATOR, Scope(), PRICES, zone=ZONE)] == ["2026-02", "2025-12"]


def test_what_belongs_to_no_campaign_costs_what_a_part_cost_on_its_day(session: Session) -> None:
    day = date(2026, 11, 10)
    prices = {"carrier": [*PRICES["carrier"], Tariff(day, Decimal("0.09"), "CNY")]}
    # half an hour before that day begins in Shanghai, and half an hour after
    for at in (datetime(2026, 11, 9, 15, 30, tzinfo=UTC), datetime(2026, 11, 9, 16, 30, tzinfo=UTC), DECEMBER):
        make_message(session, None, "delivered", submitted_at=at)
    make_message(session, make_campaign(session), "delivered", submitted_at=DECEMBER)
    found = [(one.month, one.parts, one.cost) for one in costs(session, OPERATOR, Scope(), prices, zone=ZONE)]
    # the campaign keeps its own tariff of 0.05
    assert found == [("2026-12", 2, Decimal("0.14")), ("2026-11", 2, Decimal("0.17"))]
