"""What every kind of file is read as."""

from __future__ import annotations

from dataclasses import dataclass

#: the number of the row as a spreadsheet counts, and its cells
Row = tuple[int, list[str]]

#: rows among which the headings are looked for
SAMPLE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """One way to read a file, and the first rows that it gives: a delimiter of a CSV, a sheet of a workbook."""

    way: str
    rows: list[Row]
