"""An import taken back: what it made is gone, what it changed is as before, what happened since is left alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, select, text, update
from sqlalchemy.orm import Session

from subscribers import consent, finding, importing, lists, members, membership, tree_changes
from subscribers.actor import OPERATOR, SYSTEM, Actor, Right
from subscribers.db import Base
from subscribers.errors import Conflict, NotFound
from subscribers.importing import Undone
from subscribers.models import (
    Consent,
    ImportChange,
    Listed,
    Member,
    Membership,
    Number,
    Organisation,
    Status,
    Subscription,
)
from subscribers.organisations import find_by_path
from tests.databases import Transactions
from tests.factories import NOW, make_member, make_organisation

TODAY = date(2026, 11, 21)
HEAD = "name,msisdn,organisation,status,joined_on,subscribed,tags,external_id,车间\n"


def load(session: Session, folder: Path, rows: str, **given: Any) -> int:
    path = folder / "list.csv"
    path.write_text(
        f"name,msisdn,organisation,status,joined_on,subscribed,tags,external_id,车间\n{rows}", encoding="utf-8"
    )
    result = importing.import_members(session, OPERATOR, path, now=NOW, on=TODAY, **given)
    assert not result.refused
    assert result.import_id
    return result.import_id


def state(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """Everything about members, but for organisations, which stay; of a wish, the evidence and not its id."""
    session.expire_all()
    tables: list[Table] = [Base.metadata.tables[name] for name in ("member", "number", "membership")]
    wishes = (
        select(Subscription.msisdn, Subscription.wish, Subscription.since, Consent.source, Consent.wording)
        .join(Consent, Consent.id == Subscription.consent_id)
        .order_by(Subscription.msisdn)
    )
    return {
        table.name: [tuple(row) for row in session.execute(select(*table.c).order_by(*table.primary_key.columns))]
        for table in tables
    } | {"wishes": [tuple(row) for row in session.execute(wishes)]}


def test_everything_is_as_before(session: Session, tmp_path: Path) -> None:
    make_member(session, name="甲", msisdn="+8619900000001", tags=["x"], fields={"车间": "一"}, external_id="E1")
    make_member(session, name="乙", msisdn="+8619900000002", subscribed=False, organisation="West", status="retired")
    make_member(session, name="丙", msisdn="+8619900000003", subscribed=None)
    make_member(session, name="丁", msisdn="+8619900000004", left_on=date(2025, 1, 1))
    before = state(session)
    import_id = load(
        session,
        tmp_path,
        "甲新,19900000009,North/New,retired mobile,2001-01-01,yes,y,E1,二\n"
        "乙,19900000002,,,,yes,,,\n"
        "丙,19900000003,,applicant,,yes,z,,\n"
        "丁,19900000004,,,,,,,\n"
        "新,19900000005,East,,,yes,,,\n"
        "新二,19900000003,East,,,no,,,\n",
        shared=True,
    )
    assert state(session) != before
    assert importing.undo(session, OPERATOR, import_id, now=NOW) == Undone(restored=6, kept=0, removed=2, places=3)
    assert state(session) == before


def test_it_is_undone_once(session: Session, tmp_path: Path) -> None:
    import_id = load(session, tmp_path, "新,19900000005,East,,,,,,\n")
    importing.undo(session, OPERATOR, import_id, now=NOW)
    with pytest.raises(Conflict, match="already"):
        importing.undo(session, OPERATOR, import_id, now=NOW)
    with pytest.raises(NotFound):
        importing.undo(session, OPERATOR, 999, now=NOW)
    other = load(session, tmp_path, "新,19900000005,East,,,,,,\n")
    with pytest.raises(NotFound):
        importing.undo(session, Actor("clerk", frozenset({Right.REGISTER}), under="1/"), other, now=NOW)


def test_who_was_changed_since_is_left_alone(session: Session, tmp_path: Path) -> None:
    first = load(
        session, tmp_path, "甲,19900000001,East,,,,,,\n乙,19900000002,East,,2020-01-01,,,,\n丙,19900000003,East,,,,,,\n"
    )
    load(session, tmp_path, "甲,19900000001,East,retired,,,,,\n")
    member = finding.find(session, OPERATOR, "乙", on=TODAY)[0]
    membership.update_status(session, OPERATOR, member.id, status=Status.RETIRED, on=TODAY, now=NOW)
    assert importing.undo(session, OPERATOR, first, now=NOW) == Undone(restored=1, kept=2, removed=1)
    assert session.scalars(select(Member.name).order_by(Member.id)).all() == ["甲", "乙"]


def test_who_left_since_stays_gone(session: Session, tmp_path: Path) -> None:
    make_member(session, name="甲", msisdn="+8619900000001")
    import_id = load(session, tmp_path, "甲,19900000001,West,,,,,,\n乙,19900000002,West,,,,,,\n")
    left = update(Membership).where(Membership.valid_until.is_(None)).values(valid_until=date(2026, 11, 30))
    session.execute(left)
    before = state(session)
    assert importing.undo(session, OPERATOR, import_id, now=NOW) == Undone(restored=0, kept=2)
    assert state(session) == before


def test_the_later_import_first_then_the_earlier_one(session: Session, tmp_path: Path) -> None:
    first = load(session, tmp_path, "甲,19900000001,East,,,yes,,,\n")
    between = state(session)
    second = load(session, tmp_path, "甲,19900000001,West,retired,,no,,,\n")
    assert importing.undo(session, OPERATOR, second, now=NOW) == Undone(1, 0, places=1)
    assert state(session) == between
    assert importing.undo(session, OPERATOR, first, now=NOW) == Undone(1, 0, 1, places=1)
    for table in (Member, Number, Membership):
        assert session.scalars(select(table.id)).all() == []
    assert session.scalars(select(Subscription.msisdn)).all() == []
    assert session.scalars(select(ImportChange.id)).all() == []
    assert session.scalars(select(Organisation.name)).all() == []


def test_the_id_of_a_refused_row_is_nobody_of_that_import(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "first.csv"
    path.write_text("name,msisdn\n甲,19900000001\n乙,19900000001\n", encoding="utf-8")
    first = importing.import_members(session, OPERATOR, path, now=NOW, on=TODAY)
    assert (first.created, len(first.refused)) == (1, 1)
    load(session, tmp_path, "丙,,East,,,,,,\n")
    assert importing.undo(session, OPERATOR, first.import_id or 0, now=NOW) == Undone(1, 0, 1, places=1)
    assert session.scalars(select(Member.name)).all() == ["丙"]


def test_who_is_gone_is_on_no_list(session: Session, tmp_path: Path) -> None:
    make_member(session, name="乙", msisdn="+8619900000002", external_id="E2")
    import_id = load(session, tmp_path, "甲,19900000001,East,,,yes,,E1,\n")
    lists.save_list(session, OPERATOR, "readers", external_ids=["E1", "E2"], now=NOW)
    importing.undo(session, OPERATOR, import_id, now=NOW)
    names = session.scalars(select(Member.name).join(Listed, Listed.member_id == Member.id)).all()
    assert names == ["乙"]
    assert len(session.scalars(select(Listed.member_id)).all()) == 1


def test_what_a_person_said_since_holds(session: Session, tmp_path: Path) -> None:
    import_id = load(session, tmp_path, "甲,19900000001,East,,,yes,,,\n")
    consent.opt_out(session, SYSTEM, "+8619900000001", source="sms", wording="退订", now=NOW)
    importing.undo(session, OPERATOR, import_id, now=NOW)
    assert session.scalar(select(Subscription.wish)) == "out"


def test_members_who_are_referred_to_stay(begin: Transactions, engine: Engine, tmp_path: Path) -> None:
    with begin() as tx:
        tx.session.execute(text("CREATE TABLE referring (member_id bigint REFERENCES member (id))"))
        import_id = load(tx.session, tmp_path, "甲,19900000001,East,,,yes,,,\n")
        tx.session.execute(text("INSERT INTO referring SELECT id FROM member"))
    with pytest.raises(Conflict, match="messages, answers or transfers"), begin() as tx:
        importing.undo(tx.session, OPERATOR, import_id, now=NOW)
    with begin() as tx:
        assert len(state(tx.session)["member"]) == 1
        assert consent.is_reachable(tx.session, "+8619900000001")


def test_what_was_done_by_hand_since_stays(session: Session, tmp_path: Path) -> None:
    load(session, tmp_path, "甲,19900000001,East,,,,,E1,\n乙,19900000002,East,,,,,E2,\n丙,19900000003,East,,,,,E3,\n")
    ids = {one.name: one.id for one in session.scalars(select(Member))}
    second = load(session, tmp_path, "甲,,,,,,x,E1,\n乙,,,,,,x,E2,\n丙,,,,,,x,E3,\n丁,19900000004,East,,,,,,\n")
    new = session.scalars(select(Member.id).where(Member.name == "丁")).one()
    members.update(session, OPERATOR, ids["甲"], name="甲新", on=TODAY, now=NOW)
    membership.leave(session, OPERATOR, ids["乙"], on=TODAY, now=NOW)
    members.update(session, OPERATOR, new, birthday=date(1980, 1, 1), on=TODAY, now=NOW)
    assert importing.undo(session, OPERATOR, second, now=NOW) == Undone(restored=1, kept=3)
    names = session.scalars(select(Member.name).order_by(Member.id)).all()
    assert names == ["甲新", "乙", "丙", "丁"]
    assert session.scalars(select(Member.tags).order_by(Member.id)).all() == [["x"], ["x"], [], []]


def test_nobody_outside_is_touched_by_an_undo(session: Session, tmp_path: Path) -> None:
    make_organisation(session, "West")
    make_organisation(session, "East/First")
    clerk = Actor("clerk", frozenset(Right), under=find_by_path(session, OPERATOR, "East").path)
    path = tmp_path / "list.csv"
    path.write_text("name,msisdn,organisation\n甲,19900000001,East/First\n", encoding="utf-8")
    run = importing.import_members(session, clerk, path, now=NOW, on=TODAY).import_id
    assert run
    tree_changes.move(session, OPERATOR, "East/First", under="West", now=NOW)
    with pytest.raises(NotFound, match="another part"):
        importing.undo(session, clerk, run, now=NOW)
    assert session.scalars(select(Member.name)).all() == ["甲"]
    assert importing.undo(session, OPERATOR, run, now=NOW).removed == 1
