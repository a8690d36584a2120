"""A CSV file of unknown origin -> rows of cells: its encoding is found out, a broken file is refused whole."""

from __future__ import annotations

from pathlib import Path

from subscribers.errors import Invalid
from subscribers.sheets import encodings
from subscribers.sheets.csv_rows import DELIMITERS, first_rows, read_rows
from subscribers.sheets.faults import too_large, unreadable
from subscribers.sheets.limits import Limits
from subscribers.sheets.rows import SAMPLE_ROWS, Row

__all__ = ["DELIMITERS", "SAMPLE_ROWS", "Limits", "Row", "find_encoding", "read_rows", "sample_rows"]


def find_encoding(path: Path, limits: Limits) -> str:
    """UTF-8 with or without a mark, UTF-16, or GB18030. Raises `Invalid` for what is no text, or not there."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise unreadable(path, error) from None
    if size > limits.bytes:
        raise too_large(path, size, limits.bytes)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Invalid(
            "{file} is a workbook, not CSV.",
            hint='Open it in the spreadsheet program, and save it as "CSV UTF-8".',
            file=path.name,
        )
    return encodings.find_encoding(path)


def sample_rows(path: Path, encoding: str, delimiter: str) -> list[Row]:
    """The first rows, read forgivingly, to look for headings in."""
    return first_rows(path, encoding, delimiter)
