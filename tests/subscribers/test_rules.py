"""The language of segments: what it understands, where it points when it does not, and what it will not try."""

from __future__ import annotations

import tracemalloc
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import Invalid
from subscribers.rules import (
    DEPTH,
    LENGTH,
    TERMS,
    VALUES,
    All,
    AnyOf,
    Away,
    Compared,
    Everyone,
    Field,
    Is,
    Not,
    OnList,
    Place,
    Reachable,
    Rule,
    Saved,
    Starts,
    parse,
)

RETIRED = Is(Field.STATUS, ("retired",))


def under(names: str, *, whole: bool = True) -> Place:
    return Place(names, whole=whole, at=0, end=0)


def saved(name: str) -> Saved:
    return Saved(name, 0, 0)


@pytest.mark.parametrize(
    ("english", "chinese", "rule"),
    [
        ("everyone", "所有人", Everyone()),
        ("in_service", "在职", Is(Field.STATUS, ("in_service",))),
        ("Retired", "离退休", RETIRED),
        ("mobile", "流动", Away()),
        ("reachable", "可达", Reachable()),
        ("status = retired", "状态＝离退休", RETIRED),
        ("status != retired", "状态 不是 离退休", Not(RETIRED)),
        ("status in (retired, applicant)", "状态 在（离退休，申请人）", Is(Field.STATUS, ("retired", "applicant"))),
        ("status not in (retired)", "状态 不在 (离退休)", Not(RETIRED)),
        ("mobile = yes", "流动 是 是", Away()),
        ("mobile != yes", "流动 = 否", Not(Away())),
        ("reachable = no", "可达 = 否", Not(Reachable())),
        ("age >= 60", "年龄 ≥ 60", Compared(Field.AGE, ">=", 60)),
        ("age = 60", "年龄 == ６０", Is(Field.AGE, (60,))),
        ("age <> 60", "年龄≠60", Not(Is(Field.AGE, (60,)))),
        ("birthday < 1960-01-31", "生日 ＜ 1960年1月31日", Compared(Field.BIRTHDAY, "<", date(1960, 1, 31))),
        ("birth_month = 3", "出生月 = 3", Is(Field.BIRTH_MONTH, (3,))),
        ("birth_day <= 15", "出生日 ≤ 15", Compared(Field.BIRTH_DAY, "<=", 15)),
        ("joined >= 2020-01-01", '入会 ≥ "2020/1/1"', Compared(Field.JOINED, ">=", date(2020, 1, 1))),
        ("years > 9", "会龄 > 9", Compared(Field.YEARS, ">", 9)),
        ('tag = "书 画"', "标签 = “书 画”", Is(Field.TAG, ("书 画",))),
        ("tag in (x, 2026, 2026-01-01)", "标签 在 (x、2026、2026-01-01)", Is(Field.TAG, ("x", "2026", "2026-01-01"))),
        ('name = "O\'Neil"', "姓名 是 “O'Neil”", Is(Field.NAME, ("O'Neil",))),
        ("name starts with 张", "姓名 开头是 张", Starts(Field.NAME, "张")),
        ('field("heading") = "value"', "字段（“heading”）=‘value’", Is(Field.OWN, ("value",), "heading")),
        ('field("a b") starts with v', "字段(「a b」) 开头为 v", Starts(Field.OWN, "v", "a b")),
        ('field("a b") >= 3', "字段(「a b」) ≥ ３", Compared(Field.OWN, ">=", 3, "a b")),
        ('kind = "branch"', "类别 = branch", Is(Field.KIND, ("branch",))),
        ("level = 2", "层级 = 2", Is(Field.LEVEL, (2,))),
        ("operator = mobile", "运营商 = 移动", Is(Field.OPERATOR, ("mobile",))),
        ("id in (12, 15, 12)", "会员号 在 (12，15)", Is(Field.ID, (12, 15))),
        ('external_id in ("A1", "A2")', "编号 在 (A1, A2)", Is(Field.EXTERNAL_ID, ("A1", "A2"))),
        ('under("East City/Branch")', "属于（“East City/Branch”）", under("East City/Branch")),
        ("under(East/Branch-2)", "属于(East/Branch-2)", under("East/Branch-2")),
        ('at("East")', '在("East")', under("East", whole=False)),
        ("under(#12)", "属于(#12)", under("#12")),
        ('list("Delegates")', "名单(Delegates)", OnList("Delegates", 0, 0)),
        ('segment("retired")', "人群(“retired”)", saved("retired")),
        ("my_segment", "“my_segment”", saved("my_segment")),
        (
            "not retired and mobile or everyone",
            "非离退休且流动或所有人",
            AnyOf((All((Not(RETIRED), Away())), Everyone())),
        ),
        ("not (retired and mobile)", "不是（离退休 并且 流动）", Not(All((RETIRED, Away())))),
        (
            "retired && (mobile || everyone)",
            "离退休 并且(流动 或者 所有人)",
            All((RETIRED, AnyOf((Away(), Everyone())))),
        ),
        ("not not retired", "非非离退休", Not(Not(RETIRED))),
        ("andrew or organ", "andrew或organ", AnyOf((saved("andrew"), saved("organ")))),
        (" ( ( retired ) ) \n", "　（（离退休））", RETIRED),
    ],
)
def test_rules_are_understood_in_both_languages(english: str, chinese: str, rule: Rule) -> None:
    assert parse(english) == rule
    assert parse(chinese) == rule


@pytest.mark.parametrize(
    ("text", "column", "caret"),
    [
        ("status = x", 10, 9),
        ("retired)", 8, 7),
        ("(not mobile) )", 14, 13),
        ("mobile = perhaps", 10, 9),
        ("mobile > yes", 8, 7),
        ("mobile in (yes)", 8, 7),
        ("age > old", 7, 6),
        ("age > 151", 7, 6),
        ("age in (60, 999)", 13, 12),
        ("birth_month = 13", 15, 14),
        ("birth_day = 0", 13, 12),
        ("joined = 2020-02-30", 10, 9),
        ("joined = 0000-01-01", 10, 9),
        ("joined = 2020", 10, 9),
        ("operator = x", 12, 11),
        ("id = 9223372036854775808", 6, 5),
        ("id = 0", 6, 5),
        ("id > 3", 4, 3),
        ("height = 3", 1, 0),
        ("status > retired", 8, 7),
        ("age starts with 3", 5, 4),
        ("above(x)", 1, 0),
        ("field(x)", 1, 0),
        ("field(x) > y", 12, 11),
        ("field(x) <= 1000000000000000", 13, 12),
        ("under(x) = 3", 10, 9),
        ("under(#x)", 7, 6),
        ("tag in ()", 9, 8),
        ("retired &", 9, 8),
        ("retired mobile", 9, 8),
        ("(retired", 9, 8),
        ("retired and", 12, 11),
        ('tag = "x', 7, 6),
        (")", 1, 0),
        ("状态 = 不详", 6, 7),
        ("retired\nor status = x", 13, 12),
        ('标签 = "e\u0301" and x = 3', 15, 15),
        ("tag = a\0b", 8, 7),
        ("tag = \u202eb", 7, 6),
        ("tag = \ud800", 7, 6),
        ("tag = \u200b", 7, 6),
        ("张" * 100 + " &", 102, 2 * 59 + 2),
        ("(" * 10_000 + "retired" + ")" * 10_000, DEPTH + 1, DEPTH),
        ("not " * 10_000 + "retired", 4 * DEPTH + 1, 61),
        ("非" * 10_000 + "离退休", DEPTH + 1, 2 * DEPTH),
    ],
)
def test_a_fault_is_pointed_at(text: str, column: int, caret: int) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text)
    _, line, pointer = str(caught.value).split("\n")
    assert caught.value.fields["column"] == column
    assert len(line) < 130
    assert pointer == " " * (2 + caret) + "^"
    assert caught.value.hint.format(**caught.value.fields)
    # whatever was typed, it can be shown
    str(caught.value).encode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n",
        "(" * LENGTH,
        " or ".join(["mobile"] * (TERMS + 1)),
        "id in (" + ",".join(map(str, range(1, VALUES + 2))) + ")",
        "x" * 1_000_000,
        "not (" * 8_000 + "x" + ")" * 8_000,
    ],
)
def test_what_is_empty_or_asks_too_much_is_refused_without_much_memory(text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Invalid):
            parse(text)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_what_keeps_to_the_limits_is_understood() -> None:
    assert parse("(" * DEPTH + "retired" + ")" * DEPTH) == RETIRED
    assert parse(" or ".join(["(not mobile)"] * (TERMS // 2 - 1)))
    ids = parse("id in (" + ",".join(map(str, range(1, VALUES + 1))) + ")")
    assert isinstance(ids, Is)
    assert len(ids.values) == VALUES


WORDS = """( ) （ and or not in 且 或 非 在 = != >= < status 状态 age tag mobile under list field retired 60 yes 'x'
2020-01-01 joined name starts with " “ ” x , 流动 & #3"""
words = st.sampled_from([*WORDS.split(), "\n", "\0", "\u202e", "\ud800"])


@given(st.lists(words, max_size=12).map(" ".join) | st.text(max_size=30))
def test_any_text_is_a_rule_or_invalid(text: str) -> None:
    try:
        parse(text)
    except Invalid as error:
        assert error.hint.format(**error.fields)
        str(error).encode()
