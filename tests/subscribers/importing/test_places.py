"""Organisations that an import made go with it, as long as nobody and nothing is in them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import importing, members, membership, segments, transfers, tree_changes
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.models import Member, Organisation
from subscribers.nowhere import DEFAULT_ORGANISATION
from subscribers.organisations import find_by_path
from tests.factories import NOW, make_member, make_organisation

TODAY = date(2026, 11, 21)


def load(session: Session, folder: Path, *places: str, actor: Actor = OPERATOR) -> int:
    path = folder / "list.csv"
    rows = [f"第{n}人,199000000{n:02},{place}" for n, place in enumerate(places)]
    path.write_text("\n".join(["name,msisdn,organisation", *rows, ""]), encoding="utf-8")
    result = importing.import_members(session, actor, path, now=NOW, on=TODAY)
    assert result.created == len(places)
    return result.import_id or 0


def tree(session: Session) -> set[str]:
    session.expire_all()
    return set(session.scalars(select(Organisation.name)))


def undo(session: Session, import_id: int, actor: Actor = OPERATOR) -> int:
    return importing.undo(session, actor, import_id, now=NOW).places


def test_what_it_made_is_gone_with_what_it_had_to_make_above(session: Session, tmp_path: Path) -> None:
    make_organisation(session, "东城/一小")
    made = load(session, tmp_path, "", "东城/一小", "东城/二小/三班", "西城/三小", "西城/三小")
    assert tree(session) == {DEFAULT_ORGANISATION, "东城", "一小", "二小", "三班", "西城", "三小"}
    assert undo(session, made) == 5
    assert tree(session) == {"东城", "一小"}
    # the same file again, under ids that were given before
    again = load(session, tmp_path, "", "东城/二小/三班")
    assert undo(session, again) == 3


def test_where_somebody_is_or_was_it_stays_with_what_is_above(session: Session, tmp_path: Path) -> None:
    made = load(session, tmp_path, "", "东城/一小", "东城/二小", "东城/三小", "西城/四小", "北城/五小")
    make_member(session, name="后来", organisation=DEFAULT_ORGANISATION)
    gone = make_member(session, name="走了", organisation="东城/一小")
    membership.leave(session, OPERATOR, gone.id, on=TODAY, now=NOW)
    make_organisation(session, "西城/四小/一班")
    first = session.scalars(select(Member.id).where(Member.name == "第2人")).one()
    members.update(session, OPERATOR, first, birthday=date(2015, 1, 1), on=TODAY, now=NOW)
    assert undo(session, made) == 3
    assert tree(session) == {DEFAULT_ORGANISATION, "东城", "一小", "二小", "西城", "四小", "一班"}


def test_what_somebody_has_a_use_for_stays(session: Session, tmp_path: Path) -> None:
    names = ("改名", "移动", "类别", "转入", "人群", "无用")
    made = load(session, tmp_path, *names)
    tree_changes.rename(session, OPERATOR, "改名", "新名", now=NOW)
    make_organisation(session, "东城")
    tree_changes.move(session, OPERATOR, "移动", under="东城", now=NOW)
    tree_changes.set_kind(session, OPERATOR, "类别", "学校", now=NOW)
    somebody = make_member(session, name="要转的", organisation="东城")
    transfers.ask(session, OPERATOR, somebody.id, "转入", on=TODAY, now=NOW)
    theirs = Actor("clerk", frozenset(Right), under=find_by_path(session, OPERATOR, "人群").path)
    segments.save(session, theirs, "我们", "everyone", now=NOW)
    assert undo(session, made) == 1
    assert tree(session) == {"东城", *names, "新名"} - {"改名", "无用"}


def test_of_a_part_of_the_tree_it_is_the_same(session: Session, tmp_path: Path) -> None:
    clerk = Actor("clerk", frozenset(Right), under=make_organisation(session, "东城").path)
    made = load(session, tmp_path, "", "东城/一小", "东城/二小", actor=clerk)
    assert undo(session, made, clerk) == 2
    assert tree(session) == {"东城"}
