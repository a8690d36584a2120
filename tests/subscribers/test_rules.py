"""The language of segments: what it understands, where it points when it does not, and what it will not try."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import Invalid
from subscribers.models import Status
from subscribers.rules import (
    TERMS,
    AgeAtLeast,
    All,
    AnyOf,
    Away,
    BirthdayKnown,
    Everyone,
    Not,
    Rule,
    Saved,
    StatusIs,
    Tagged,
    Under,
    parse,
)

RETIRED = StatusIs(Status.RETIRED)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("everyone", Everyone()),
        ("所有人", Everyone()),
        ("in_service", StatusIs(Status.IN_SERVICE)),
        ("在职", StatusIs(Status.IN_SERVICE)),
        ("Retired", RETIRED),
        ("离退休", RETIRED),
        ("mobile", Away()),
        ("流动", Away()),
        ("status = retired", RETIRED),
        ("状态＝离退休", RETIRED),
        ("status != retired", Not(RETIRED)),
        ("mobile = yes", Away()),
        ("流动 = 否", Not(Away())),
        ("tag = x", Tagged("x")),
        ("标签 = “书 画”", Tagged("书 画")),
        ("tag = 2026", Tagged("2026")),
        ("age >= 60", AgeAtLeast(60)),
        ("年龄 ≥ 60", AgeAtLeast(60)),
        ("age > 60", AgeAtLeast(61)),
        ("age < 60", All((BirthdayKnown(), Not(AgeAtLeast(60))))),
        ("age <= 60", All((BirthdayKnown(), Not(AgeAtLeast(61))))),
        ("age = 60", All((AgeAtLeast(60), Not(AgeAtLeast(61))))),
        ('under("East City/Branch")', Under("East City/Branch", 6)),
        ("属于（东城）", Under("东城", 3)),
        ("my_segment", Saved("my_segment", 0)),
        ('"retired"', Saved("retired", 0)),
        ("“老 同志”", Saved("老 同志", 0)),
        ("not retired and mobile or everyone", AnyOf((All((Not(RETIRED), Away())), Everyone()))),
        ("not (retired and mobile)", Not(All((RETIRED, Away())))),
        ("非离退休且流动或所有人", AnyOf((All((Not(RETIRED), Away())), Everyone()))),
        ("离退休 并且（流动 或者 所有人）", All((RETIRED, AnyOf((Away(), Everyone()))))),
        ("andrew or organ", AnyOf((Saved("andrew", 0), Saved("organ", 10)))),
        ("retired AND NOT mobile", All((RETIRED, Not(Away())))),
        (" ( ( retired ) ) \n", RETIRED),
    ],
)
def test_rules_are_understood(text: str, rule: Rule) -> None:
    assert parse(text) == rule


def test_the_example_of_the_interface_in_both_languages() -> None:
    english = parse('status = retired and under("East City") and age >= 60')
    assert english == All((RETIRED, Under("East City", 0), AgeAtLeast(60)))
    assert parse('状态 = 离退休 且 属于("东城")') == All((RETIRED, Under("东城", 0)))


@pytest.mark.parametrize(
    ("text", "column", "caret"),
    [
        ("status = x", 10, 9),
        ("mobile = perhaps", 10, 9),
        ("age > old", 7, 6),
        ("age > 151", 7, 6),
        ("height = 3", 1, 0),
        ("status > retired", 8, 7),
        ("above(x)", 1, 0),
        ("retired &", 9, 8),
        ("retired mobile", 9, 8),
        ("(retired", 9, 8),
        ("retired and", 12, 11),
        (")", 1, 0),
        ("状态 = 不详", 6, 7),
        ("retired\nor status = x", 13, 12),
    ],
)
def test_a_fault_is_pointed_at(text: str, column: int, caret: int) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    _, line, pointer = str(caught.value).split("\n")
    assert caught.value.fields["column"] == column
    assert line.strip() in text
    assert pointer == " " * (2 + caret) + "^"
    assert caught.value.hint.format(**caught.value.fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "(" * 10_000 + "retired" + ")" * 10_000,
        "(" * 1_900 + "retired" + ")" * 1_900,
        "(" * 3_999,
        "not " * 990 + "retired",
        " or ".join(["mobile"] * (TERMS + 1)),
        "x" * 1_000_000,
    ],
)
def test_what_is_empty_or_asks_too_much_is_refused_at_once(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(Invalid):
        parse(text)
    assert time.monotonic() - began < 1


WORDS = """( ) （ and or not 且 或 非 = != >= < status 状态 age tag mobile under retired 60 yes 'x' " “ ” x , 流动 & """
words = st.sampled_from([*WORDS.split(), "\n", "\0"])


@given(st.lists(words, max_size=12).map(" ".join) | st.text(max_size=30))
def test_any_text_is_a_rule_or_invalid(text: str) -> None:
    try:
        parse(text)
    except Invalid as error:
        assert error.hint
