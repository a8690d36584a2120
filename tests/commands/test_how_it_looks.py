"""What stands on the terminal: lines that end where Chinese may end, help that says what can be typed, no English."""

from __future__ import annotations

import pytest
from rich.console import Console
from rich.text import Text

from broadcaster.commands.front import NOUNS
from broadcaster.commands.output import table
from broadcaster.commands.wrapping import between_characters
from tests.commands.conftest import Desk

NARROW = {"COLUMNS": "80", "BROADSHEET_LANG": "zh"}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("按 Ctrl-C 结束：收下短信、记录", ["按 Ctrl-C ", "结束：收下", "短信、记录"]),
        ("一二三四五。六（七）", ["一二三四", "五。六", "（七）"]),
        ("one two three", ["one two ", "three"]),
        ("don’t “say” so", ["don’t ", "“say” so"]),
        ("abcdefghijklm", ["abcdefghij", "klm"]),
    ],
)
def test_where_a_line_ends(text: str, lines: list[str]) -> None:
    between_characters()
    told = [line.plain for line in Text(text).wrap(Console(width=80), 10)]
    assert [each.rstrip() for each in told] == [each.rstrip() for each in lines]


@pytest.mark.parametrize("noun", NOUNS)
def test_help_says_what_can_be_typed(desk: Desk, noun: str) -> None:
    page = desk.type(noun, "--help", **NARROW).out
    assert "<bool>" not in page, "a switch takes nothing"
    assert "range>" not in page
    assert not [line for line in page.splitlines() if "A room" in line or "One verb" in line]


def test_nobody_types_the_greatest_number_of_a_database(desk: Desk) -> None:
    page = desk.type("campaigns", "send", "--help", **NARROW).out
    assert "9223372036854775807" not in page
    assert "--confirm" in page
    assert "[x>=1]" in desk.type("audit", "list", "--help", **NARROW).out, "an end that may be reached is told"


def test_a_long_line_goes_on_under_its_beginning(desk: Desk) -> None:
    desk.write("list.csv", "姓名,手机,订阅\n" + f"{'长' * 30},12345678901234567,是\n")
    told = desk.type("members", "import", "list.csv", "--dry-run", COLUMNS="60").out.splitlines()
    at = next(i for i, line in enumerate(told) if line.startswith("  row 2:"))
    assert told[at - 1] == "Refused rows:"
    assert told[at + 1].startswith("  "), told


def test_no_english_in_chinese(desk: Desk) -> None:
    desk.write("list.csv", "姓名,手机,订阅,支部\n甲,19900000001,是,东川\n乙,010-12345678,是,东川\n丙,1,是,\n")
    told = desk.type("members", "import", "list.csv", **NARROW).out
    assert "手机 → 手机号" in told
    assert "座机 1 人（第 3 行）" in told
    assert "。 " not in told, "no blank behind a Chinese full stop"
    made = desk.type("campaigns", "create", "--text", "{年龄}{{ name }}您好", "--to", "everyone", **NARROW).out
    assert "{年龄}〔姓名〕您好" in made
    assert "所有人" in desk.type("campaigns", "list", **NARROW).out
    check = desk.type("campaigns", "check", "1", **NARROW).out
    assert "提示：这看起来是字段" in check
    assert ": " not in check
    assert "名单" in desk.type("members", "show", "1", **NARROW).out
    assert "import" not in desk.type("members", "show", "1", **NARROW).out


def test_whose_wish_is_missing_is_told_where_it_belongs(desk: Desk) -> None:
    desk.write("with.csv", "姓名,手机,订阅\n甲,19900000001,是\n乙,19900000002,\n")
    assert "rows' column 订阅" in " ".join(desk.type("members", "import", "with.csv").out.split())
    desk.write("without.csv", "姓名,手机\n丙,19900000003\n")
    assert "Give the file a column subscribed" in desk.type("members", "import", "without.csv").out


def test_numbers_and_dates_of_a_table_stay_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "66")
    rows = [(1, "1,24****0001", "2026-11-24 10:00", "long " * 12, 1234567)]
    screen = Console(width=66)
    with screen.capture() as told:
        screen.print(table("id", "number", "at", "what happened", "people", rows=rows, right=(0, 4)))
    lines = told.get().splitlines()
    assert max(map(len, lines)) <= 66
    assert any("1,24****0001" in line and "2026-11-24 10:00" in line and "1,234,567" in line for line in lines)
    assert sum("long" in line for line in lines) > 3, "what is long is folded"


@pytest.mark.parametrize("width", range(20, 121, 3))
def test_a_table_loses_nothing_however_narrow(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Each column has signs of its own, so that what stands in it can be read in its order."""
    monkeypatch.setenv("COLUMNS", str(width))
    row = "123456789012", "abcdefghijklmnopqrst", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "甲乙丙丁戊己"
    screen = Console(width=width)
    with screen.capture() as told:
        screen.print(table("#", "%", "&", "§", rows=[row]))
    seen = told.get()
    assert "".join(filter(str.isdigit, seen)) == row[0]
    assert "".join(filter(str.islower, seen)) == row[1]
    assert "".join(filter(str.isupper, seen)) == row[2]
    assert "".join(sign for sign in seen if sign in row[3]) == row[3]
