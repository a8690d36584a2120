"""Rendering for many: strict about what is missing, true to every value."""

from __future__ import annotations

import tracemalloc
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from broadcaster.templates import Missing, MissingValue, compile_template
from broadcaster.templates.compiled import MAX_CHARACTERS
from subscribers.errors import Invalid

EDITION = {
    "number": 128,
    "date": "2026-11-23",
    "columns": [
        {"name": "要闻", "items": [{"headline": "一", "sms": "供暖了。"}, {"headline": "二", "sms": "下雪了。"}]},
        {"name": "学习", "items": [{"headline": "三", "sms": "读书。"}]},
    ],
}
#: lengths are bounded: what is too long has a test of its own
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60).filter(str.strip)
#: Jinja itself, telling where a template prints nothing
ORACLE = Environment(autoescape=False, finalize=lambda value: value or "(nothing)")
ORACLE.filters["default"] = lambda value, otherwise: value or otherwise


@settings(max_examples=200)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=20))
def test_any_value_comes_out_as_it_went_in(people: list[tuple[str, str]]) -> None:
    template = compile_template("{{ name }}您好！{% if city %}在{{ city }}{% endif %}。", {"name", "city"})
    texts = template.render_many({}, [{"name": name, "city": city} for name, city in people])
    assert texts == [f"{name}您好！在{city}。" for name, city in people]


@settings(max_examples=100)
@given(
    st.lists(st.fixed_dictionaries({}, optional={f: st.none() | st.just(" ") | VALUES for f in "abc"}), max_size=8),
    st.sampled_from(
        [
            "x{{ a }}{{ b }}",
            "x{% if a %}{{ b }}{% endif %}",
            "x{% if not a %}{{ b }}{% else %}{{ a }}{% endif %}",
            "x{% if a %}{{ a }}{% elif b %}{{ b }}{% else %}{{ c }}{% endif %}",
            "x{{ a|default('y') }}{% if not b %}{% if c %}{{ a }}{% endif %}{% endif %}",
        ]
    ),
)
def test_what_is_missing_is_what_would_have_been_printed_empty(rows: list[dict[str, Any]], source: str) -> None:
    printed_empty = []
    for index, row in enumerate(rows):
        values = {field: (row.get(field) or "").strip() for field in "abc"}
        if "(nothing)" in ORACLE.from_string(source).render(values):
            printed_empty.append(index)
    template = compile_template(source, {"a", "b", "c"})
    assert sorted({one.row for one in template.missing({}, rows)}) == printed_empty


def test_names_every_missing_value_before_anything_is_printed() -> None:
    template = compile_template("{{ name }}，{{ city }}", {"name", "city"})
    rows: list[dict[str, object]] = [{"name": "甲", "city": "临澜"}, {"name": " ", "city": None}, {"name": "乙"}]
    expected = [Missing(1, "city"), Missing(1, "name"), Missing(2, "city")]
    assert template.missing({}, rows) == expected
    with pytest.raises(MissingValue) as refused:
        template.render_many({}, rows)
    assert refused.value.missing == tuple(expected)
    assert str(refused.value) == ("The template needs the field city; it has no usable value for 2 of these people.")
    assert refused.value.hint.format(**refused.value.fields) == 'Fill it in, or write {{ city | default("...") }}.'


def test_who_lacks_a_value_does_not_keep_the_others_from_theirs() -> None:
    template = compile_template("{{ name }}，{{ city }}", {"name", "city"})
    rows: list[dict[str, object]] = [{"name": "甲"}, {"name": "乙", "city": "临澜"}, {}, {"name": "丙", "city": 3}]
    assert template.render_whole({}, rows) == (["乙，临澜", "丙，3"], {0, 2})
    assert template.render_whole({"city": "望洲"}, rows[:1]) == (["甲，望洲"], set())
    assert template.render_whole({}, rows[:1]) == ([], {0})
    assert compile_template("x", set()).render_whole({}, rows[:2]) == (["x", "x"], set())
    with pytest.raises(Invalid, match="NUL"):
        template.render_whole({}, [*rows, {"name": "丁", "city": "a\0b"}])


def test_a_text_that_is_mostly_nothing_is_printed_to_its_end() -> None:
    template = compile_template("{{ a|default('') }}" * 200 + "。", {"a"})
    assert template.render_many({}, [{}, {"a": "x"}, {}]) == ["。", "x" * 200 + "。", "。"]


def test_a_rows_own_value_goes_before_the_shared_one() -> None:
    template = compile_template("{{ name }}{{ city }}", {"name", "city"})
    assert template.render_many({"city": "临澜"}, [{"name": "甲"}, {"name": "乙", "city": "望洲"}]) == [
        "甲临澜",
        "乙望洲",
    ]


def test_prints_an_edition() -> None:
    template = compile_template(
        "{{ name }}：第{{ number }}期{{ date|day_zh }}"
        "{% for column in columns %}{{ nl }}{{ column.name }}{% if not loop.last %}…{% endif %}"
        "{% for item in column.items %}{{ space }}{{ loop.index }}{{ item.sms }}{% endfor %}{% endfor %}",
        {"name", "number", "date", "columns"},
    )
    assert template.fields == {"name", "number", "date", "columns"}
    printed = "第128期11月23日\n要闻… 1供暖了。 2下雪了。\n学习 1读书。"
    assert template.render_many(EDITION, [{"name": "甲"}, {"name": "乙"}]) == [f"甲：{printed}", f"乙：{printed}"]


def test_a_field_of_the_reader_inside_a_loop_is_the_readers_own() -> None:
    template = compile_template(
        "{% for column in columns %}{{ name }}{{ column.name }}{% endfor %}", {"name", "columns"}
    )
    assert template.render_many(EDITION, [{"name": "甲"}, {"name": "乙"}]) == ["甲要闻甲学习", "乙要闻乙学习"]


def test_an_edition_template_without_an_edition_says_so() -> None:
    template = compile_template("{% for column in columns %}{{ column.name }}{% endfor %}", {"columns"})
    with pytest.raises(Invalid, match="none was given"):
        template.render_many({}, [{}])


def test_without_fields_and_without_rows() -> None:
    template = compile_template("今天开会。\n", set())
    assert template.render_many({}, [{}, {}]) == ["今天开会。\n", "今天开会。\n"]
    assert template.render_many({}, []) == []


@pytest.mark.parametrize(
    ("value", "form", "printed"),
    [
        (date(2026, 11, 3), "day_zh", "11月3日"),
        ("1956-02-29", "date_zh", "1956年2月29日"),
        ("2026-11-23T10:00:00", "day_en", "23 November"),
        (date(2026, 11, 23), "date_en", "23 November 2026"),
    ],
)
def test_date_forms(value: object, form: str, printed: str) -> None:
    assert compile_template(f"{{{{ day|{form} }}}}", {"day"}).render_many({}, [{"day": value}]) == [printed]


def test_what_is_no_date_counts_as_missing() -> None:
    strict = compile_template("{{ day|day_zh }}", {"day"})
    assert strict.missing({}, [{"day": "soon"}, {"day": "2026-02-30"}, {"day": "2026-02-28"}]) == [
        Missing(0, "day"),
        Missing(1, "day"),
    ]
    assert compile_template("{{ day|day_zh|default('近日') }}", {"day"}).render_many({}, [{"day": "soon"}]) == ["近日"]


@pytest.mark.parametrize(("value", "printed"), [(0, "0"), (Decimal("7.50"), "7.50"), (date(2026, 1, 2), "2026-01-02")])
def test_numbers_and_dates_are_printed_and_count_as_there(value: object, printed: str) -> None:
    template = compile_template("{% if n %}{{ n }}{% endif %}", {"n"})
    assert template.render_many({}, [{"n": value}]) == [printed]


@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}, object()])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(Invalid, match="cannot be printed"):
        compile_template("{{ n }}", {"n"}).render_many({}, [{"n": value}])


def test_a_value_is_never_read_as_a_template() -> None:
    value = "{{ name }}{% for column in columns %}<b>&"
    assert compile_template("{{ name }}", {"name"}).render_many({}, [{"name": value}]) == [value]


@pytest.mark.parametrize("source", ["{{ name }}", "x{% for column in columns %}{{ column.name }}{% endfor %}"])
def test_nul_is_refused_wherever_it_comes_from(source: str) -> None:
    template = compile_template(source, {"name", "columns"})
    context = {"columns": [{"name": "a\0b", "items": []}]}
    with pytest.raises(Invalid, match="NUL"):
        template.render_many(context, [{"name": "a\0b"}, {"name": "c"}])


def test_a_text_without_end_is_stopped() -> None:
    long = {"name": "x" * MAX_CHARACTERS}
    assert compile_template("{{ name }}", {"name"}).render_many({}, [long]) == [long["name"]]
    with pytest.raises(Invalid, match="more than 4000 characters for one person"):
        compile_template("{{ name }}.", {"name"}).render_many({}, [long, *[{"name": "y"}] * 999])


def test_a_batch_that_would_fill_the_memory_is_stopped_before_it_does() -> None:
    template = compile_template("{{ name }}" * 300, {"name"})
    rows = [{"name": "x" * MAX_CHARACTERS}] * 1_000
    tracemalloc.start()
    try:
        with pytest.raises(Invalid, match="more than 4000 characters for one person"):
            template.render_many({}, rows)
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()
