"""Taken back: the wishes are what they were, what was said since stays, and so does the evidence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscribers import consent, consent_files, holding, membership, tree_changes
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied, NotFound
from subscribers.models import Audit, ColumnWish, Consent, ImportRun, Subscription, Wish
from subscribers.organisations import find_by_path
from tests.factories import NOW, generated_msisdn, make_consent, make_member, make_organisation

A, B, C, D = (generated_msisdn(n) for n in (201, 202, 203, 204))


def load(session: Session, folder: Path, text: str, actor: Actor = OPERATOR) -> int:
    path = folder / "wishes.csv"
    path.write_text(text, encoding="utf-8")
    result = consent_files.import_consent(session, actor, path, key=b"k" * 32, now=NOW, zone=ZoneInfo("Asia/Shanghai"))
    assert result.import_id is not None
    return result.import_id


def present(session: Session) -> dict[tuple[str, str], str]:
    paper = session.execute(select(Subscription.msisdn, Subscription.wish)).all()
    columns = session.execute(select(ColumnWish.msisdn, ColumnWish.topic, ColumnWish.wish)).all()
    return {(number, ""): wish for number, wish in paper} | {(n, topic): wish for n, topic, wish in columns}


def test_wishes_fall_back_to_what_held_before(session: Session, tmp_path: Path) -> None:
    make_consent(session, A, D, subscribed=True)
    many = consent.said_of_many(
        session, OPERATOR, Wish.IN, source="import", wording="assembly", import_run_id=None, now=NOW
    )
    session.add(Subscription(msisdn=B, wish=Wish.IN, since=NOW, consent_id=many))
    session.flush()
    before = present(session)
    import_id = load(session, tmp_path, f"msisdn,topic\n{A},\n{A},要闻\n{B},\n{C},\n{D},\n")
    consent.opt_out(session, OPERATOR, D, source="sms", wording="R", now=NOW)
    after = load(session, tmp_path, f"msisdn,wish,wording,topic\n{A},in,signed,要闻\n")
    evidence = session.scalar(select(func.count()).select_from(Consent))
    assert consent_files.undo_consent(session, OPERATOR, import_id, now=NOW) == 3
    # D said so since; A took the column back again in a later file
    assert present(session) == before | {(D, ""): "out", (A, "要闻"): "in"}
    assert session.scalar(select(func.count()).select_from(Consent)) == evidence
    assert consent_files.undo_consent(session, OPERATOR, after, now=NOW) == 1
    # both files are taken back: nothing is known of the column
    assert present(session) == before | {(D, ""): "out"}


def test_it_is_taken_back_once_and_audited(session: Session, tmp_path: Path) -> None:
    import_id = load(session, tmp_path, f"{A}\n")
    consent_files.undo_consent(session, OPERATOR, import_id, now=NOW)
    noted = session.scalars(select(Audit).order_by(Audit.id.desc())).first()
    assert noted is not None
    assert (noted.deed, noted.people, noted.thing) == ("consent.undo", 1, f"import {import_id}")
    with pytest.raises(Conflict, match="undone already"):
        consent_files.undo_consent(session, OPERATOR, import_id, now=NOW)


def test_only_ones_own_imports_of_wishes_are_there(session: Session, tmp_path: Path) -> None:
    make_member(session, msisdn=A, organisation="East")
    clerk = Actor("clerk", frozenset({Right.REGISTER}), under=find_by_path(session, OPERATOR, "East").path)
    theirs, own = load(session, tmp_path, f"{B}\n"), load(session, tmp_path, f"{A}\n", clerk)
    members = ImportRun(kind="members", file_name="x", actor="x", at=NOW, created=0, updated=0, unchanged=0, refused=0)
    session.add(members)
    session.flush()
    for actor, import_id in ((clerk, theirs), (OPERATOR, members.id), (OPERATOR, 10_000)):
        with pytest.raises(NotFound, match="no import"):
            consent_files.undo_consent(session, actor, import_id, now=NOW)
    assert consent_files.undo_consent(session, clerk, own, now=NOW) == 1
    with pytest.raises(Denied):
        consent_files.undo_consent(session, Actor("v", frozenset({Right.SEE})), theirs, now=NOW)


def test_whoever_was_moved_elsewhere_takes_back_nothing(session: Session, tmp_path: Path) -> None:
    people = [make_member(session, msisdn=number, organisation="East/Branch") for number in (A, B)]
    west = make_organisation(session, "West")
    rights = frozenset({Right.SEE, Right.REGISTER})
    clerk = Actor("clerk", rights, under=find_by_path(session, OPERATOR, "East").path)
    import_id = load(session, tmp_path, f"{A}\n{B}\n", clerk)
    before = present(session)
    branch = find_by_path(session, OPERATOR, "East/Branch")
    moved = replace(clerk, under=west.path)
    colleague = Actor("colleague", rights, under=clerk.under)
    for actor in (moved, colleague):
        with pytest.raises(NotFound, match="no import"):
            consent_files.undo_consent(session, actor, import_id, now=NOW)
    # one of the people went elsewhere since: it is no longer all theirs
    with session.begin_nested() as savepoint:
        held = holding.hold(session, OPERATOR, people[1].id)
        membership.relocate(session, held, west.id, on=NOW.date())
        session.flush()
        with pytest.raises(NotFound, match="no import"):
            consent_files.undo_consent(session, clerk, import_id, now=NOW)
        savepoint.rollback()
    # their place went elsewhere, and they with it
    tree_changes.move(session, OPERATOR, "East", under="West", now=NOW)
    with pytest.raises(NotFound, match="no import"):
        consent_files.undo_consent(session, clerk, import_id, now=NOW)
    assert present(session) == before
    smaller = replace(clerk, under=find_by_path(session, OPERATOR, "West/East/Branch").path)
    assert smaller.under.endswith(branch.path.removeprefix(clerk.under))
    assert consent_files.undo_consent(session, smaller, import_id, now=NOW) == 2
