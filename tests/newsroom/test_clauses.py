"""Rules as rows: what is clicked together is understood, and comes back as it was; what is more stays text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.language import Language, set_language, tell
from broadcaster.newsroom.clauses import FIELDS, Clause, choices, clauses_of, rule_of, said
from subscribers import rules
from subscribers.errors import Invalid

ROWS = [
    Clause("status", "!=", "离退休"),
    Clause("under", "=", "东城/东街分会"),
    Clause("under", "!=", "西城"),
    Clause("age", ">=", "60"),
    Clause("years", "<=", "5"),
    Clause("joined", ">=", "2020-01-31"),
    Clause("birth_month", "=", "11"),
    Clause("tag", "=", "合唱"),
    Clause("name", "starts", "欧阳"),
    Clause("list", "=", "骨干"),
    Clause("segment", "!=", "老年"),
]
OWN = [
    Clause("own:身份", "=", "教师"),
    Clause("own:Post (now)", "!=", "chair"),
    Clause('own:a"b', "starts", "x"),
    Clause("own:年龄", ">=", "60"),
    Clause("own:年龄", "!=", "60"),
]


@pytest.mark.parametrize("tongue", ["zh", "en"])
@pytest.mark.parametrize("is_any", [True, False])
def test_what_is_clicked_together_comes_back(tongue: Language, is_any: bool) -> None:
    set_language(tongue)
    yes = "是" if tongue == "zh" else "yes"
    status = Clause("status", "!=", "离退休" if tongue == "zh" else "retired")
    rows = [
        status,
        *ROWS[1:],
        Clause("mobile", "=", yes),
    ]
    assert clauses_of(rule_of(rows, is_any=is_any)) == (rows, is_any)
    for row in (*rows, *OWN, Clause("reachable", "!=", yes)):
        assert clauses_of(rule_of([row], is_any=is_any)) == ([row], False)


def test_the_same_rule_in_both_languages() -> None:
    set_language("zh")
    chinese = rule_of(ROWS, is_any=False)
    assert chinese.startswith('状态 != "离退休" 且 属于("东城/东街分会") 且 非 属于("西城")')
    set_language("en")
    assert rules.parse(rule_of(ROWS, is_any=False)) == rules.parse(chinese)


@pytest.mark.parametrize(
    "rule",
    [
        "status in (retired, probationary)",
        "retired and (mobile or age > 60)",
        'field("Post") = ""',
        'field("Post") in ("x", "y")',
        'at("East")',
        "not (retired and mobile)",
        "age < 60",
        "everyone",
        "status =",
        "",
        " and ".join(["age >= 1"] * 13),
    ],
)
def test_what_is_more_stays_text(rule: str) -> None:
    assert clauses_of(rule) is None


@given(
    st.text(max_size=40),
    st.sampled_from([*sorted(FIELDS), "own:身份"]),
    st.sampled_from(["=", "!=", ">=", "<=", "starts", "x"]),
)
def test_whatever_is_typed_is_a_value_and_nothing_else(value: str, field: str, sign: str) -> None:
    set_language("en")
    try:
        meaning = rules.parse(rule_of([Clause(field, sign, value)], is_any=False))
    except Invalid:
        return
    # what is typed neither closes a quote nor adds a condition
    assert len([term for term in rules.walk(meaning) if not isinstance(term, rules.Not)]) == 1


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (Clause("own:身份", "=", " "), "没有写明“身份”要符合什么。"),
        (Clause("tag", "=", ""), "没有写明“标签”要符合什么。"),
        (Clause("own:年龄", "=", " "), "没有写明“年龄（名单中的列）”要符合什么。"),
        (Clause("own:", "=", "x"), "不能这样问"),
        (Clause("own:\"“「‘'", "=", "x"), "引号"),
    ],
)
def test_rows_that_ask_nothing(row: Clause, told: str) -> None:
    set_language("zh")
    with pytest.raises(Invalid) as refused:
        rule_of([row], is_any=False)
    assert told in tell(refused.value)[0]


def test_the_columns_of_ones_own_are_offered_and_those_that_were_asked_for() -> None:
    offered = choices(["身份", "Post"], [Clause("own:Old", "=", "x"), Clause("tag", "=", "x")])
    assert offered["own"] == [("own:身份", "身份"), ("own:Post", "Post"), ("own:Old", "Old")]


def test_a_column_of_ones_own_is_told_apart_from_what_is_built_in() -> None:
    for tongue, told, built_in in (
        ("zh", ["年龄（名单中的列）", "Tag（名单中的列）", "身份"], "年龄（按出生日期）"),
        ("en", ["年龄 (a column of your lists)", "Tag (a column of your lists)", "身份"], "Age, by the date of birth"),
    ):
        set_language(tongue)  # type: ignore[arg-type]
        offered = choices(["年龄", "Tag", "身份"], [])
        assert [word for _, word in offered["own"]] == told
        assert dict(offered["fields"])["age"] == built_in


@pytest.mark.parametrize(
    ("rule", "chinese", "english"),
    [
        ("retired", "离退休", "retired"),
        (
            "retired and (mobile or age > 60)",
            "离退休，并且（流动，或者年龄大于60）",
            "retired, and (mobile, or Age is more than 60)",
        ),
        ("not (retired and mobile)", "不是（离退休，并且流动）", "not (retired, and mobile)"),
        (
            "status in (retired, probationary)",
            "状态是其中之一：离退休、预备",
            "Status is one of: retired, probationary",
        ),
        ('field("Post") = "x" and age < 60', "Post是x，并且年龄小于60", "Post is x, and Age is less than 60"),
        (
            'field("年龄") >= 60 or age >= 60',
            "年龄（名单中的列）至少60，或者年龄至少60",
            "年龄 (a column of your lists) is at least 60, or Age is at least 60",
        ),
        ('field("年龄") > 59', "年龄（名单中的列）大于59", "年龄 (a column of your lists) is more than 59"),
        ('at("Members") or not at("East")', "未分组织（不含下级），或者不是（East（不含下级））", ""),
        ("everyone and not 可达", "所有人，并且不能发送", "everyone, and cannot be sent to"),
        ("status =", "status =", "status ="),
    ],
)
def test_a_rule_in_words(rule: str, chinese: str, english: str) -> None:
    set_language("zh")
    assert said(rule) == chinese
    set_language("en")
    assert not english or said(rule) == english
