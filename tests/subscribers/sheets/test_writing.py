"""What is written is read back as it was, no spreadsheet calculates with it, and a failure leaves what was there."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.cells import unprotect
from subscribers.errors import Invalid, Unavailable
from subscribers.sheets import Limits, open_sheet, write_sheet, writing

ENDINGS = [".csv", ".xlsx"]


def read(path: Path) -> list[list[str]]:
    """As the import takes cells: stripped, and freed from the apostrophe."""
    sheet = open_sheet(path, Limits())
    return [[unprotect(cell.strip()) for cell in cells] for _, cells in sheet.rows(sheet.samples()[0])]


cells = st.text(st.sampled_from("'=+-@＝＋ab读𠮷é, ;\"\t\r\n<&_x0D01\u2028\u200b"), max_size=8).filter(
    # nobody's cell begins or ends with a space after the import has read it, but behind a protecting apostrophe
    lambda cell: unprotect(cell.strip()) == cell or unprotect(f"'{cell}".strip()) == cell
)


@pytest.mark.parametrize("ending", ENDINGS)
@given(table=st.lists(st.lists(cells, min_size=2, max_size=2), max_size=6))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_text_comes_back(tmp_path: Path, ending: str, table: list[list[str]]) -> None:
    path = tmp_path / f"out{ending}"
    written = [[*row, "end"] for row in table]
    assert write_sheet(path, ["a", "b", "c"], written) == len(table)
    assert read(path) == [["a", "b", "c"], *written]


@pytest.mark.parametrize("ending", ENDINGS)
@given(day=st.dates(date(1899, 12, 1), date(2100, 1, 1)))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_day_comes_back(tmp_path: Path, ending: str, day: date) -> None:
    path = tmp_path / f"out{ending}"
    write_sheet(path, ["day"], [[day]])
    assert read(path) == [["day"], [day.isoformat()]]


@pytest.mark.parametrize("ending", ENDINGS)
def test_figures_are_figures_and_nothing_is_nothing(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    write_sheet(path, ["a", "b", "c", "d", "e", "f"], [[7, Decimal("0.045"), 1.5, None, True, "007"]])
    assert read(path)[1] == ["7", "0.045", "1.5", "", "True", "007"]


def test_formulas_are_texts_in_a_workbook_without_any_apostrophe(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    write_sheet(path, ["=HEAD()"], [["=1+1"], ["+8613"], ["http://a.example"], ["'=1"], ["{=1}"]])
    sheet = open_sheet(path, Limits())
    shown = [cells[0] for _, cells in sheet.rows(sheet.samples()[0])]
    # one that looks protected is protected once more
    assert shown == ["=HEAD()", "=1+1", "+8613", "http://a.example", "''=1", "{=1}"]
    with zipfile.ZipFile(path) as parts:
        xml = b"".join(parts.read(name) for name in parts.namelist())
    assert b"<f>" not in xml and b"hyperlink" not in xml


def test_formulas_are_kept_from_it_in_csv(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_sheet(path, ["=a"], [["+1"], ["1"], [" @x"]])
    assert path.read_bytes() == b"\xef\xbb\xbf'=a\r\n'+1\r\n1\r\n' @x\r\n"


def failing() -> Iterator[Sequence[object]]:
    yield ["1"]
    raise RuntimeError("half way")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failure_leaves_the_file_that_was_there_and_nothing_else(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(RuntimeError):
        write_sheet(path, ["a"], failing())
    assert path.read_text(encoding="utf-8") == "mine"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_cannot_be_written_is_told(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"folder{ending}").mkdir()
    for path in (tmp_path / "no folder" / f"out{ending}", tmp_path / f"folder{ending}"):
        with pytest.raises(Unavailable, match="cannot be written"):
            write_sheet(path, ["a"], [["1"]])
    assert [file.name for file in tmp_path.iterdir()] == [f"folder{ending}"]


def test_a_full_disk_is_told() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    with pytest.raises(Unavailable, match="No space left"):
        write_sheet(Path("/dev/full"), ["a"], [["x" * 100_000]])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("old", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to("real.csv")
    write_sheet(tmp_path / "link.csv", ["a"], [])
    assert (tmp_path / "link.csv").is_symlink()
    assert read(tmp_path / "real.csv") == [["a"]]


@pytest.mark.parametrize("ending", [".xls", ".ODS", ".xlsm"])
def test_other_kinds_are_not_written(tmp_path: Path, ending: str) -> None:
    with pytest.raises(Invalid, match="not written here") as refused:
        write_sheet(tmp_path / f"out{ending}", ["a"], [])
    assert ".xlsx" in refused.value.hint


def test_more_than_a_workbook_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SHEET_ROWS", 3)
    write_sheet(tmp_path / "out.xlsx", ["a"], [["1"]] * 2)
    with pytest.raises(Invalid, match="holds 3 rows"):
        write_sheet(tmp_path / "out.xlsx", ["a"], [["1"]] * 3)
    with pytest.raises(Invalid, match="32767 characters"):
        write_sheet(tmp_path / "out.xlsx", ["a"], [["x" * 32_768]])
    assert len(read(tmp_path / "out.xlsx")) == 3
