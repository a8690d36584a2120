"""The people of a rule for other statements, and a rule that is kept."""

from __future__ import annotations

import pytest
from sqlalchemy import event, insert
from sqlalchemy.orm import Session

from subscribers import lists, segments, tree_changes
from subscribers.actor import OPERATOR
from subscribers.errors import Invalid
from subscribers.models import Member, Segment
from tests.factories import NOW, MadeMember, make_members
from tests.subscribers.segments.asking import TODAY, clerk, matching


def test_an_audience_is_written_by_one_statement(session: Session) -> None:
    made: list[MadeMember] = make_members(session, 5, tags=["x"])
    make_members(session, 5)
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    audience = segments.members_matching(session, "tag = x and age != 3", on=TODAY)
    # as delivery does it, with a table that is at hand
    session.execute(
        insert(Segment).from_select(
            ["name", "rule", "saved_by", "saved_at"],
            audience.with_only_columns(Member.name, Member.name, Member.name, Member.created_at),
        )
    )
    assert len(statements) == 1
    assert {row.name for row in segments.listing(session, OPERATOR)} == {member.name for member in made}


def test_a_kept_rule_stands_by_itself(session: Session) -> None:
    made = make_members(session, 2, organisation="East/First", tags=["x"])
    make_members(session, 3, organisation="West")
    east = clerk(session, "East")
    lists.save_list(session, east, "few", ids=[made[0].id], now=NOW)
    segments.save(session, OPERATOR, "outer", 'tag = "（" or under("West") or not tag = ")"', now=NOW)
    segments.save(session, east, "inner", 'segment("outer") 且 非 名单(few)', now=NOW)
    kept = segments.frozen(session, 'under("First") and inner', within=east.under)
    before = matching(session, "under(East/First) and not id = " + str(made[0].id))
    assert before == {made[1].id}
    segments.remove(session, east, "inner", now=NOW)
    segments.save(session, OPERATOR, "outer", "mobile", now=NOW)
    tree_changes.rename(session, OPERATOR, "East/First", "Other", now=NOW)
    # no name is left in it that could mean something else
    assert matching(session, kept) == before
    assert segments.frozen(session, kept) == kept
    with pytest.raises(Invalid, match="no segment"):
        segments.frozen(session, "inner", within=east.under)
