"""Changes of the tree: add, rename, move, close and open again, in one's own part, without circles, nothing lost."""

from __future__ import annotations

import threading
from datetime import date

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from subscribers import audit, members, organisations, tree_changes
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.members import NewMember
from subscribers.models import Membership
from tests.databases import Transactions
from tests.factories import NOW, make_member, make_members, make_organisation

ON = date(2026, 11, 21)


def names(session: Session) -> list[str]:
    return [node.names for node in organisations.tree(session, OPERATOR)]


def clerk_of(session: Session, path: str) -> Actor:
    place = organisations.find_by_path(session, OPERATOR, path)
    return Actor("clerk", frozenset({Right.SEE, Right.REGISTER}), under=place.path)


def test_adding_takes_a_kind_and_refuses_a_name_twice(session: Session) -> None:
    tree_changes.add(session, OPERATOR, "City", kind="committee", now=NOW)
    added = tree_changes.add(session, OPERATOR, "Branch", under="City", kind="branch", now=NOW)
    assert (added.names, added.kind, added.level) == ("City/Branch", "branch", 1)
    for name, under in (("City", ""), ("Branch", "City")):
        with pytest.raises(Conflict):
            tree_changes.add(session, OPERATOR, name, under=under, now=NOW)


def test_a_subtree_moves_with_all_that_is_under_it(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/B/C/D", "X/Y"], now=NOW)
    assert tree_changes.move(session, OPERATOR, "A/B", under="X/Y", now=NOW) == 3
    assert names(session) == ["A", "X", "X/Y", "X/Y/B", "X/Y/B/C", "X/Y/B/C/D"]
    deepest = organisations.find_by_path(session, OPERATOR, "X/Y/B/C/D")
    assert (deepest.level, deepest.path.count("/")) == (4, 5)
    assert tree_changes.move(session, OPERATOR, "X/Y/B", under="", now=NOW) == 3
    assert "B/C/D" in names(session)


@pytest.mark.parametrize("under", ["A", "A/B", "A/B/C"])
def test_nothing_moves_under_itself(session: Session, under: str) -> None:
    organisations.ensure_path(session, OPERATOR, "A/B/C", now=NOW)
    with pytest.raises(Conflict):
        tree_changes.move(session, OPERATOR, "A", under=under, now=NOW)


def test_moving_onto_a_name_that_is_taken_is_refused(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/Same", "B/Same"], now=NOW)
    with pytest.raises(Conflict):
        tree_changes.move(session, OPERATOR, "A/Same", under="B", now=NOW)


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
            tree_changes.move(session, clerk, moved, under=under, now=NOW)
    assert tree_changes.move(session, clerk, "East/First/Sub", under="East", now=NOW) == 1
    session.refresh(inner)
    assert inner.path == f"{east.path}{inner.id}/"


def test_a_move_takes_few_statements_and_leaves_members_alone(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, [f"A/B/{n}" for n in range(500)] + ["X"], now=NOW)
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert tree_changes.move(session, OPERATOR, "A/B", under="X", now=NOW) == 501
    assert len(statements) <= 12
    assert not any("member" in statement for statement in statements)
    assert organisations.find_by_path(session, OPERATOR, "X/B/499").level == 2


def test_nothing_moves_too_deep_or_into_what_is_closed(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["/".join(["A"] * 16), "/".join(["B"] * 16), "C"], now=NOW)
    with pytest.raises(Conflict, match="too deep"):
        tree_changes.move(session, OPERATOR, "A", under="/".join(["B"] * 16), now=NOW)
    tree_changes.close(session, OPERATOR, "C", on=ON, now=NOW)
    with pytest.raises(Conflict, match="closed"):
        tree_changes.move(session, OPERATOR, "A", under="C", now=NOW)


def test_a_name_changes_in_its_place(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/B/C", "A/D"], now=NOW)
    renamed = tree_changes.rename(session, OPERATOR, "A/B", " E ", now=NOW)
    assert renamed.names == "A/E"
    assert names(session) == ["A", "A/E", "A/E/C", "A/D"]
    assert tree_changes.rename(session, OPERATOR, "A/E", "E", now=NOW) == renamed
    with pytest.raises(Conflict):
        tree_changes.rename(session, OPERATOR, "A/E", "D", now=NOW)
    for wrong in ("", "x/y", "x／y", "a\0b", "A" * 201):
        with pytest.raises(Invalid):
            tree_changes.rename(session, OPERATOR, "A/E", wrong, now=NOW)


def test_a_kind_is_said(session: Session) -> None:
    make_organisation(session, "A")
    assert tree_changes.set_kind(session, OPERATOR, "A", "branch", now=NOW).kind == "branch"
    with pytest.raises(Invalid):
        tree_changes.set_kind(session, OPERATOR, "A", "x" * 41, now=NOW)


def test_nobody_is_put_into_what_is_closed(session: Session) -> None:
    node = make_organisation(session, "A/B")
    make_members(session, 2, organisation=node, left_on=date(2026, 1, 1))
    closed = tree_changes.close(session, OPERATOR, "A/B", on=ON, now=NOW)
    assert (closed.organisation.closed_on, closed.members, closed.organisations) == (ON, 0, 0)
    organisations.refuse_closed(session, [node.id], on=date(2026, 11, 20))
    with pytest.raises(Conflict, match="A/B is closed from 2026-11-21 on"):
        organisations.refuse_closed(session, [node.id], on=ON)
    with pytest.raises(Conflict, match="taken away"):
        organisations.refuse_closed(session, [node.id + 1], on=ON)
    for new in ("A/B/C", "A/B/C/D"):
        with pytest.raises(Conflict, match="closed"):
            organisations.ensure_path(session, OPERATOR, new, now=NOW)
    with pytest.raises(Conflict, match="closed"):
        tree_changes.add(session, OPERATOR, "C", under="A/B", now=NOW)
    with pytest.raises(Conflict, match="closed"):
        tree_changes.close(session, OPERATOR, "A/B", on=ON, now=NOW)
    assert tree_changes.reopen(session, OPERATOR, "A/B", now=NOW).closed_on is None
    with pytest.raises(Conflict, match="is open"):
        tree_changes.reopen(session, OPERATOR, "A/B", now=NOW)
    organisations.ensure_path(session, OPERATOR, "A/B/C", now=NOW)


def test_what_is_being_filled_is_not_closed_empty(begin: Transactions) -> None:
    with begin() as tx:
        make_organisation(tx.session, "A")
    told: list[str] = []

    def close() -> None:
        with pytest.raises(Conflict) as refused, begin() as tx:
            tree_changes.close(tx.session, OPERATOR, "A", on=ON, now=NOW)
        told.append(str(refused.value))

    closing = threading.Thread(target=close)
    with begin() as tx:
        new = NewMember(name="reader", organisation="A")
        members.register(tx.session, OPERATOR, new, key=b"", on=ON, now=NOW)
        closing.start()
        # long enough for whoever does not wait
        closing.join(0.3)
    closing.join()
    assert "1 members" in told[0]


def test_what_is_full_closes_only_into_another(session: Session) -> None:
    make_members(session, 3, organisation="A/B")
    organisations.ensure_paths(session, OPERATOR, ["A/B/C/D", "E/F"], now=NOW)
    with pytest.raises(Conflict, match="3 members and 1 organisations"):
        tree_changes.close(session, OPERATOR, "A/B", on=ON, now=NOW)
    for into in ("A/B", "A/B/C"):
        with pytest.raises(Conflict, match="part of it"):
            tree_changes.close(session, OPERATOR, "A/B", on=ON, into=into, now=NOW)
    closed = tree_changes.close(session, OPERATOR, "A/B", on=ON, into="E/F", now=NOW)
    assert (closed.members, closed.organisations) == (3, 2)
    assert names(session) == ["A", "A/B", "E", "E/F", "E/F/C", "E/F/C/D"]
    deepest = organisations.find_by_path(session, OPERATOR, "E/F/C/D")
    assert (deepest.level, deepest.path.count("/")) == (3, 4)
    moved = organisations.find_by_path(session, OPERATOR, "E/F/C")
    assert moved.parent_id == organisations.find_by_path(session, OPERATOR, "E/F").id
    with pytest.raises(Conflict, match="closed"):
        tree_changes.move(session, OPERATOR, "E/F/C", under="A/B", now=NOW)


def test_members_of_a_closed_place_keep_their_history(session: Session) -> None:
    old = make_member(session, organisation="A", status="retired", mobile=True)
    gone = make_member(session, organisation="A", left_on=date(2026, 1, 1))
    today = make_member(session, organisation="A", joined_on=ON)
    leaving = make_member(session, organisation="A", left_on=date(2027, 1, 1))
    heir = make_organisation(session, "B")
    assert tree_changes.close(session, OPERATOR, "A", on=ON, into="B", now=NOW).members == 3
    query = select(Membership).order_by(Membership.valid_from).execution_options(populate_existing=True)

    def history(member_id: int) -> list[tuple[bool, str, bool, date, date | None]]:
        rows = session.scalars(query.where(Membership.member_id == member_id))
        return [(r.organisation_id == heir.id, r.status, r.mobile, r.valid_from, r.valid_until) for r in rows]

    start = date(2020, 1, 1)
    assert history(old.id) == [(False, "retired", True, start, ON), (True, "retired", True, ON, None)]
    assert history(gone.id) == [(False, "in_service", False, start, date(2026, 1, 1))]
    assert history(today.id) == [(True, "in_service", False, ON, None)]
    assert history(leaving.id) == [
        (False, "in_service", False, start, ON),
        (True, "in_service", False, ON, date(2027, 1, 1)),
    ]


def test_what_is_under_a_closed_place_keeps_its_names_apart(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["A/Same", "B/Same"], now=NOW)
    with pytest.raises(Conflict, match="B/Same already"):
        tree_changes.close(session, OPERATOR, "A", on=ON, into="B", now=NOW)


def test_a_place_closes_after_it_opened_and_opens_under_what_is_open(session: Session) -> None:
    make_organisation(session, "A", opened_on=ON)
    with pytest.raises(Invalid, match="only opened on"):
        tree_changes.close(session, OPERATOR, "A", on=date(2026, 11, 20), now=NOW)
    organisations.ensure_path(session, OPERATOR, "A/B", now=NOW)
    tree_changes.close(session, OPERATOR, "A/B", on=ON, now=NOW)
    tree_changes.close(session, OPERATOR, "A", on=ON, now=NOW)
    with pytest.raises(Conflict, match="A is closed"):
        tree_changes.reopen(session, OPERATOR, "A/B", now=NOW)


def test_a_person_changes_only_what_is_theirs(session: Session) -> None:
    organisations.ensure_paths(session, OPERATOR, ["East/First", "West"], now=NOW)
    clerk = clerk_of(session, "East")
    for outside in ("West", "North"):
        with pytest.raises(NotFound, match=f"no organisation {outside}"):
            tree_changes.rename(session, clerk, outside, "x", now=NOW)
        with pytest.raises(NotFound, match=f"no organisation {outside}"):
            tree_changes.close(session, clerk, outside, on=ON, now=NOW)
        with pytest.raises(NotFound, match=f"no organisation {outside}"):
            tree_changes.close(session, clerk, "East/First", on=ON, into=outside, now=NOW)
        with pytest.raises(NotFound, match=f"no organisation {outside}"):
            tree_changes.add(session, clerk, "x", under=outside, now=NOW)
    with pytest.raises(Denied):
        tree_changes.add(session, clerk, "x", now=NOW)
    with pytest.raises(Denied):
        tree_changes.rename(session, clerk, "East", "x", now=NOW)
    with pytest.raises(Denied):
        tree_changes.close(session, clerk, "East", on=ON, now=NOW)
    assert tree_changes.rename(session, clerk, "East/First", "Second", now=NOW).names == "East/Second"


def test_changes_are_written_down(session: Session) -> None:
    tree_changes.add(session, OPERATOR, "A", now=NOW)
    tree_changes.add(session, OPERATOR, "B", now=NOW)
    tree_changes.rename(session, OPERATOR, "A", "C", now=NOW)
    tree_changes.move(session, OPERATOR, "C", under="B", now=NOW)
    tree_changes.close(session, OPERATOR, "B/C", on=ON, now=NOW)
    deeds = [row.deed.partition(".")[2] for row in audit.read(session, OPERATOR, deed="organisations")]
    assert deeds == ["close", "move", "rename", "add", "add"]
