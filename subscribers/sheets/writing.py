"""Rows -> CSV or XLSX that any spreadsheet opens as they are meant, and that is read back without a change.

No cell becomes a formula: in CSV an apostrophe keeps it from that (`cells`), in XLSX it has the type of a text.
"""

from __future__ import annotations

import csv
import itertools
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from subscribers.cells import protect, unprotect
from subscribers.errors import Invalid, Unavailable

WriteRow = Callable[[Sequence[object]], object]

#: what a sheet of a workbook holds
SHEET_ROWS, SHEET_CELL = 1_048_576, 32_767
#: before that day, spreadsheets count a day that never was
_FIRST_SURE_DAY = date(1900, 3, 1)
_OTHER_KINDS = (".xls", ".xlsm", ".xlsb", ".ods", ".numbers")
_WIDTH = 14


def write_sheet(path: Path, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a file: how many rows it has beside the headings. Raises as `sheet_file`."""
    count = 0
    with sheet_file(path) as write:
        write(headings)
        for row in rows:
            write(row)
            count += 1
    return count


@contextmanager
def sheet_file(path: Path) -> Iterator[WriteRow]:
    """Write rows to a file, XLSX if its name ends so and CSV else; cells are text, days or figures.

    A file already there is replaced at the end, or left alone if anything fails. Raises `Unavailable` if it cannot be
    written, `Invalid` for an ending of another kind or for more than a workbook holds.
    """
    if path.suffix.lower() in _OTHER_KINDS:
        raise Invalid(
            "{file}: files of this kind are not written here.",
            hint="Give a name that ends in .csv or .xlsx.",
            file=path.name,
        )
    written = _xlsx if path.suffix.lower() == ".xlsx" else _csv
    try:
        if written is _csv and _is_device(path):
            with _csv(path) as write:
                yield write
            return
        real = path.resolve()
        # what is unfinished is nobody's to open, and goes with its folder whatever happens
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=real.parent) as folder:
            unfinished = Path(folder) / real.name
            with written(unfinished) as write:
                yield write
            unfinished.replace(real)
    except OSError as error:
        raise Unavailable(
            "{file} cannot be written: {reason}.",
            hint="Check the folder, its rights and its free space.",
            file=str(path),
            reason=error.strerror or type(error).__name__,
        ) from None


def _is_device(path: Path) -> bool:
    """Whether it is a pipe or the like, which cannot be replaced."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


@contextmanager
def _csv(path: Path) -> Iterator[WriteRow]:
    # the mark at its beginning tells spreadsheets that it is UTF-8
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        write = csv.writer(file).writerow
        yield lambda row: write([protect(cell) if isinstance(cell, str) else cell for cell in row])


@contextmanager
def _xlsx(path: Path) -> Iterator[WriteRow]:
    # read late: hardly any command writes a workbook, and each would wait for it
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxFileError

    options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_urls": False}
    try:
        with xlsxwriter.Workbook(str(path), options) as book:
            yield _filling(book)
    except XlsxFileError as error:
        cause = error.args[0] if error.args else None
        raise cause if isinstance(cause, OSError) else OSError(0, type(error).__name__) from None


def _filling(book: Any) -> WriteRow:
    """Writes rows to a new sheet, the first one at its top."""
    sheet = book.add_worksheet()
    text = book.add_format({"num_format": "@"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    numbers = itertools.count()

    def write(row: Sequence[object]) -> None:
        number = next(numbers)
        if number == SHEET_ROWS:
            raise Invalid(
                "A sheet of a workbook holds {most} rows, and this would be more.",
                hint="Give a name that ends in .csv.",
                most=SHEET_ROWS,
            )
        if number == 0:
            # what is typed in later is text as well: a spreadsheet takes long numbers for quantities. Only as many
            # columns as there are: each row costs a step for every one of them
            sheet.set_column(0, max(len(row), 1) - 1, _WIDTH, text)
        for column, cell in enumerate(row):
            if cell is not None and cell != "":
                _write_cell(sheet, number, column, cell, text, day)

    return write


def _write_cell(sheet: Any, row: int, column: int, cell: object, text: Any, day: Any) -> None:
    if isinstance(cell, date) and not isinstance(cell, datetime) and cell >= _FIRST_SURE_DAY:
        sheet.write_datetime(row, column, cell, day)
    elif isinstance(cell, (int, float, Decimal)) and not isinstance(cell, bool):
        sheet.write_number(row, column, cell)
    else:
        words = str(cell)
        # an apostrophe only where the cell would be taken for one that has it already, or lose its spaces
        kept = words if unprotect(words.strip()) == words else protect(words)
        if len(kept) > SHEET_CELL:
            raise Invalid(
                "A cell of a workbook holds {most} characters, and this one has {length}.",
                hint="Give a name that ends in .csv.",
                most=SHEET_CELL,
                length=len(kept),
            )
        sheet.write_string(row, column, kept, text)
