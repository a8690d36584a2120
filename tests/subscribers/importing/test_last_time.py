"""What was chosen for a list is found again for the next one with the same headings, and only by who may know."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import importing
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Invalid
from subscribers.importing import LastTime
from subscribers.models import ImportRun
from tests.factories import NOW, make_organisation

TODAY = date(2026, 11, 21)
HEAD = "人,电话（必填）,学校,身份"
MAPPING = {"人": "name", "学校": "organisation"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "名册.csv"


def take_in(session: Session, file: Path, head: str = HEAD, actor: Actor = OPERATOR, **given: Any) -> int:
    write(file, head, "李敏,19900000011,东城/一小,教师")
    result = importing.import_members(session, actor, file, now=NOW, on=TODAY, **{"mapping": MAPPING, **given})
    assert result.import_id
    return result.import_id


def write(file: Path, head: str, *rows: str) -> None:
    file.write_text("\n".join([head, *rows, ""]), encoding="utf-8")


def test_the_same_headings_in_any_order_are_known_again(session: Session, file: Path) -> None:
    write(file, HEAD)
    assert importing.last_time(session, OPERATOR, file) is None
    take_in(session, file, agreed="家长会上签字", shared=True)
    chosen = {"人": "name", "电话（必填）": "msisdn", "学校": "organisation", "身份": ""}
    told = LastTime("名册.csv", OPERATOR.name, NOW, is_undone=False, columns=chosen, shared=True, agreed="家长会上签字")
    for head in (HEAD, "身份,学校,人,电话", "未通过的行,未通过的原因,人,电话,学校,身份", " 人 ,电话：,,学校,身份"):
        write(file, "各校名册", head, "李敏,19900000011,东,教师")
        assert importing.last_time(session, OPERATOR, file) == told, head
    for head in ("人,电话,学校", f"{HEAD},备注"):
        write(file, head)
        assert importing.last_time(session, OPERATOR, file) is None, head
    file.write_bytes(b"")
    with pytest.raises(Invalid):
        importing.last_time(session, OPERATOR, file)


def test_the_newest_counts_also_when_it_was_undone(session: Session, file: Path) -> None:
    take_in(session, file, agreed="first")
    take_in(session, file, "姓名,手机", agreed="another list", mapping={})
    last = take_in(session, file, agreed="second", mapping={**MAPPING, "身份": "tags"})
    importing.undo(session, OPERATOR, last, now=NOW)
    found = importing.last_time(session, OPERATOR, file)
    assert found
    assert (found.agreed, found.is_undone, found.columns["身份"]) == ("second", True, "tags")
    assert found.was_read_as({"人": "name", "电话": "msisdn", "学校": "organisation", "身份": "tags"})
    assert not found.was_read_as({"人": "name", "电话": "msisdn", "学校": "organisation"})
    write(file, "手机,姓名")
    found = importing.last_time(session, OPERATOR, file)
    assert found
    assert found.agreed == "another list"


def test_nobody_is_told_what_others_chose_elsewhere(session: Session, file: Path) -> None:
    clerk = Actor("clerk", frozenset({Right.REGISTER}), under=make_organisation(session, "东城").path)
    take_in(session, file, agreed="of the operator")
    assert importing.last_time(session, clerk, file) is None
    take_in(session, file, agreed="of the clerk", actor=clerk)
    for actor in (clerk, OPERATOR):
        found = importing.last_time(session, actor, file)
        assert found
        assert (found.by, found.agreed) == ("clerk", "of the clerk")


def test_a_look_and_an_endless_heading_leave_nothing_behind(session: Session, file: Path) -> None:
    take_in(session, file)
    write(file, HEAD, "赵平,19900000012,东城,教师")
    importing.import_members(session, OPERATOR, file, now=NOW, mapping=MAPPING, agreed="as if", dry_run=True)
    found = importing.last_time(session, OPERATOR, file)
    assert found
    assert found.agreed == ""
    made = take_in(session, file, "人,电话,学校," + "长" * 20_000)
    assert session.scalar(select(ImportRun.choices).where(ImportRun.id == made)) is None
    assert importing.last_time(session, OPERATOR, file) is None
