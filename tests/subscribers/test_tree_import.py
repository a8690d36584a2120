"""Organisations from a file: where each row belongs, what is refused and why, and the way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from subscribers import importing, organisations, tree_changes
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.models import ImportRun, Organisation, Segment
from subscribers.sheets import Limits
from subscribers.tree_import import TreeImport, import_organisations, undo_organisations
from tests.factories import NOW, make_members, make_organisation


def names(session: Session) -> list[str]:
    return [node.names for node in organisations.tree(session, OPERATOR)]


def take_in(session: Session, folder: Path, text: str, *, actor: Actor = OPERATOR, dry_run: bool = False) -> TreeImport:
    file = folder / "tree.csv"
    file.write_text(text, encoding="utf-8")
    return import_organisations(session, actor, file, now=NOW, dry_run=dry_run)


def refusals(result: TreeImport) -> dict[int, str]:
    return {one.row: one.message.format(**one.fields) for one in result.refused}


def test_paths_make_what_is_above_them(session: Session, tmp_path: Path) -> None:
    result = take_in(
        session, tmp_path, "组织,类别,成立日期\n东城/一支部,支部,1999-05-04\n东城,委员会,\n西城/二支部/小组,,\n"
    )
    assert (result.rows, result.created, result.above, result.refused) == (3, 3, 2, ())
    assert names(session) == ["东城", "东城/一支部", "西城", "西城/二支部", "西城/二支部/小组"]
    branch = organisations.find_by_path(session, OPERATOR, "东城/一支部")
    assert (branch.kind, branch.opened_on, branch.level) == ("支部", date(1999, 5, 4), 1)
    assert organisations.find_by_path(session, OPERATOR, "东城").kind == "委员会"


def test_names_hang_from_names_in_any_order(session: Session, tmp_path: Path) -> None:
    make_organisation(session, "省/市")
    text = "Name,Parent,Kind\n组,支部,\n支部,区,branch\n区,市,\n又一组,省/市/区/支部,\n另一省,,\n"
    result = take_in(session, tmp_path, text)
    assert (result.created, result.refused) == (5, ())
    expected = ["省", "省/市", "另一省", "省/市/区", "省/市/区/支部", "省/市/区/支部/组", "省/市/区/支部/又一组"]
    assert sorted(names(session)) == sorted(expected)


def test_known_rows_change_what_they_say_and_nothing_else(session: Session, tmp_path: Path) -> None:
    make_organisation(session, "A/B", opened_on=date(2001, 1, 1))
    assert take_in(session, tmp_path, "path,kind,opened on\nA/B,branch,\nA,,\n").updated == 1
    node = organisations.find_by_path(session, OPERATOR, "A/B")
    assert (node.kind, node.opened_on) == ("branch", date(2001, 1, 1))
    again = take_in(session, tmp_path, "path,kind,opened on\nA/B,branch,2001-01-01\nA,,2002-02-02\n")
    assert (again.updated, again.unchanged, again.created) == (1, 1, 0)


def test_rows_with_faults_are_refused_with_the_reason(session: Session, tmp_path: Path) -> None:
    make_organisation(session, "X/Same")
    make_organisation(session, "Y/Same")
    tree_changes.close(session, OPERATOR, "X/Same", on=date(2026, 1, 1), now=NOW)
    text = (
        "name,parent,kind,opened_on,path\n"
        "A,B,,,\n"  # 2: a circle of three
        "B,C,,,\n"
        "C,A,,,\n"
        "D,A,,,\n"  # 5: below it
        "E,E,,,\n"  # 6: a circle of one
        "F,Same,,,\n"  # 7: which
        "G,Nowhere,,,\n"  # 8
        "H,No/Where,,,\n"  # 9
        "I,H,,,\n"  # 10
        ",,,,\n"
        ",X,,,\n"  # 12: no name
        "J,,,,\n"
        "J,,,,\n"  # 14: twice
        ",,,,X/Same/New\n"  # 15: closed
        "K,J,,5/6/2020,\n"  # 16: no day
        "x/y,J,,,\n"  # 17: a slash
        f"L,J,{'k' * 41},,\n"  # 18
        ",,,,//\n"  # 19
        "M,J,ok,2020-06-05,\n"
    )
    result = take_in(session, tmp_path, text)
    told = refusals(result)
    assert [row for row, reason in told.items() if "circle" in reason] == [2, 3, 4, 6]
    assert told[5] == "What is above it, in row 2, is refused."
    assert told[7] == "Same is the name of 2 organisations."
    assert told[8] == "There is no organisation Nowhere, here or in the file."
    assert told[9] == "There is no organisation No/Where, here or in the file."
    assert told[10] == "What is above it, in row 9, is refused."
    assert told[14] == "The organisation J is in row 13 already."
    assert told[15] == "X/Same is closed."
    assert told.keys() == {2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 17, 18, 19}
    assert all(one.hint.format(**one.fields) for one in result.refused)
    assert names(session)[-2:] == ["J", "J/M"]
    assert (result.rows, result.created) == (18, 2)


def test_a_dry_run_writes_nothing(session: Session, tmp_path: Path) -> None:
    text = "path\nA/B\nA/C\n"
    said = take_in(session, tmp_path, text, dry_run=True)
    assert (said.created, said.above, said.import_id) == (2, 1, None)
    assert names(session) == []
    assert session.scalar(select(func.count(ImportRun.id))) == 0
    assert take_in(session, tmp_path, text).created == 2


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", 'path\n"A\nB\n', "kind,parent\nx,y\n"])
def test_a_file_that_is_no_list_is_refused_whole(session: Session, tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid):
        take_in(session, tmp_path, text)


def test_a_file_has_an_end(session: Session, tmp_path: Path) -> None:
    (tmp_path / "tree.csv").write_text("path\n" + "A\n" * 11, encoding="utf-8")
    with pytest.raises(Invalid, match="more than 10 rows"):
        import_organisations(session, OPERATOR, tmp_path / "tree.csv", now=NOW, limits=Limits(rows=10))


def test_thousands_of_rows_take_few_statements(session: Session, tmp_path: Path) -> None:
    rows = "".join(f"City {n % 7}/Branch {n % 100}/Sub {n},sub\n" for n in range(5000))
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    result = take_in(session, tmp_path, f"path,kind\n{rows}")
    assert (result.created, result.above) == (5000, 707)
    assert len(statements) <= 40
    statements.clear()
    assert take_in(session, tmp_path, f"path,kind\n{rows}").unchanged == 5000
    assert len(statements) <= 10


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_pages_are_planned_for_a_tree_that_has_just_come(session: Session, tmp_path: Path) -> None:
    # what an earlier test made the server believe outlives its transaction
    session.execute(text("ANALYZE organisation"))
    take_in(session, tmp_path, "path\n" + "".join(f"County/Village {n}\n" for n in range(200)))
    believed = session.scalar(text("SELECT reltuples FROM pg_class WHERE relname = 'organisation'"))
    assert believed == 201, "with the one above them"


def test_a_long_chain_upside_down_is_no_matter(session: Session, tmp_path: Path) -> None:
    chain = "".join(f"n{n},n{n + 1}\n" for n in range(3000))
    result = take_in(session, tmp_path, f"name,parent\n{chain}n3000,\n")
    # thirty levels are there at most
    assert result.created == 30
    assert len(result.refused) == 2971


def test_a_person_takes_in_only_what_is_theirs(session: Session, tmp_path: Path) -> None:
    make_organisation(session, "East")
    make_organisation(session, "West/Twin")
    under = organisations.find_by_path(session, OPERATOR, "East").path
    clerk = Actor("clerk", frozenset({Right.SEE, Right.REGISTER}), under=under)
    text = "path,name,parent\nEast/A,,\nWest/B,,\n,C,East\n,D,West\n,E,Twin\n,F,\n"
    result = take_in(session, tmp_path, text, actor=clerk)
    assert names(session) == ["East", "East/A", "East/C", "West", "West/Twin"]
    told = refusals(result)
    assert told[3] == "West/B lies outside of East."
    # what lies outside is not there
    assert told[5] == "There is no organisation West, here or in the file."
    assert told[6] == "There is no organisation Twin, here or in the file."
    assert told[7] == "F lies outside of East."
    with pytest.raises(NotFound):
        undo_organisations(session, Actor("other", clerk.rights, under=under), result.import_id or 0, now=NOW)


def test_an_import_is_taken_back_while_nobody_is_there(session: Session, tmp_path: Path) -> None:
    make_organisation(session, "A")
    result = take_in(session, tmp_path, "path\nA/B/C\nD\n")
    assert result.import_id is not None
    before = names(session)
    with session.begin_nested() as savepoint:
        make_members(session, 1, organisation="A/B/C", left_on=date(2021, 1, 1))
        with pytest.raises(Conflict, match="cannot be undone"):
            undo_organisations(session, OPERATOR, result.import_id, now=NOW)
        savepoint.rollback()
    with session.begin_nested() as savepoint:
        organisations.ensure_path(session, OPERATOR, "D/E", now=NOW)
        with pytest.raises(Conflict, match="cannot be undone"):
            undo_organisations(session, OPERATOR, result.import_id, now=NOW)
        savepoint.rollback()
    with session.begin_nested() as savepoint:
        place = session.scalars(select(Organisation.id).where(Organisation.name == "D")).one()
        session.add(Segment(name="x", rule="everyone", saved_by="x", saved_at=NOW, organisation_id=place))
        session.flush()
        with pytest.raises(Conflict, match="cannot be undone"):
            undo_organisations(session, OPERATOR, result.import_id, now=NOW)
        savepoint.rollback()
    with pytest.raises(NotFound):
        importing.undo(session, OPERATOR, result.import_id, now=NOW)
    assert names(session) == before
    assert undo_organisations(session, OPERATOR, result.import_id, now=NOW).removed == 3
    assert names(session) == ["A"]
    with pytest.raises(Conflict, match="undone already"):
        undo_organisations(session, OPERATOR, result.import_id, now=NOW)


def test_only_imports_of_organisations_are_taken_back_here(session: Session) -> None:
    counts = {"created": 0, "updated": 0, "unchanged": 0, "refused": 0}
    run = ImportRun(kind="members", file_name="x", actor="operator", at=NOW, **counts)
    session.add(run)
    session.flush()
    for number in (run.id, 99):
        with pytest.raises(NotFound):
            undo_organisations(session, OPERATOR, number, now=NOW)


def test_whoever_was_moved_elsewhere_takes_back_nothing(session: Session, tmp_path: Path) -> None:
    east, west = make_organisation(session, "East"), make_organisation(session, "West")
    clerk = Actor("clerk", frozenset({Right.SEE, Right.REGISTER}), under=east.path)
    import_id = take_in(session, tmp_path, "path\nEast/A/B\nEast/C\n", actor=clerk).import_id or 0
    before = names(session)
    for actor in (replace(clerk, under=west.path), replace(clerk, name="colleague")):
        with pytest.raises(NotFound, match="no import"):
            undo_organisations(session, actor, import_id, now=NOW)
    # one of what it made went elsewhere since: it is no longer all theirs
    with session.begin_nested() as savepoint:
        tree_changes.move(session, OPERATOR, "East/C", under="West", now=NOW)
        with pytest.raises(NotFound, match="no import"):
            undo_organisations(session, clerk, import_id, now=NOW)
        savepoint.rollback()
    inner = replace(clerk, under=organisations.find_by_path(session, OPERATOR, "East/A").path)
    with pytest.raises(NotFound, match="no import"):
        undo_organisations(session, inner, import_id, now=NOW)
    assert names(session) == before
    tree_changes.move(session, OPERATOR, "East", under="West", now=NOW)
    moved = replace(clerk, under=organisations.find_by_path(session, OPERATOR, "West/East").path)
    assert undo_organisations(session, moved, import_id, now=NOW).removed == 3
    assert names(session) == ["West", "West/East"]
