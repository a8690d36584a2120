"""SQLite has one writer at a time. Who wants to be the next waits at a file beside the database, and looks again soon.

SQLite itself lets them sleep in growing steps, up to a tenth of a second: the lock is nobody's for much of the time,
and a form may wait for seconds behind a sender that has begun anew before it looks again. The file is only an order,
for threads and processes alike: SQLite still sees to it that one writes at a time, and who does not know of the file
is waited for in SQLite's own way.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from typing import Any

from sqlalchemy.engine import Connection

from subscribers.clock import monotonic

#: seconds that a transaction waits at the file, and then for SQLite; after both it is told that the database is locked
PATIENCE, AND_THEN = 20.0, 10.0
#: between two looks: far less than a transaction takes, far more than a look costs
LOOK_AGAIN = 0.001


class QueueingConnection(sqlite3.Connection):
    """Holds the place of the writer from before its transaction begins until it has ended, however it ends."""

    #: the file, once it is open; a lock on it is gone with the process
    _place: int | None = None
    _is_writer = False

    def stand_in_line(self, path: str) -> None:
        """From now on, wait at this file. Where it cannot be made, SQLite's own way is all there is."""
        with contextlib.suppress(OSError):
            self._place = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def become_writer(self) -> None:
        """Wait until nobody else writes, or for so long that SQLite shall say that somebody does."""
        if self._place is None or self._is_writer:
            return
        until = monotonic() + PATIENCE
        while not (is_free := _taken(self._place)) and monotonic() < until:
            time.sleep(LOOK_AGAIN)
        self._is_writer = is_free

    def step_down(self) -> None:
        """Let the next one write."""
        if self._is_writer and self._place is not None:
            self._is_writer = False
            fcntl.flock(self._place, fcntl.LOCK_UN)

    def commit(self) -> None:
        """As `sqlite3` does it. What cannot be committed is rolled back, and ends there."""
        super().commit()
        self.step_down()

    def rollback(self) -> None:
        """As `sqlite3` does it."""
        try:
            super().rollback()
        finally:
            self.step_down()

    def close(self) -> None:
        """As `sqlite3` does it."""
        try:
            super().close()
        finally:
            place, self._place, self._is_writer = self._place, None, False
            if place is not None:
                os.close(place)


def begin(connection: Connection) -> None:
    """Begin a transaction: one that may write waits for its turn at once, not at its first write."""
    if connection.get_execution_options().get("broadsheet_reading", False):
        connection.exec_driver_sql("BEGIN")
        return
    mine: Any = connection.connection.dbapi_connection
    mine.become_writer()
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except BaseException:
        mine.step_down()
        raise


def _taken(place: int) -> bool:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
