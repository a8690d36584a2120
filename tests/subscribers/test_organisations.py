"""The tree of organisations: made by paths of names, asked by ranges of paths of ids, moved without circles."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from subscribers import organisations
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.models import Organisation
from tests.databases import Transactions
from tests.factories import NOW, make_organisation


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


def test_adding_takes_a_kind_and_refuses_a_name_twice(session: Session) -> None:
    organisations.add(session, OPERATOR, "City", kind="committee", now=NOW)
    added = organisations.add(session, OPERATOR, "Branch", under="City", kind="branch", now=NOW)
    assert (added.names, added.kind, added.level) == ("City/Branch", "branch", 1)
    for name, under in (("City", ""), ("Branch", "City")):
        with pytest.raises(Conflict):
            organisations.add(session, OPERATOR, name, under=under, now=NOW)


def test_a_subtree_moves_with_all_that_is_under_it(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/B/C/D", "X/Y"], now=NOW)
    assert organisations.move(session, OPERATOR, "A/B", under="X/Y", now=NOW) == 3
    assert names(session) == ["A", "X", "X/Y", "X/Y/B", "X/Y/B/C", "X/Y/B/C/D"]
    deepest = organisations.find_by_path(session, OPERATOR, "X/Y/B/C/D")
    assert (deepest.level, deepest.path.count("/")) == (4, 5)
    assert organisations.move(session, OPERATOR, "X/Y/B", under="", now=NOW) == 3
    assert "B/C/D" in names(session)


@pytest.mark.parametrize("under", ["A", "A/B", "A/B/C"])
def test_nothing_moves_under_itself(session: Session, under: str) -> None:
    organisations.ensure_path(session, OPERATOR, "A/B/C", now=NOW)
    with pytest.raises(Conflict):
        organisations.move(session, OPERATOR, "A", under=under, now=NOW)


def test_moving_onto_a_name_that_is_taken_is_refused(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/Same", "B/Same"], now=NOW)
    with pytest.raises(Conflict):
        organisations.move(session, OPERATOR, "A/Same", under="B", now=NOW)


def test_a_person_moves_nothing_out_of_their_part(session: Session) -> None:
    make_organisation(session, "Other")
    inner = make_organisation(session, "East/First/Sub")
    east = organisations.find_by_path(session, OPERATOR, "East")
    clerk = Actor("clerk", frozenset({Right.SEE, Right.REGISTER}), under=east.path)
    for moved, under, error in (
        ("East/First", "Other", NotFound),
        ("East/First", "", Denied),
        ("East", "East/First", Denied),
    ):
        with pytest.raises(error):
            organisations.move(session, clerk, moved, under=under, now=NOW)
    assert organisations.move(session, clerk, "East/First/Sub", under="East", now=NOW) == 1
    session.refresh(inner)
    assert inner.path == f"{east.path}{inner.id}/"


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
