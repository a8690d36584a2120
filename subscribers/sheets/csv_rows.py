"""A CSV file -> rows: strict about quotes, and bounded in memory whatever the file holds."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from itertools import chain, count, islice
from pathlib import Path

from subscribers.errors import Invalid
from subscribers.sheets.encodings import find_encoding
from subscribers.sheets.faults import changed, too_wide, unreadable
from subscribers.sheets.limits import Limits
from subscribers.sheets.rows import SAMPLE_ROWS, Row, Sample

DELIMITERS = (",", ";", "\t")
#: characters that are read at once, and in which headings are looked for
_BLOCK = 65_536


class CsvSheet:
    """A text file with one record per line; its encoding has been found out. Raises `Invalid` if it has none."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._encoding = find_encoding(path)

    @property
    def file(self) -> str:
        """Its name without the folder."""
        return self._path.name

    def samples(self) -> list[Sample]:
        """The first rows by each delimiter, read forgivingly."""
        return [Sample(one, first_rows(self._path, self._encoding, one)) for one in DELIMITERS]

    def rows(self, sample: Sample) -> Iterator[Row]:
        """Every row with its number as a spreadsheet counts."""
        return read_rows(self._path, self._encoding, sample.way, self._limits)


def read_rows(path: Path, encoding: str, delimiter: str, limits: Limits) -> Iterator[Row]:
    """Every row with its number as a spreadsheet counts; nothing is kept in memory. Raises `Invalid`."""
    widest = limits.columns
    row: Row = (0, [])
    lines = chain.from_iterable(_batches(path, encoding, limits, lambda: row[0]))
    try:
        # as few steps as there can be: this loop is what the speed of an import hangs on
        for row in enumerate(csv.reader(lines, delimiter=delimiter, strict=True), 1):
            if len(row[1]) > widest:
                raise too_wide(path, len(row[1]), row[0], widest)
            yield row
    except csv.Error as error:
        line = _line_after(path, encoding, delimiter, limits, row[0])
        if "field larger" in str(error):
            raise Invalid(
                "{file}: a cell in line {line} is too long.",
                hint="Look at line {line}: is a line break or a separator missing?",
                file=path.name,
                line=line,
            ) from None
        raise Invalid(
            "{file} is broken from line {line} on: a quote is never closed, or stands inside a cell.",
            hint='Look at line {line}. A cell that holds quotes is written "so ""to"" say".',
            file=path.name,
            line=line,
        ) from None


def _batches(path: Path, encoding: str, limits: Limits, rows: Callable[[], int]) -> Iterator[list[str]]:
    """The lines of a file, a list for each block: the csv module takes them without a step of ours per line.

    `rows` tells how many rows have been made of them: if it stands still for too long, one row eats the file.
    """
    rest, since, rows_then = "", 0, 0
    try:
        with path.open(encoding=encoding, newline="") as file:
            while block := file.read(_BLOCK):
                lines = list(io.StringIO(rest + block, newline=""))
                # the last one may go on in the next block, and "\r" may be half of "\r\n"
                rest = "" if lines[-1].endswith("\n") else lines.pop()
                since = since + len(block) if rows() == rows_then else len(block)
                rows_then = rows()
                if since > limits.line:
                    raise Invalid(
                        "{file}: row {row} has more than {most} characters.",
                        hint="Look at row {row}: is a line break missing, or a quote never closed?",
                        file=path.name,
                        row=rows() + 1,
                        most=limits.line,
                    )
                yield lines
            yield [rest] if rest else []
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeError:
        raise changed(path) from None


def _line_after(path: Path, encoding: str, delimiter: str, limits: Limits, rows: int) -> int:
    """The line on which the row after so many begins; a row with line breaks in it is several lines."""
    reader = csv.reader(chain.from_iterable(_batches(path, encoding, limits, count().__next__)), delimiter=delimiter)
    for _ in islice(reader, rows):
        pass
    return reader.line_num + 1


def first_rows(path: Path, encoding: str, delimiter: str) -> list[Row]:
    """The first rows, read forgivingly, to look for headings in."""
    try:
        with path.open(encoding=encoding, newline="") as file:
            text = file.read(_BLOCK)
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeError:
        raise changed(path) from None
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return list(islice(enumerate(rows, 1), SAMPLE_ROWS))
    except csv.Error:
        return []
