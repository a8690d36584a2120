"""The one door for spreadsheets: whatever the file is, it has rows of text."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from subscribers.errors import Invalid
from subscribers.sheets.csv_rows import CsvSheet
from subscribers.sheets.faults import too_large, too_many_rows, unreadable
from subscribers.sheets.limits import Limits
from subscribers.sheets.rows import Row, Sample
from subscribers.sheets.xlsx_rows import XlsxSheet

__all__ = ["Limits", "Row", "Sample", "Sheet", "data_rows", "open_sheet"]

_HEAD = 4096


class Sheet(Protocol):
    """A file that was looked at and can be read, as often as wanted. Its methods raise `Invalid`."""

    @property
    def file(self) -> str:
        """Its name without the folder, for messages."""

    def samples(self) -> list[Sample]:
        """Every way to read it, with its first rows: whoever knows the headings chooses one.

        Never empty: at least one way, perhaps without rows. CSV: by comma, semicolon, tab. XLSX: each visible sheet.
        """

    def rows(self, sample: Sample) -> Iterator[Row]:
        """Every row in this way, from the first on, with its number as a spreadsheet counts.

        Nothing is kept in memory. Cells are as they are in the file: neither stripped nor unprotected, and a row may
        have fewer or more of them than the row of headings.
        """


def open_sheet(path: Path, limits: Limits, *, named: str = "") -> Sheet:
    """Look at a CSV or XLSX file, told apart by what is in them; `named` picks one sheet of a workbook.

    Raises `Invalid` for what is neither, is not there, is too large or is made to do harm.
    """
    head = _head(path, limits)
    if head.startswith(b"PK\x03\x04"):
        return XlsxSheet(path, limits, named)
    _refuse_others(path, head)
    if named:
        raise Invalid(
            "{file} has no sheets: only a workbook has.", hint="Leave out the name of the sheet.", file=path.name
        )
    return CsvSheet(path, limits)


def data_rows(sheet: Sheet, sample: Sample, limits: Limits, *, after: int) -> Iterator[Row]:
    """The rows below the headings, which stand in row `after`, that have something in them.

    Raises `Invalid` for more of them than are taken in, and what the sheet raises.
    """
    taken = 0
    for row in sheet.rows(sample):
        # nearly every row has something in its first cell
        if row[0] <= after or not ((row[1] and row[1][0].strip()) or any(map(str.strip, row[1]))):
            continue
        taken += 1
        if taken > limits.rows:
            raise too_many_rows(sheet.file, limits.rows)
        yield row


def _head(path: Path, limits: Limits) -> bytes:
    try:
        status = path.stat()
        # a pipe would wait for a writer, a device may never end
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise Invalid("{file} is no file.", hint="Save the list as a file, and give its name.", file=path.name)
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise unreadable(path, error) from None
    if not head:
        raise Invalid("{file} is empty.", hint="Save the list once more.", file=path.name)
    if status.st_size > limits.bytes:
        raise too_large(path, status.st_size, limits.bytes)
    return head


def _refuse_others(path: Path, head: bytes) -> None:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise Invalid(
            "{file} is a workbook of the old kind (.xls), or one with a password.",
            hint='Open it in the spreadsheet program, and save it as .xlsx without a password, or as "CSV UTF-8".',
            file=path.name,
        )
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        raise Invalid(
            "{file} is a web page or XML, whatever its ending says.",
            hint='Open it in the spreadsheet program, and save it as .xlsx or as "CSV UTF-8".',
            file=path.name,
        )
