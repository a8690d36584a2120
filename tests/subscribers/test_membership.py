"""Dated membership: every change closes what was before, and any day can be asked for afterwards."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import membership
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict
from subscribers.models import Membership, Status
from tests.factories import NOW, make_member

TODAY = date(2026, 11, 21)


def rows(session: Session, member_id: int) -> list[tuple[object, ...]]:
    columns = select(Membership.status, Membership.mobile, Membership.valid_from, Membership.valid_until)
    return [
        tuple(row)
        for row in session.execute(columns.where(Membership.member_id == member_id).order_by(Membership.valid_from))
    ]


def test_a_new_standing_closes_the_old_one(session: Session) -> None:
    member = make_member(session, joined_on=date(2020, 1, 1))
    membership.update_status(session, OPERATOR, member.id, status=Status.RETIRED, on=date(2026, 3, 1), now=NOW)
    membership.update_status(session, OPERATOR, member.id, mobile=True, on=date(2026, 5, 1), now=NOW)
    membership.update_status(session, OPERATOR, member.id, mobile=True, on=date(2026, 6, 1), now=NOW)
    assert rows(session, member.id) == [
        ("in_service", False, date(2020, 1, 1), date(2026, 3, 1)),
        ("retired", False, date(2026, 3, 1), date(2026, 5, 1)),
        ("retired", True, date(2026, 5, 1), None),
    ]


def test_a_second_change_on_one_day_corrects_the_first(session: Session) -> None:
    member = make_member(session, joined_on=date(2020, 1, 1))
    for status in (Status.RETIRED, Status.APPLICANT):
        membership.update_status(session, OPERATOR, member.id, status=status, on=date(2026, 3, 1), now=NOW)
    assert [row[0] for row in rows(session, member.id)] == ["in_service", "applicant"]


def test_a_change_before_the_last_one_is_refused(session: Session) -> None:
    member = make_member(session, joined_on=date(2020, 1, 1))
    with pytest.raises(Conflict):
        membership.update_status(session, OPERATOR, member.id, mobile=True, on=date(2019, 12, 31), now=NOW)
    gone = make_member(session, left_on=date(2021, 1, 1))
    with pytest.raises(Conflict, match="left on 2021-01-01"):
        membership.update_status(session, OPERATOR, gone.id, mobile=True, on=TODAY, now=NOW)
