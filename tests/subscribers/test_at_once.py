"""Many rows in one row of the database."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers.db import at_once
from subscribers.models import Member
from tests.factories import make_members


def test_the_same_as_row_by_row(session: Session) -> None:
    nobody = select(Member.id, Member.external_id).where(Member.id < 0)
    assert at_once(session, nobody) == []
    made = make_members(session, 2_000)
    query = select(Member.id, Member.name).where(Member.id > made[9].id)
    each = [(str(id_), name) for id_, name in session.execute(query)]
    assert sorted(at_once(session, query)) == sorted(each)
    assert len(at_once(session, query.limit(3))) == 3
