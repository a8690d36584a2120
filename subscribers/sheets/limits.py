"""How much is taken in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Rows and columns of a file, characters of a cell, bytes of the file; and what a workbook may cost to open."""

    rows: int = 10_000_000
    columns: int = 200
    cell: int = 4096
    bytes: int = 2 << 30
    #: bytes of a workbook once it is unpacked, and how many times its packed size these may be
    unpacked: int = 100 << 20
    ratio: int = 100
    #: files inside of a workbook
    entries: int = 200
    #: bytes of memory and seconds of work of the process that reads a workbook
    memory: int = 512 << 20
    seconds: int = 60

    @property
    def line(self) -> int:
        """Characters of a line, or of a row that goes over several: more than the widest row that is allowed."""
        return max(4 << 20, self.columns * (self.cell + 3))
