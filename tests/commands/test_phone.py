"""The phone: real parts, counted, at any width."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from broadcaster.commands.phone import WIDTH, phone
from broadcaster.sms import split, why


def drawn(text: str, width: int = 60) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, markup=False, highlight=False, emoji=False).print(
        phone("name", split(text), why(text))
    )
    return out.getvalue().splitlines()


def test_two_parts() -> None:
    lines = drawn("您好，" + "字" * 70)
    assert lines[0] == "name"
    assert "  part 1 of 2 · 67 characters · UCS-2" in lines
    assert "  part 2 of 2 · 6 characters · UCS-2" in lines
    assert lines[-2:] == [
        "This writing needs the encoding UCS-2: a part holds 67",
        "characters. With 3 characters less it would be one part less.",
    ] or " ".join(line.strip() for line in lines[-2:]).endswith("With 3 characters less it would be one part less.")


def test_one_character_that_costs_a_part() -> None:
    told = " ".join(line.strip() for line in drawn("a" * 100 + "“" + "b" * 40)[-4:])
    assert "Because of “" in told
    assert "instead of" in told


def test_markup_in_a_text_is_text() -> None:
    assert any("[red]hi[/red]" in line for line in drawn("[red]hi[/red]"))


@settings(max_examples=60)
@given(text=st.text(st.sampled_from("中文好ab c\n😀é[]\t\x1b"), min_size=1, max_size=300), width=st.integers(30, 100))
def test_no_line_is_wider_than_the_terminal(text: str, width: int) -> None:
    lines = drawn(text, width)
    assert max(map(cell_len, lines)) <= max(width, 1)
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize("width", [40, 60, 200])
def test_bubbles_are_as_wide_as_a_phone(width: int) -> None:
    borders = [line for line in drawn("您好", width) if line.startswith("╭")]
    assert [cell_len(border) for border in borders] == [min(width, WIDTH)]
