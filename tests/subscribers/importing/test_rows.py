"""Cells -> what a row says, or the reason why it cannot be used."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.errors import Invalid
from subscribers.importing.rows import Standing, read_date, read_name, read_standing, read_tags, read_wish
from subscribers.models import Status, Wish


@pytest.mark.parametrize(
    ("text", "standing"),
    [
        ("in_service", Standing(Status.IN_SERVICE, False)),
        ("retired", Standing(Status.RETIRED, False)),
        ("Retired mobile", Standing(Status.RETIRED, True)),
        ("in_service mobile", Standing(Status.IN_SERVICE, True)),
        ("mobile", Standing(Status.IN_SERVICE, True)),
        ("流动", Standing(Status.IN_SERVICE, True)),
        ("流动会员", Standing(Status.IN_SERVICE, True)),
        ("在职", Standing(Status.IN_SERVICE, False)),
        ("离退休", Standing(Status.RETIRED, False)),
        ("离退休 流动", Standing(Status.RETIRED, True)),
        ("离退休（流动）", Standing(Status.RETIRED, True)),
        ("离退休干部", Standing(Status.RETIRED, False)),
        ("在职职工", Standing(Status.IN_SERVICE, False)),
        ("退休", Standing(Status.RETIRED, False)),
        ("预备", Standing(Status.PROBATIONARY, False)),
        ("预备会员", Standing(Status.PROBATIONARY, False)),
        ("申请人", Standing(Status.APPLICANT, False)),
        ("applicant/mobile", Standing(Status.APPLICANT, True)),
    ],
)
def test_a_standing_is_read(text: str, standing: Standing) -> None:
    assert read_standing(text) == standing


@pytest.mark.parametrize("text", ["dead", "retired retired", "()", "会员", "在职离退休"])
def test_an_unknown_standing_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_standing(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05",
        "2026/1/5",
        "2026.1.5",
        "20260105",
        "2026年1月5日",
        "２０２６-01-05",
        "2026-01-05 00:00:00",
        "2026/1/5 0:00",
    ],
)
def test_a_day_is_read_year_first(text: str) -> None:
    assert read_date(text, "birthday") == date(2026, 1, 5)


@pytest.mark.parametrize("text", ["5/1/2026", "2026-13-01", "2026-02-30", "46027", "2026-01-05 12:30", "x"])
def test_any_other_day_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_date(text, "birthday")


@given(st.dates())
def test_every_iso_day_is_read(day: date) -> None:
    assert read_date(day.isoformat(), "birthday") == day


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("yes", Wish.IN),
        ("是", Wish.IN),
        ("1", Wish.IN),
        ("No", Wish.OUT),
        ("否", Wish.OUT),
        ("０", Wish.OUT),
        ("", None),
    ],
)
def test_a_wish_is_read(text: str, wish: Wish) -> None:
    assert read_wish(text) == wish
    assert read_wish("") is None


def test_a_wish_that_is_neither_is_refused() -> None:
    with pytest.raises(Invalid):
        read_wish("maybe")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("王  芳", "王芳"),
        ("王　芳", "王芳"),
        (" Ann   Lee ", "Ann Lee"),
        ("阿依古丽·买买提", "阿依古丽·买买提"),
        ("𠮷田", "𠮷田"),
    ],
)
def test_a_name_is_kept_without_padding(text: str, name: str) -> None:
    assert read_name(text) == name


@pytest.mark.parametrize("text", ["", "  ", "x" * 101, "a\x0bb\x08", "a\u202eb"])
def test_a_name_that_cannot_be_one_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_name(text)


def test_tags_are_taken_apart_once_each() -> None:
    assert read_tags("书画; chess，书画、 x | y") == ("书画", "chess", "x", "y")
    for text in ("x" * 51, ";".join(str(n) for n in range(51))):
        with pytest.raises(Invalid):
            read_tags(text)
