"""The refused rows, in a file that can be corrected and imported again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

from subscribers.errors import Invalid
from subscribers.importing.columns import REFUSED_REASON, REFUSED_ROW, is_of_refusal
from subscribers.sheets import write_sheet
from subscribers.written_numbers import veiled

#: cells of a row that are shown on a page
SHOWN = 4


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken in: its number, why (a sentence and a hint over fields), and its cells as they were."""

    row: int
    message: str
    hint: str
    fields: dict[str, Any] = field(repr=False)
    cells: tuple[str, ...] = field(repr=False)

    @property
    def reason(self) -> str:
        """Why, in English, in one line."""
        return f"{self.message} {self.hint}".format(**self.fields).strip()


def refuse(row: int, cells: Sequence[str], error: Invalid) -> RefusedRow:
    """The refusal of a row for this fault."""
    return RefusedRow(row, error.message, error.hint, error.fields, tuple(cells))


def write_rejects(
    path: Path,
    headings: Sequence[str],
    refused: Sequence[RefusedRow],
    *,
    why: Callable[[RefusedRow], str] = lambda one: one.reason,
    heads: tuple[str, str] = (REFUSED_ROW, REFUSED_REASON),
) -> None:
    """Write the rows as CSV or XLSX, with number and reason before the file's own columns; `why` words the reason.

    `heads` are those of number and reason. Corrected, it can be imported as it is: the two columns are left aside,
    and replaced if rows are refused again.
    Raises `Unavailable` if it cannot be written, `Invalid` for an ending of another kind.
    """
    own = _own(headings)
    write_sheet(
        path,
        [*heads, *_cells(own, headings)],
        ([one.row, why(one), *_cells(own, one.cells)] for one in refused),
    )


def as_it_stood(headings: Sequence[str], one: RefusedRow) -> list[str]:
    """The first cells of a row, short and with the digits of numbers veiled: enough to know it again on a page."""
    return [veiled(cell) for cell in _cells(_own(headings), one.cells) if cell.strip()][:SHOWN]


def _own(headings: Sequence[str]) -> list[bool]:
    return [not is_of_refusal(heading) for heading in headings]


def _cells(own: Sequence[bool], row: Sequence[str]) -> list[str]:
    return [*compress(row, own), *row[len(own) :]]
