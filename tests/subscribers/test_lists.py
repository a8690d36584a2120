"""Lists of people: from ids, from books, from files; known where they were saved and below."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from subscribers import audit, lists, segments
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.models import Listed, PeopleList
from subscribers.organisations import find_by_path
from tests.factories import NOW, make_member, make_members, make_organisation

TODAY = date(2026, 11, 21)


def editor(session: Session, path: str) -> Actor:
    under = find_by_path(session, OPERATOR, path).path
    return Actor("editor", frozenset({Right.SEE, Right.EDIT}), under=under)


def on_it(session: Session, name: str, actor: Actor = OPERATOR) -> set[int]:
    rule = f'list("{name}")'
    return set(session.scalars(segments.members_matching(session, rule, on=TODAY, within=actor.under)))


def test_people_come_by_ids_books_and_files(session: Session, tmp_path: Path) -> None:
    first, second, third, fourth = (make_member(session, external_id=f"A-{n}") for n in range(4))
    make_member(session)
    saved = lists.save_list(session, OPERATOR, " 代表 ", ids=[first.id, 999_999], external_ids=["A-1", "B-1"], now=NOW)
    assert (saved.name, saved.members, saved.unknown, saved.rows) == ("代表", 2, 2, ())
    assert on_it(session, "代表") == {first.id, second.id}
    file = tmp_path / "people.csv"
    assert fourth.msisdn is not None
    file.write_text(f"编号或手机,x\nA-2,\n {fourth.msisdn[3:]} ,\nA-9,\n,y\n13800,\n", encoding="utf-8")
    saved = lists.save_list(session, OPERATOR, "代表", file=file, now=NOW)
    assert (saved.members, saved.unknown, saved.rows) == (2, 2, (4, 6))
    assert on_it(session, "代表") == {third.id, fourth.id}
    assert session.scalar(select(func.count(PeopleList.id))) == 1


def test_everybody_behind_a_shared_number_is_on_it(session: Session, tmp_path: Path) -> None:
    first = make_member(session, shared=True)
    second = make_member(session, msisdn=first.msisdn, shared=True, subscribed=None)
    (tmp_path / "p.csv").write_text(f"{first.msisdn}\n", encoding="utf-8")
    assert lists.save_list(session, OPERATOR, "x", file=tmp_path / "p.csv", now=NOW).members == 2
    assert on_it(session, "x") == {first.id, second.id}


def test_thousands_take_few_statements(session: Session) -> None:
    people = make_members(session, 2500)
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    lists.save_list(session, OPERATOR, "x", ids=[person.id for person in people], now=NOW)
    assert len(statements) <= 25
    assert len(on_it(session, "x")) == 2500


def test_an_empty_list_is_refused_and_the_old_one_stays(session: Session) -> None:
    member = make_member(session)
    gone = make_member(session, left_on=date(2026, 1, 1))
    lists.save_list(session, OPERATOR, "x", ids=[member.id], now=NOW)
    for nobody in ({"ids": [gone.id]}, {"external_ids": ["no"]}, {}):
        with pytest.raises(Invalid, match="would be empty"):
            lists.save_list(session, OPERATOR, "x", now=NOW, **nobody)  # type: ignore[arg-type]
    assert on_it(session, "x") == {member.id}
    for name in ("", "#1", 'a"b', "everyone"):
        with pytest.raises(Invalid):
            lists.save_list(session, OPERATOR, name, ids=[member.id], now=NOW)


def test_a_list_belongs_to_its_place(session: Session) -> None:
    east = make_member(session, organisation="East/First", external_id="E")
    west = make_member(session, organisation="West", external_id="W")
    make_organisation(session, "East/Second")
    lists.save_list(session, OPERATOR, "x", ids=[east.id, west.id], now=NOW)
    ours = editor(session, "East")
    # people of elsewhere are nobody
    saved = lists.save_list(session, ours, "y", external_ids=["E", "W"], now=NOW)
    assert (saved.members, saved.unknown, saved.place) == (1, 1, "East")
    assert [(one.name, one.members, one.place) for one in lists.listing(session, ours)] == [
        ("x", 1, ""),
        ("y", 1, "East"),
    ]
    assert [one.name for one in lists.listing(session, editor(session, "East/Second"))] == ["x", "y"]
    assert [one.name for one in lists.listing(session, editor(session, "West"))] == ["x"]
    assert [one.name for one in lists.listing(session, OPERATOR)] == ["x"]
    assert on_it(session, "x", ours) == {east.id}
    with pytest.raises(Invalid, match="no list y"):
        on_it(session, "y", editor(session, "West"))
    with pytest.raises(NotFound):
        lists.remove_list(session, ours, "x", now=NOW)


def test_the_nearest_of_two_lists_is_meant(session: Session) -> None:
    first, second = make_members(session, 2, organisation="East")
    lists.save_list(session, OPERATOR, "x", ids=[first.id], now=NOW)
    ours = editor(session, "East")
    lists.save_list(session, ours, "x", ids=[second.id], now=NOW)
    assert on_it(session, "x", ours) == {second.id}
    assert on_it(session, "x") == {first.id}


def test_a_list_goes_when_nothing_names_it(session: Session) -> None:
    member = make_member(session)
    lists.save_list(session, OPERATOR, "x", ids=[member.id], now=NOW)
    segments.save(session, OPERATOR, "s", "not list(x)", now=NOW)
    with pytest.raises(Conflict, match="named by s"):
        lists.remove_list(session, OPERATOR, "x", now=NOW)
    segments.remove(session, OPERATOR, "s", now=NOW)
    assert lists.remove_list(session, OPERATOR, "x", now=NOW).members == 1
    assert session.scalar(select(func.count()).select_from(Listed)) == 0
    with pytest.raises(NotFound):
        lists.remove_list(session, OPERATOR, "x", now=NOW)
    assert [row.deed for row in audit.read(session, OPERATOR, deed="lists")] == ["lists.remove", "lists.save"]
