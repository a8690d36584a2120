"""Letters counted by the campaign they answer."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from broadcaster.reports.replies import RepliesReport, replies
from broadcaster.reports.scope import Scope, days
from subscribers.actor import OPERATOR
from tests.factories import make_member, make_organisation
from tests.reports.ledger import make_campaign, make_letter


def test_by_campaign(session: Session) -> None:
    campaign, member = make_campaign(session), make_member(session)
    for state, handled_as in [
        ("open", "inbox"),
        ("open", "inbox"),
        ("answered", "inbox"),
        ("closed", "inbox"),
        ("handled", "opt_out"),
        ("handled", "come_back"),
    ]:
        make_letter(session, member, campaign, state=state, handled_as=handled_as)
    make_letter(session, member, None)
    found = {report.campaign: report for report in replies(session, OPERATOR, Scope())}
    assert found[campaign.id] == RepliesReport(
        campaign.id, "开会", received=6, opted_out=1, came_back=1, open=2, answered=1, closed=1
    )
    assert found[None].received == 1


def test_of_one_part_of_the_tree_and_a_span(session: Session) -> None:
    campaign = make_campaign(session)
    make_letter(session, make_member(session, organisation="East City"), campaign)
    make_letter(session, make_member(session, organisation="West City"), campaign)
    # who belongs to no campaign's audience is judged by where they are now
    make_letter(session, make_member(session, organisation="East City/First Branch"), None)
    east = make_organisation(session, "East City")
    found = replies(session, OPERATOR, Scope(under=east.path))
    assert sorted(report.received for report in found) == [1, 1]
    zone = ZoneInfo("Asia/Shanghai")
    assert replies(session, OPERATOR, days(date(2026, 11, 22), None, zone)) == []
    assert sum(report.received for report in replies(session, OPERATOR, days(date(2026, 11, 21), None, zone))) == 3
