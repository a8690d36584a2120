"""What a list has in columns of its own: the headings most have, and values to choose by; of one's own part only."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from subscribers import segments
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.organisations import find_by_path
from subscribers.segments import OwnColumn, counting
from subscribers.segments import own_headings as looking
from tests.factories import make_member, make_members
from tests.subscribers.segments.asking import TODAY


def columns(session: Session, under: str = "") -> dict[str, list[str]]:
    actor = OPERATOR
    if under:
        actor = Actor("clerk", frozenset({Right.SEE}), under=find_by_path(session, OPERATOR, under).path)
    return {column.heading: list(column.values) for column in segments.own_columns(session, actor, on=TODAY)}


def test_what_most_have_comes_first(session: Session) -> None:
    make_members(session, 3, organisation="East", fields={"身份": "教师", "备注,": 'a "b"\n,{}'})
    make_members(session, 4, organisation="East", fields={"身份": "家长"})
    make_member(session, organisation="West", fields={"Shift": "night", "身份": "校工"})
    assert columns(session) == {"身份": ["家长", "教师"], "备注,": ['a "b"\n,{}'], "Shift": []}
    assert columns(session, "West") == {"Shift": [], "身份": []}
    assert columns(session, "East").keys() == {"身份", "备注,"}


def test_nobody_and_nothing(session: Session) -> None:
    assert columns(session) == {}
    make_members(session, 2)
    make_member(session, fields={"Post": "chair"}, left_on=date(2024, 1, 1))
    assert columns(session) == {}, "who has left is asked by no rule"


def test_what_everybody_has_another_of_is_not_chosen_from(session: Session) -> None:
    make_members(session, 2, fields={"学号": "001", "住址": "x" * 31})
    for number in range(9):
        make_member(session, fields={"学号": f"A{number}"})
    assert columns(session) == {"学号": [], "住址": []}
    make_members(session, 2, fields={"班": "1班"})
    assert list(columns(session)) == ["班", "学号", "住址"]
    for number in range(20):
        make_members(session, 3, fields={"班": f"{number % 15}班"})
    assert len(columns(session)["班"]) == looking.VALUES


def test_of_a_large_registry_some_are_looked_at(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "COUNTED", 100)
    monkeypatch.setattr(counting, "DRAWN", 200)
    monkeypatch.setattr(looking, "LOOKED_AT", 10)
    make_members(session, 300, organisation="East", fields={"身份": "教师"})
    make_members(session, 150, organisation="West", fields={"Post": "chair"})
    make_member(session, organisation="West", fields={"New": "yes"})
    assert list(columns(session)) == ["身份", "Post", "New"], "the newest are always among them"
    assert columns(session, "East") == {"身份": ["教师"]}
    assert OwnColumn("身份", ("教师",)).heading == "身份"
