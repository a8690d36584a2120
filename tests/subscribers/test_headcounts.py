"""Members of organisations, exactly where that is quick, and about so many elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from subscribers import headcounts as told
from subscribers import organisations, tree_changes
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.drawn import draw, span
from subscribers.headcounts import Headcount, Places, headcounts
from tests.factories import NOW, make_member, make_members

TODAY = date(2026, 11, 21)


def counted(session: Session, actor: Actor = OPERATOR, *, exactly: bool = False) -> dict[str, Headcount]:
    nodes = organisations.tree(session, OPERATOR, depth=1)
    found = headcounts(session, actor, nodes, on=TODAY, exactly=exactly)
    return {node.names: found[node.id] for node in nodes}


def test_a_small_registry_is_counted(session: Session) -> None:
    make_members(session, 2, organisation="A/B/C")
    make_members(session, 1, organisation="A")
    make_members(session, 4, organisation="X", left_on=date(2026, 1, 1))
    assert counted(session) == {"A": Headcount(3, True), "X": Headcount(0, True)}
    clerk = Actor("clerk", frozenset({Right.SEE}), under=organisations.find_by_path(session, OPERATOR, "A/B").path)
    assert counted(session, clerk) == {"A": Headcount(2, True), "X": Headcount(0, True)}


def test_of_a_large_one_the_large_places_are_told_from_some(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "COUNTED", 100)
    monkeypatch.setattr(told, "SMALL", 10)
    monkeypatch.setattr(told, "DRAWN", 200)
    make_members(session, 300, organisation="A/B")
    # more than are counted at once, and too few to be told from those drawn
    make_members(session, 20, organisation="C")
    make_members(session, 5, organisation="D")
    found = counted(session)
    assert found["C"] == Headcount(20, True)
    assert found["D"] == Headcount(5, True)
    assert not found["A"].is_exact
    assert found["A"].members == pytest.approx(300, rel=0.1)
    assert found == counted(session)
    assert counted(session, exactly=True)["A"] == Headcount(300, True)


def test_where_those_drawn_are_can_be_kept_until_somebody_new_is_somewhere(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "COUNTED", 100)
    monkeypatch.setattr(told, "SMALL", 10)
    monkeypatch.setattr(told, "DRAWN", 200)
    make_members(session, 300, organisation="A/B")
    make_members(session, 200, organisation="C")
    kept: dict[tuple[str, ...], Places] = {}
    looked: list[int] = []

    def keep(key: tuple[str, ...], find: Callable[[], Places]) -> Places:
        if key not in kept:
            kept[key] = find()
            looked.append(len(kept))
        return kept[key]

    def about() -> dict[str, int]:
        nodes = organisations.tree(session, OPERATOR, depth=1)
        found = headcounts(session, OPERATOR, nodes, on=TODAY, keep=keep)
        return {node.names: found[node.id].members for node in nodes}

    assert about() == {each: found.members for each, found in counted(session).items()}
    # they stay with the organisation that they are in, wherever it goes
    tree_changes.move(session, OPERATOR, "A/B", under="C", now=NOW)
    assert about() == {"A": 0, "C": pytest.approx(500, rel=0.05)}
    assert looked == [1]
    make_member(session, organisation="C")
    about()
    assert looked == [1, 2]


def test_members_are_drawn_evenly_and_the_same_each_time(session: Session) -> None:
    assert span(session) == 0
    first = make_members(session, 100)[0].id
    make_member(session)
    drawn = draw(session, 10)
    assert len(drawn.ids) == 10
    assert [(id_ - first) // drawn.step for id_ in drawn.ids] == list(range(10))
    assert drawn == draw(session, 10)


def test_of_many_large_places_only_the_first_is_counted(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "COUNTED", 100)
    monkeypatch.setattr(told, "SMALL", 10)
    monkeypatch.setattr(told, "DRAWN", 300)
    # two in three of them are drawn
    for place, members in (("A", 150), ("B", 150), ("C", 12), ("D", 150)):
        make_members(session, members, organisation=place)
    asked: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: asked.append(given[2]))
    found = counted(session)
    assert {place: each.is_exact for place, each in found.items()} == {"A": False, "B": False, "C": True, "D": False}
    assert found["C"].members == 12
    # A, and twice C: up to so many, and all
    assert sum(statement.startswith("SELECT count") for statement in asked) == 3
