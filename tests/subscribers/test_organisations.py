"""The tree of organisations: made by paths of names, asked by ranges of paths of ids, moved without circles."""

from __future__ import annotations

import threading
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from subscribers import organisations
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Denied, Invalid, NotFound
from subscribers.models import Organisation
from tests.databases import Transactions
from tests.factories import NOW, make_members


def names(session: Session, actor: Actor = OPERATOR, under: str | None = None) -> list[str]:
    return [node.names for node in organisations.tree(session, actor, under)]


def test_missing_parts_of_a_path_are_made_once(session: Session) -> None:
    given_paths = ["East/First", "East/Second/A", "West", " East / First "]
    ids = organisations.ensure_paths(session, OPERATOR, given_paths, now=NOW)
    assert ids["East/First"] == ids[" East / First "]
    assert organisations.ensure_paths(session, OPERATOR, given_paths, now=NOW) == ids
    assert names(session) == ["East", "East/First", "East/Second", "East/Second/A", "West"]


def test_the_tree_carries_levels_and_chains_of_ids(session: Session) -> None:
    leaf = organisations.ensure_path(session, OPERATOR, "A/B/C", now=NOW)
    top, middle, bottom = organisations.tree(session, OPERATOR)
    assert (top.level, middle.level, bottom.level) == (0, 1, 2)
    assert bottom.id == leaf
    assert bottom.path == f"{top.id}/{middle.id}/{bottom.id}/"
    assert (top.parent_id, middle.parent_id, bottom.parent_id) == (None, top.id, middle.id)


def test_a_thousand_organisations_take_a_handful_of_statements(session: Session) -> None:
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    paths = [f"City {n % 5}/Branch {n % 100}/Sub {n}" for n in range(1000)]
    organisations.ensure_paths(session, OPERATOR, paths, now=NOW)
    assert session.scalar(select(func.count(Organisation.id))) == 1105
    assert len(statements) <= 20


@pytest.mark.parametrize("path", ["", "A//B", "/".join("A" * 31), "A" * 201, " / "])
def test_a_path_that_cannot_be_one_is_refused(session: Session, path: str) -> None:
    with pytest.raises(Invalid):
        organisations.ensure_path(session, OPERATOR, path, now=NOW)


def test_a_person_sees_and_makes_only_their_part(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["East/First", "East/Second", "Eastern"], now=NOW)
    east = organisations.find_by_path(session, OPERATOR, "East")
    clerk = Actor("clerk", frozenset({Right.SEE, Right.REGISTER}), under=east.path)
    assert names(session, clerk) == ["East", "East/First", "East/Second"]
    organisations.ensure_path(session, clerk, "East/Third", now=NOW)
    for outside in ("Eastern/New", "West"):
        with pytest.raises(Denied):
            organisations.ensure_path(session, clerk, outside, now=NOW)
    with pytest.raises(NotFound):
        organisations.find_by_path(session, clerk, "Eastern")
    with pytest.raises(Denied):
        organisations.ensure_path(session, Actor("reader", frozenset({Right.SEE})), "West", now=NOW)


def test_part_of_the_tree_keeps_its_full_names(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/B/C", "A/B/D", "A/E"], now=NOW)
    middle = organisations.find_by_path(session, OPERATOR, "A/B")
    assert names(session, under=middle.path) == ["A/B", "A/B/C", "A/B/D"]


def test_two_at_once_make_an_organisation_once(begin: Transactions) -> None:
    ready = threading.Barrier(2)

    def make() -> None:
        ready.wait()
        with begin() as tx:
            organisations.ensure_path(tx.session, OPERATOR, "City/Branch", now=NOW)

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with begin() as tx:
        assert names(tx.session) == ["City", "City/Branch"]


chains = st.lists(st.integers(1, 10**7), min_size=1, max_size=5).map(lambda ids: "".join(f"{id_}/" for id_ in ids))


@given(chains, chains)
def test_the_range_of_a_subtree_holds_what_begins_with_its_path(path: str, other: str) -> None:
    low, high = organisations.subtree_range(path)
    assert (low <= other < high) == other.startswith(path)
    assert low <= path + other < high


def test_opened_on_is_left_to_those_who_know(session: Session, now: datetime) -> None:
    organisations.ensure_path(session, OPERATOR, "City", now=now)
    assert organisations.find_by_path(session, OPERATOR, "City").opened_on is None


def test_many_paths_are_found_by_one_statement_and_made_by_few(session: Session) -> None:
    paths = [f"City {n % 7}/Branch {n % 100}/Sub {n}" for n in range(4000)]
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    ids = organisations.ensure_paths(session, OPERATOR, paths, now=NOW)
    assert len(statements) <= 20
    statements.clear()
    assert organisations.ensure_paths(session, OPERATOR, paths, now=NOW) == ids
    assert len(statements) == 1
    assert organisations.ensure_paths(session, OPERATOR, paths[::10], now=NOW) == {
        path: ids[path] for path in paths[::10]
    }


def test_what_is_known_locks_nothing(session: Session) -> None:
    organisations.ensure_path(session, OPERATOR, "A/B", now=NOW)
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    organisations.ensure_path(session, OPERATOR, "A/B", now=NOW)
    assert not any("LOCK" in statement for statement in statements)


def test_the_tree_is_shown_as_deep_as_asked(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/B/C/D", "X"], now=NOW)
    middle = organisations.find_by_path(session, OPERATOR, "A/B")
    clerk = Actor("clerk", frozenset({Right.SEE}), under=middle.path)

    def shown(actor: Actor, under: str | None, depth: int) -> list[str]:
        return [node.names for node in organisations.tree(session, actor, under, depth=depth)]

    assert shown(OPERATOR, None, 1) == ["A", "X"]
    assert shown(OPERATOR, None, 2) == ["A", "A/B", "X"]
    assert shown(OPERATOR, middle.path, 1) == ["A/B"]
    assert shown(clerk, None, 2) == ["A/B", "A/B/C"]
    assert shown(clerk, middle.path, 1) == ["A/B"]


def test_members_are_counted_with_all_that_is_under_a_place_by_one_statement(session: Session) -> None:
    make_members(session, 2, organisation="A/B/C")
    make_members(session, 1, organisation="A")
    make_members(session, 4, organisation="X", left_on=date(2026, 1, 1))
    nodes = organisations.tree(session, OPERATOR, depth=2)
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    counts = organisations.count_members(session, OPERATOR, nodes, on=date(2026, 11, 21))
    assert len(statements) == 1
    assert {node.names: counts[node.id] for node in nodes} == {"A": 3, "A/B": 2, "X": 0}
    before = organisations.count_members(session, OPERATOR, nodes, on=date(2025, 12, 31))
    assert {node.names: before[node.id] for node in nodes} == {"A": 3, "A/B": 2, "X": 4}
    clerk = Actor("clerk", frozenset({Right.SEE}), under=nodes[1].path)
    assert sum(organisations.count_members(session, clerk, nodes, on=date(2026, 11, 21)).values()) == 4


def test_a_name_stands_at_the_top_once(session: Session) -> None:
    session.add(Organisation(name="A", level=0, path="1/"))
    session.flush()
    session.add(Organisation(name="A", level=0, path="2/"))
    with pytest.raises(IntegrityError):
        session.flush()
