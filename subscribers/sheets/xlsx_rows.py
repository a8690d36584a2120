"""A workbook -> rows: checked for bombs, then read by a process of its own with little memory and time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from subscribers.sheets.limits import Limits
from subscribers.sheets.rows import Row, Sample


class XlsxSheet:
    """A workbook that may be opened; `named` is the sheet that is wanted, or empty."""

    def __init__(self, path: Path, limits: Limits, named: str = "") -> None:
        self._path = path
        self._limits = limits
        self._named = named

    @property
    def file(self) -> str:
        """Its name without the folder."""
        return self._path.name

    def samples(self) -> list[Sample]:
        """The first rows of each visible sheet, or of the one that is named."""
        raise NotImplementedError

    def rows(self, sample: Sample) -> Iterator[Row]:
        """Every row of the sheet."""
        raise NotImplementedError
