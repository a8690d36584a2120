"""Texts that editors write: fields as they know them, and nothing of a template."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.newspaper.own_words import MAX_BODY, as_template, checked, plain, without_fields
from broadcaster.templates import compile_template
from subscribers.errors import Invalid

READER = {"name": "欧阳子涵", "organisation": "东街分会"}


def said(body: str) -> str:
    return compile_template(as_template(body), {"name", "organisation"}).render_many({}, [READER])[0]


def test_fields_are_filled_in() -> None:
    assert said("〔姓名〕您好\n〔组织〕供暖 〔name〕〔organisation〕") == "欧阳子涵您好\n东街分会供暖 欧阳子涵东街分会"
    assert without_fields("〔姓名〕您好") == "您好"
    assert said("〔别的〕 %d #x") == "〔别的〕 %d #x", "what is no field stays, and the check tells of it"


@pytest.mark.parametrize(
    "body", ["", " \n", "{{ name }}", "{% if x %}", "x {# y", "a}", "{name}", "长" * (MAX_BODY + 1)]
)
def test_what_cannot_be_used(body: str) -> None:
    with pytest.raises(Invalid):
        checked(body)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab供 \n{}%#'\"\\-〔姓名〕\U0001f600", max_size=80))
def test_whatever_is_taken_is_said_just_so(body: str) -> None:
    try:
        clean = checked(body)
    except Invalid:
        return
    assert said(clean) == clean.replace("〔姓名〕", READER["name"])


@pytest.mark.parametrize(
    ("full", "text"),
    [
        ("## 供暖\n\n**今天**供暖。\n- 一\n- 二", "供暖\n今天供暖。\n- 一\n- 二"),
        ("见[通知](https://example.org/1)。", "见通知 https://example.org/1 。"),
        ("2*3=6，a ** b", "2*3=6，a ** b"),
        ("", ""),
    ],
)
def test_full_texts_without_signs(full: str, text: str) -> None:
    assert plain(full) == text


def test_links_that_never_end_hold_nobody_up() -> None:
    # from each beginning the whole rest was read, for minutes here
    for piece in ("[", "[]("):
        assert plain(piece * 60_000) == piece * 60_000
