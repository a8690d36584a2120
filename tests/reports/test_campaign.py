"""The report of a campaign: every person in exactly one place, by subtree and by time."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from broadcaster.reports.campaign import CampaignReport, campaigns
from broadcaster.reports.scope import Scope, days
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Denied
from subscribers.models import Membership
from tests.factories import NOW, make_organisation
from tests.reports.ledger import make_campaign, make_letter, make_message

FAILED = {"There is no such number": 2, "The phone is switched off or out of reach": 1}


@pytest.fixture
def report(session: Session) -> CampaignReport:
    campaign = make_campaign(session)
    for reason, n in FAILED.items():
        for _ in range(n):
            make_message(session, campaign, "failed", reason=reason)
    states = ["delivered"] * 4 + ["rejected", "expired", "no_receipt", "unknown", "submitted", "queued", "cancelled"]
    people = [make_message(session, campaign, state) for state in states]
    make_message(session, campaign, "delivered", parts=3)
    make_message(session, campaign, "skipped", reason="opted_out")
    make_message(session, campaign, "skipped", reason="landline")
    make_letter(session, people[0], campaign)
    for _ in range(2):
        make_letter(session, people[1], campaign, text="退订", handled_as="opt_out")
    make_letter(session, people[2], make_campaign(session), text="退订", handled_as="opt_out")
    (made,) = campaigns(session, OPERATOR, Scope(), campaign_id=campaign.id)
    return made


def test_everyone_is_in_one_place(report: CampaignReport) -> None:
    assert report.recipients == 15
    places = (report.delivered, report.failed, report.no_receipt, report.unknown, report.awaited, report.not_sent)
    assert places == (5, 5, 1, 1, 1, 2)
    assert sum(places) == report.recipients
    assert report.skipped == {"opted_out": 1, "landline": 1}


def test_failures_are_grouped_by_reason(report: CampaignReport) -> None:
    assert list(report.failures.items())[:1] == [("There is no such number", 2)]
    assert sum(report.failures.values()) == report.failed


def test_what_left_is_paid(report: CampaignReport) -> None:
    # delivered 4 + 3 parts, failed 3, expired, no receipt, submitted; neither rejected nor unknown
    assert report.parts == 13
    assert report.cost == Decimal("0.65")
    assert report.currency == "CNY"


def test_answers_and_those_who_left_since(report: CampaignReport) -> None:
    assert (report.replies, report.opted_out) == (3, 1)


def test_a_draft_is_not_reported(session: Session) -> None:
    make_campaign(session, started_at=None)
    assert campaigns(session, OPERATOR, Scope()) == []


def test_of_one_part_of_the_tree(session: Session) -> None:
    campaign = make_campaign(session)
    make_message(session, campaign, "delivered", organisation="East City/First Branch")
    make_message(session, campaign, "failed", organisation="East City/Second Branch")
    make_message(session, campaign, "failed", organisation="West City")
    east = make_organisation(session, "East City")
    (found,) = campaigns(session, OPERATOR, Scope(under=east.path))
    assert (found.recipients, found.delivered, found.failed) == (2, 1, 1)


def test_a_member_counts_where_they_were_when_the_audience_was_frozen(session: Session) -> None:
    campaign = make_campaign(session)
    mover = make_message(session, campaign, "delivered", organisation="East City")
    stayed = session.scalars(select(Membership).where(Membership.member_id == mover.id)).one()
    west, moved_on = make_organisation(session, "West City"), NOW.date() + timedelta(days=3)
    stayed.valid_until = moved_on
    session.add(
        Membership(member_id=mover.id, organisation_id=west.id, status="retired", mobile=False, valid_from=moved_on)
    )
    session.flush()
    east = make_organisation(session, "East City")
    assert [one.recipients for one in campaigns(session, OPERATOR, Scope(under=east.path))] == [1]
    assert [one.recipients for one in campaigns(session, OPERATOR, Scope(under=west.path))] == [0]


def test_of_a_span_in_the_papers_own_days(session: Session) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    # 00:30 on 22 November in Shanghai
    late = make_campaign(session, started_at=NOW.replace(hour=16, minute=30))
    early = make_campaign(session, started_at=NOW)

    def of(first: date, last: date) -> list[int]:
        return [one.id for one in campaigns(session, OPERATOR, days(first, last, zone))]

    assert of(date(2026, 11, 22), date(2026, 11, 22)) == [late.id]
    assert of(date(2026, 11, 21), date(2026, 11, 21)) == [early.id]
    assert of(date(2026, 11, 21), date(2026, 11, 22)) == [early.id, late.id]
    assert of(date(2026, 11, 23), date(2026, 11, 30)) == []


def test_one_by_its_number(session: Session) -> None:
    first, _ = make_campaign(session), make_campaign(session)
    assert [one.id for one in campaigns(session, OPERATOR, Scope(), campaign_id=first.id)] == [first.id]


def test_who_may_not_look(session: Session) -> None:
    with pytest.raises(Denied):
        campaigns(session, Actor("nobody", frozenset({Right.EDIT})), Scope())


def test_others_campaigns_are_not_seen(session: Session) -> None:
    make_campaign(session, under="1/")
    below = Actor("branch", frozenset({Right.SEE}), under="1/2/")
    assert campaigns(session, below, Scope(under="1/2/")) == []


def test_as_many_statements_for_many_as_for_one(session: Session) -> None:
    def statements() -> int:
        count = 0

        def heard(*_: object) -> None:
            nonlocal count
            count += 1

        event.listen(session.get_bind(), "before_cursor_execute", heard)
        session.expire_all()
        campaigns(session, OPERATOR, Scope())
        event.remove(session.get_bind(), "before_cursor_execute", heard)
        return count

    for _ in range(2):
        make_message(session, make_campaign(session), "delivered")
    session.flush()
    few = statements()
    for _ in range(10):
        make_message(session, make_campaign(session), "delivered")
    session.flush()
    assert statements() == few
