"""How far a list is, and the wish to stop, between whoever works on it and the page that asks.

In the row of the job where the database takes more than one writer. On SQLite whoever takes a list in is the only one
until it is done, so there it stands in files beside: all processes of such an installation see one folder.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Protocol

from broadcaster.runtime import Runtime
from subscribers import list_jobs
from subscribers.actor import Actor
from subscribers.list_jobs import Claimed


class Notes(Protocol):
    """Of all jobs."""

    def tell(self, claimed: Claimed, rows: int) -> bool:
        """So many rows are done. Whether to go on: it may have been called off, or begun by somebody else."""

    def rows(self, token: str, otherwise: int) -> int:
        """How many rows are done; `otherwise` stands in the row of the job."""

    def ask_to_stop(self, actor: Actor, token: str) -> None:
        """It is not to be done after all. Raises `NotFound` for somebody else's."""

    def clear(self, claimed: Claimed) -> None:
        """Nobody is at it any more."""


def notes_of(house: Runtime) -> Notes:
    """The kind that fits the database of this installation."""
    if house.engine.dialect.name == "sqlite":
        return _Files(house, house.settings.data / "lists")
    return _Rows(house)


class _Rows:
    def __init__(self, house: Runtime) -> None:
        self._house = house

    def tell(self, claimed: Claimed, rows: int) -> bool:
        with self._house.begin() as tx:
            list_jobs.tell(tx.session, claimed, rows)
            return list_jobs.is_to_go_on(tx.session, claimed)

    def rows(self, token: str, otherwise: int) -> int:
        del token
        return otherwise

    def ask_to_stop(self, actor: Actor, token: str) -> None:
        with self._house.begin() as tx:
            list_jobs.ask_to_stop(tx.session, actor, token)

    def clear(self, claimed: Claimed) -> None:
        del claimed


class _Files:
    def __init__(self, house: Runtime, folder: Path) -> None:
        self._house = house
        self._folder = folder

    def tell(self, claimed: Claimed, rows: int) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._folder / claimed.token).write_text(str(rows), encoding="ascii")
        return not self._stop(claimed.token).exists()

    def rows(self, token: str, otherwise: int) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int((self._folder / token).read_text(encoding="ascii"))
        return otherwise

    def ask_to_stop(self, actor: Actor, token: str) -> None:
        with self._house.reading() as tx:
            found = list_jobs.find(tx.session, actor, token)
        if found.is_open:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._stop(found.token).touch()

    def clear(self, claimed: Claimed) -> None:
        for file in (self._folder / claimed.token, self._stop(claimed.token)):
            file.unlink(missing_ok=True)

    def _stop(self, token: str) -> Path:
        return self._folder / f"{token}.stop"
