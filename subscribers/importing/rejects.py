"""The refused rows, in a file that can be corrected and imported again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

from subscribers.errors import Invalid
from subscribers.importing.columns import REFUSED_REASON, REFUSED_ROW
from subscribers.sheets import write_sheet


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
) -> None:
    """Write the rows as CSV or XLSX, with number and reason before the file's own columns; `why` words the reason.

    Corrected, it can be imported as it is: the two columns are left aside, and replaced if rows are refused again.
    Raises `Unavailable` if it cannot be written, `Invalid` for an ending of another kind.
    """
    own = [heading not in (REFUSED_ROW, REFUSED_REASON) for heading in headings]

    def cells(row: Sequence[str]) -> list[str]:
        return [*compress(row, own), *row[len(own) :]]

    write_sheet(
        path,
        [REFUSED_ROW, REFUSED_REASON, *cells(headings)],
        ([one.row, why(one), *cells(one.cells)] for one in refused),
    )
