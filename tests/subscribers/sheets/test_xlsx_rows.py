"""Workbooks: every cell as the text that a person sees, read by a process that may die and is stopped with us."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from subscribers.errors import Invalid
from subscribers.sheets import Limits, open_sheet
from subscribers.sheets.xlsx_child import as_text

Fill = Callable[[Any, Any], None]


def workbook(path: Path, fill: Fill) -> Path:
    with xlsxwriter.Workbook(path) as book:
        fill(book, book.add_worksheet("List"))
    return path


def rows(path: Path, limits: Limits | None = None, named: str = "") -> list[tuple[int, list[str]]]:
    sheet = open_sheet(path, limits or Limits(), named=named)
    return list(sheet.rows(sheet.samples()[0]))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13800000000.0, "13800000000"),
        (1.38e10, "13800000000"),
        (7.0, "7"),
        (-0.0, "0"),
        (1.5, "1.5"),
        (0.1 + 0.2, "0.3"),
        (999999999999999.0, "999999999999999"),
        # the digits behind are lost, and it must be seen
        (110101199001011234.0, "1.10101199001011e+17"),
        (True, "TRUE"),
        (False, "FALSE"),
        ("007", "007"),
        (date(2026, 11, 21), "2026-11-21"),
        (datetime.fromisoformat("2026-11-21 00:00:00"), "2026-11-21"),
        (datetime.fromisoformat("2026-11-21 10:30:00"), "2026-11-21 10:30"),
        (datetime.fromisoformat("2026-11-21 10:30:05"), "2026-11-21 10:30:05"),
        (datetime.fromisoformat("2026-11-20 23:59:59.999900"), "2026-11-21"),
        (time(10, 30), "10:30:00"),
        (timedelta(hours=30), "30:00:00"),
    ],
)
def test_a_cell_is_the_text_that_a_person_sees(value: Any, text: str) -> None:
    assert as_text(value) == text


def test_every_kind_of_cell_is_read(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(2, 1, ["姓名", "手机"])
        sheet.write_string(3, 1, "读者甲")
        sheet.write_number(3, 2, 19900000001)
        sheet.write_string(3, 3, "007")
        sheet.write_datetime(3, 4, datetime.fromisoformat("2026-11-21 00:00:00"), day)
        sheet.write_boolean(3, 5, True)
        sheet.write_formula(4, 1, "=1+1", None, 2)
        sheet.write_formula(4, 2, "=NA()", None, "#N/A")
        sheet.write_formula(4, 3, '="a"', None, "<a>")
        sheet.write_string(6, 1, "two\r\nlines\t_x000D_ 𠮷")
        sheet.write_blank(50, 60, None, day)

    assert rows(workbook(tmp_path / "list.xlsx", fill)) == [
        (3, ["", "姓名", "手机"]),
        (4, ["", "读者甲", "19900000001", "007", "2026-11-21", "TRUE"]),
        (5, ["", "2", "#N/A", "<a>"]),
        (7, ["", "two\r\nlines\t_x000D_ 𠮷"]),
    ]


def test_a_cell_over_several_rows_stands_in_each(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.merge_range(0, 0, 0, 2, "Our members")
        sheet.merge_range(1, 0, 3, 0, "East")
        sheet.write_column(1, 1, ["a", "b", "c", "d"])

    read = rows(workbook(tmp_path / "list.xlsx", fill))
    assert [cells for _, cells in read] == [["Our members"], ["East", "a"], ["East", "b"], ["East", "c"], ["", "d"]]


def test_sheets_that_are_seen_are_tried_in_order_and_any_can_be_named(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, "cover")
        book.add_worksheet("empty")
        hidden = book.add_worksheet("hidden")
        hidden.write(0, 0, "secret")
        hidden.hide()
        book.add_worksheet("people").write_column(0, 0, [str(n) for n in range(30)])

    path = workbook(tmp_path / "list.xlsx", fill)
    samples = open_sheet(path, Limits()).samples()
    assert [(sample.way, len(sample.rows)) for sample in samples] == [("List", 1), ("empty", 0), ("people", 20)]
    assert rows(path, named="hidden") == [(1, ["secret"])]
    with pytest.raises(Invalid, match="no sheet of this name") as refused:
        rows(path, named="nobody")
    assert refused.value.fields["sheets"] == ["List", "empty", "people"]


def test_a_workbook_without_any_sheet_that_is_seen_has_one_sample_without_rows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", lambda book, sheet: None)
    sheet = open_sheet(path, Limits())
    assert list(sheet.rows(sheet.samples()[0])) == []


def test_many_rows_come_in_order(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        for number in range(1300):
            sheet.write_row(number, 0, [f"n{number}", "x" * 400])

    read = rows(workbook(tmp_path / "list.xlsx", fill))
    assert [(number, cells[0]) for number, cells in read] == [(n + 1, f"n{n}") for n in range(1300)]


def test_a_reader_who_stops_leaves_no_process_behind(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        for number in range(20_000):
            sheet.write_row(number, 0, ["x" * 50] * 4)

    path = workbook(tmp_path / "list.xlsx", fill)
    sheet = open_sheet(path, Limits())
    reading = sheet.rows(sheet.samples()[0])
    assert next(reading)[0] == 1
    children = _children()
    reading.close()  # type: ignore[attr-defined]
    assert len(children) == 1
    assert _children() == []


def _children() -> list[str]:
    listed = subprocess.run(["ps", "-e", "-ww", "-o", "ppid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.split()[0] == str(os.getpid()) and "xlsx_child" in line]


def test_more_columns_than_allowed_are_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", lambda book, sheet: sheet.write_row(4, 0, ["x"] * 201))
    with pytest.raises(Invalid, match="201 columns in row 5"):
        rows(path)


def test_two_cells_at_the_far_corners_do_not_take_the_memory(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, "a")
        sheet.write(1_048_575, 16_383, "z")

    with pytest.raises(Invalid, match="needs more than 512 MiB"):
        rows(workbook(tmp_path / "list.xlsx", fill))


def test_a_workbook_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, "a")
        sheet.write(400_000, 40, "z")

    path = workbook(tmp_path / "list.xlsx", fill)
    with pytest.raises(Invalid, match="takes more than 1 seconds"):
        rows(path, Limits(seconds=1, memory=4 << 30))


def test_a_sheet_that_is_no_xml_is_told(tmp_path: Path) -> None:
    good = workbook(tmp_path / "good.xlsx", lambda book, sheet: sheet.write(0, 0, "a"))
    bad = tmp_path / "bad.xlsx"
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(bad, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"<worksheet><sheetData><row" if "sheet1" in name else old.read(name))
    with pytest.raises(Invalid, match="damaged workbook"):
        rows(bad)


def test_a_workbook_that_changes_or_goes_is_told(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", lambda book, sheet: sheet.write(0, 0, "a"))
    sheet = open_sheet(path, Limits())
    sample = sheet.samples()[0]
    workbook(path, lambda book, sheet: sheet.write(0, 0, "bb"))
    with pytest.raises(Invalid, match="changed while it was read"):
        list(sheet.rows(sample))
    path.unlink()
    with pytest.raises(Invalid, match="cannot be read"):
        list(sheet.rows(sample))


def test_no_dump_of_the_child_is_left(tmp_path: Path) -> None:
    """A core file would hold the list."""
    code = "from subscribers.sheets import xlsx_child; import resource\n"
    code += "try: xlsx_child.main({'memory': 1 << 30, 'seconds': 5, 'has_error_cells': False})\n"
    code += "except BaseException: print(resource.getrlimit(resource.RLIMIT_CORE)[0])"
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"
