"""The refused rows of an import, to be corrected and handed in again: kept for a month, for who may take it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from broadcaster.runtime import Runtime
from subscribers.importing import ImportResult, RefusedRow, write_rejects

#: seconds
KEPT = 30 * 24 * 3600


def keep(house: Runtime, result: ImportResult, why: Callable[[RefusedRow], str]) -> None:
    """Write them down, with the reasons; what was kept long enough goes."""
    folder = _folder(house)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with house.reading() as tx:
        oldest = tx.now.timestamp() - KEPT
    for file in folder.glob("*.csv"):
        if file.stat().st_mtime < oldest:
            file.unlink(missing_ok=True)
    if result.refused and result.import_id:
        write_rejects(folder / f"{result.import_id}.csv", result.headings, result.refused, why=why)


def find(house: Runtime, import_id: int) -> Path | None:
    """The file of an import, if there is one still."""
    file = _folder(house) / f"{import_id}.csv"
    return file if file.is_file() else None


def _folder(house: Runtime) -> Path:
    return house.settings.data / "refused"
