"""SQLite has one writer at a time. Who wants to be the next waits at a file beside the database, and looks again soon.

SQLite itself lets them sleep in growing steps, up to a tenth of a second: the lock is nobody's for much of the time,
and a form may wait for seconds behind a sender that has begun anew before it looks again. A second file says that
somebody has waited long: whoever has just come lets them go first. The files are only an order, for threads and
processes alike: SQLite still sees to it that one writes at a time, and who does not know of the files is waited for in
SQLite's own way.
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
#: seconds after which others let one go first. Strict turns from the start would make a sender's lots small: dear ones
LONG = 0.05


class QueueingConnection(sqlite3.Connection):
    """Holds the place of the writer from before its transaction begins until it has ended, however it ends."""

    #: the two files, once they are open; a lock on one is gone with the process
    _place: int | None = None
    _waits_long: int | None = None
    _is_writer = False

    def stand_in_line(self, path: str) -> None:
        """From now on, wait beside the database at `path`. Where no file can be made, SQLite's own way is all."""
        with contextlib.suppress(OSError):
            self._waits_long = _opened(f"{path}-waiting")
            self._place = _opened(f"{path}-writer")

    def write_ahead(self) -> None:
        """Let the database be one whose readers and writer do not wait for each other, as it stays from then on.

        In line: two who turn a new one into such a one together would wait for each other, so that SQLite tells one of
        them at once that it is locked.
        """
        if self.execute("PRAGMA journal_mode").fetchone() == ("wal",):
            return
        self.become_writer()
        try:
            self.execute("PRAGMA journal_mode=WAL")
        finally:
            self.step_down()

    def become_writer(self) -> None:
        """Wait until nobody else writes, or for so long that SQLite shall say that somebody does."""
        if self._place is None or self._waits_long is None or self._is_writer:
            return
        began, says_so = monotonic(), False
        try:
            while (waited := monotonic() - began) < PATIENCE:
                if waited > LONG and not says_so:
                    says_so = _taken(self._waits_long)
                if _taken(self._place):
                    if waited > LONG or _is_free(self._waits_long):
                        self._is_writer = True
                        return
                    _give_back(self._place)
                time.sleep(LOOK_AGAIN)
        finally:
            if says_so:
                _give_back(self._waits_long)

    def step_down(self) -> None:
        """Let the next one write."""
        if self._is_writer and self._place is not None:
            self._is_writer = False
            _give_back(self._place)

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
            files = (self._place, self._waits_long)
            self._place, self._waits_long, self._is_writer = None, None, False
            for file in files:
                if file is not None:
                    os.close(file)


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


def _opened(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _give_back(file: int) -> None:
    fcntl.flock(file, fcntl.LOCK_UN)


def _is_free(file: int) -> bool:
    if is_free := _taken(file):
        _give_back(file)
    return is_free
