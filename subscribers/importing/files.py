"""A CSV file of unknown origin -> rows of cells: its encoding is found out, a broken file is refused whole."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from subscribers.errors import Invalid

DELIMITERS = (",", ";", "\t")
#: rows among which the headings are looked for, and characters in which to look
SAMPLE_ROWS = 20
_SAMPLE = 65_536
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken in: rows and columns of a file, characters of a cell, bytes of the file."""

    rows: int = 10_000_000
    columns: int = 200
    cell: int = 4096
    bytes: int = 2 << 30


Row = tuple[int, list[str]]


def find_encoding(path: Path, limits: Limits) -> str:
    """UTF-8 with or without a mark, UTF-16, or GB18030. Raises `Invalid` for what is no text, or not there."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_SAMPLE)
    except OSError as error:
        raise _unreadable(path, error) from None
    if not head.strip():
        raise Invalid("{file} is empty.", hint="Save the list as CSV once more.", file=path.name)
    if size > limits.bytes:
        raise Invalid(
            "{file} is too large: {size} bytes, at most {most}.",
            hint="Split it into several files.",
            file=path.name,
            size=size,
            most=limits.bytes,
        )
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise Invalid(
            "{file} is a workbook, not CSV.",
            hint='Open it in the spreadsheet program, and save it as "CSV UTF-8".',
            file=path.name,
        )
    for encoding in _candidates(head):
        if _decodes(path, encoding):
            return encoding
    raise Invalid(
        "{file} is no text: it is neither UTF-8, UTF-16 nor GB18030, or it is damaged.",
        hint='Open the list in the spreadsheet program, and save it as "CSV UTF-8".',
        file=path.name,
    )


def sample_rows(path: Path, encoding: str, delimiter: str) -> list[Row]:
    """The first rows, read forgivingly, to look for headings in."""
    with path.open(encoding=encoding, newline="") as file:
        text = file.read(_SAMPLE)
    rows: list[Row] = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1):
            rows.append((number, cells))
            if number == SAMPLE_ROWS:
                break
    except csv.Error:
        return []
    return rows


def read_rows(path: Path, encoding: str, delimiter: str, limits: Limits) -> Iterator[Row]:
    """Every row with its number as a spreadsheet counts; nothing is kept in memory. Raises `Invalid`."""
    number, first_line = 0, 1
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                if "field larger" in str(error):
                    raise Invalid(
                        "{file}: a cell in line {line} is too long.",
                        hint="Look at line {line}: is a line break or a separator missing?",
                        file=path.name,
                        line=first_line,
                    ) from None
                raise Invalid(
                    "{file} is broken from line {line} on: a quote is never closed, or stands inside a cell.",
                    hint='Look at line {line}. A cell that holds quotes is written "so ""to"" say".',
                    file=path.name,
                    line=first_line,
                ) from None
            if cells is None:
                return
            number, first_line = number + 1, reader.line_num + 1
            if len(cells) > limits.columns:
                raise Invalid(
                    "{file} has {columns} columns in row {row}, at most {most}.",
                    hint="Leave out the columns that are not needed.",
                    file=path.name,
                    columns=len(cells),
                    row=number,
                    most=limits.columns,
                )
            yield number, cells


def _candidates(head: bytes) -> list[str]:
    if head.startswith(codecs.BOM_UTF8):
        return ["utf-8-sig"]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ["utf-16"]
    if b"\0" not in head:
        return ["utf-8", "gb18030"]
    # UTF-16 without a mark: then there are lines and delimiters in it, but not with the bytes swapped
    return [name for name in ("utf-16-le", "utf-16-be") if _looks_like_a_list(head.decode(name, "ignore"))]


def _looks_like_a_list(text: str) -> bool:
    return ("\n" in text or "\r" in text) and any(delimiter in text for delimiter in DELIMITERS)


def _decodes(path: Path, encoding: str) -> bool:
    """Whether all of the file is text in this encoding, without the control characters that no list has."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeError:
                return False
            if text.translate(_NO_CONTROLS) != text:
                return False
            if not block:
                return True


#: C0 controls but tab, line feed, vertical tab, form feed, carriage return
_NO_CONTROLS = dict.fromkeys(code for code in range(32) if code not in (9, 10, 11, 12, 13))


def _unreadable(path: Path, error: OSError) -> Invalid:
    return Invalid(
        "{file} cannot be read: {reason}.",
        hint="Check the name and the rights of the file.",
        file=str(path),
        reason=error.strerror or type(error).__name__,
    )
