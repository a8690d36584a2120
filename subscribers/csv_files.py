"""CSV files that any spreadsheet opens as they are meant."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from subscribers.errors import Unavailable

WriteRow = Callable[[Sequence[object]], object]


@contextmanager
def csv_file(path: Path, *, told: Path | None = None) -> Iterator[WriteRow]:
    """Write rows to a new file; the mark at its beginning tells spreadsheets that it is UTF-8.

    `told` is the name that a person knows it by. Raises `Unavailable` if it cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            yield csv.writer(file).writerow
    except OSError as error:
        raise Unavailable(
            "{file} cannot be written: {reason}.",
            hint="Check the folder, its rights and its free space.",
            file=str(told or path),
            reason=error.strerror or type(error).__name__,
        ) from None
