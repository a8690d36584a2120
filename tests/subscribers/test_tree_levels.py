"""One level of the tree at a time: in pages, by an index, and nobody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from subscribers import organisations, tree_levels
from subscribers.actor import OPERATOR, Actor, Right
from tests.factories import NOW


def names(session: Session, actor: Actor, under: str = "", **page: int) -> list[str]:
    return [node.names for node in tree_levels.below(session, actor, under, **({"limit": 9} | page))]


def test_one_level_in_pages(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/B/C/D", "X", "A/E", "A/F"], now=NOW)
    a = organisations.find_by_path(session, OPERATOR, "A")
    b = organisations.find_by_path(session, OPERATOR, "A/B")
    assert names(session, OPERATOR) == ["A", "X"]
    assert names(session, OPERATOR, a.path) == ["A/B", "A/E", "A/F"]
    assert names(session, OPERATOR, a.path, limit=2) == ["A/B", "A/E"]
    assert names(session, OPERATOR, a.path, after=organisations.find_by_path(session, OPERATOR, "A/E").id) == ["A/F"]
    assert tree_levels.below(session, OPERATOR, a.path, limit=1)[0] == b
    clerk = Actor("clerk", frozenset({Right.SEE}), under=b.path)
    assert names(session, clerk) == names(session, clerk, a.path) == ["A/B/C"]
    assert names(session, clerk, organisations.find_by_path(session, OPERATOR, "X").path) == []
    assert tree_levels.size(session, OPERATOR, a.path) == 6
    assert tree_levels.size(session, clerk, a.path) == 3


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_page_is_read_by_an_index_however_many_there_are(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/B", "X"], now=NOW)
    asked: list[tuple[str, object]] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    names(session, OPERATOR)
    names(session, OPERATOR, organisations.find_by_path(session, OPERATOR, "A").path)
    for statement, values in [each for each in asked if "LIMIT" in each[0]]:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        told = " ".join(str(row) for row in plan)
        assert "ix_organisation_parent" in told
        assert "TEMP B-TREE" not in told
    assert session.execute(text("select 1")).scalar() == 1
