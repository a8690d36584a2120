"""Reads one workbook from standard input, in a process with little memory and time, and hands its rows over.

It is started as a file of its own (`xlsx_rows`), and imports nothing of the house. Whatever the workbook makes of
the reader happens here and ends here. It writes frames: 4 bytes of length and JSON, which is a list of rows
(`[number, [cell, ...]]`), a sheet's name, or an object that says how it ended.
"""

from __future__ import annotations

import io
import json
import re
import resource
import struct
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

_ROWS, _CHARACTERS = 500, 1 << 18
#: digits that a spreadsheet keeps and shows
_DIGITS = 15
_ERROR_CELL = re.compile(rb"(<c\s[^>]*?)\bt=[\"']e[\"']")
_SHOWN = 50

Cell = str | float | bool | date | time | timedelta


def as_text(value: Cell) -> str:
    """What a person sees in the cell, written in the one way that the import reads."""
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            short = f"{value:.{_DIGITS}g}"
            # + 0: there is no "-0"
            return f"{value + 0:.0f}" if value == int(value) and abs(value) < 10**_DIGITS else short
        case datetime():
            return _moment(value)
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("seconds")
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    raise TypeError(f"{value!r} is no cell")


def _moment(value: datetime) -> str:
    whole = (value + timedelta(microseconds=500_000)).replace(microsecond=0)
    if whole.time() == time():
        return whole.date().isoformat()
    return whole.isoformat(" ", "minutes" if whole.second == 0 else "seconds")


def rows_of(sheet: Any, most: int) -> Iterator[tuple[int, list[str]]]:
    """The rows that have something in them, up to the last cell that has; with their numbers, from 1.

    A cell that goes over several rows stands in each of them: a branch is written once beside all its people.
    """
    starts: dict[int, list[tuple[int, int]]] = {}
    for (first, column), (last, _) in sheet.merged_cell_ranges or ():
        if last > first:
            starts.setdefault(first, []).append((column, last))
    below: dict[int, tuple[int, str]] = {}
    # the reader begins with the first row, but with the first column that is used
    empty = [""] * (sheet.start[1] if sheet.start else 0)
    for index, row in enumerate(sheet.iter_rows()):
        cells = empty + [as_text(value) for value in row]
        if below:
            below = {column: held for column, held in below.items() if held[0] >= index}
            for column, (_, text) in below.items():
                cells[column] = cells[column] or text
        for column, last in starts.get(index, ()):
            if column < len(cells) and cells[column]:
                below[column] = (last, cells[column])
        while cells and not cells[-1]:
            cells.pop()
        if len(cells) > most:
            raise TooWide(len(cells), index + 1)
        if cells:
            yield index + 1, cells


class TooWide(Exception):
    """A row with more cells than are taken in: how many, and which row."""


def with_errors_as_text(file: BinaryIO) -> BinaryIO:
    """The workbook with cells like #N/A as text: the reader would give nothing for them, as if they were empty."""
    out = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.startswith("xl/worksheets/"):
                content = _ERROR_CELL.sub(rb'\1t="str"', content)
            new.writestr(name, content)
    out.seek(0)
    return out


def _tell(content: object) -> None:
    frame = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    sys.stdout.buffer.write(struct.pack(">I", len(frame)) + frame)


def _hand_over(rows: Iterator[tuple[int, list[str]]], most: int) -> None:
    """All rows, or the first `most` of them if that is not 0, in portions."""
    portion: list[tuple[int, list[str]]] = []
    size = 0
    for taken, row in enumerate(rows, 1):
        portion.append(row)
        size += sum(map(len, row[1]))
        if taken == most:
            break
        if len(portion) == _ROWS or size > _CHARACTERS:
            _tell(portion)
            portion, size = [], 0
    _tell(portion)


def _limit(what: int, value: int) -> None:
    _, most = resource.getrlimit(what)
    # where soft and hard limit are one, a process out of time ends as if it were out of memory
    resource.setrlimit(what, (value if most == resource.RLIM_INFINITY else min(value, most), most))


def main(asked: dict[str, Any]) -> None:
    """Read what `asked` names: one sheet whole, or the first rows of each visible sheet."""
    # a dump of the memory would be a copy of the list
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, asked["memory"])
    _limit(resource.RLIMIT_CPU, asked["seconds"])
    import python_calamine as calamine

    file: BinaryIO = sys.stdin.buffer
    if asked["has_error_cells"]:
        file = with_errors_as_text(file)
    book = calamine.load_workbook(file)
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
    visible = [sheet.name for sheet in sheets if sheet.visible == calamine.SheetVisibleEnum.Visible]
    wanted: str = asked["named"]
    if wanted and wanted not in [sheet.name for sheet in sheets]:
        _tell({"end": "no_sheet", "sheets": visible[:_SHOWN]})
        return
    try:
        for name in [wanted] if wanted else visible:
            _tell(name)
            _hand_over(rows_of(book.get_sheet_by_name(name), asked["columns"]), asked["rows"])
    except TooWide as error:
        columns, row = error.args
        _tell({"end": "too_wide", "columns": columns, "row": row})
        return
    _tell({"end": "done"})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    sys.stdout.flush()
