"""SQLite has one writer at a time. Whoever has waited for it a while is next: the other threads let them go first.

SQLite itself lets them sleep and look again in growing steps, up to a tenth of a second. Who writes without a rest, as
a sender does, has mostly begun anew by then, so that a form may wait for seconds. To let everybody write in turn would
cost the sender: what waits for it is written in larger lots when it waits a little.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from subscribers.clock import monotonic

#: seconds that a transaction waits until it may write
PATIENCE = 30.0
#: and of these so many in which it lets chance decide
BRIEF = 0.1


class Line:
    """Those of a process who have waited for a while, in the order in which they came."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        #: of each behind the first one, what they sleep at
        self._waiting: deque[threading.Lock] = deque()
        #: set while nobody stands in it
        self.is_empty = threading.Event()
        self.is_empty.set()

    def stand(self, timeout: float) -> bool:
        """Wait until one is the first, so many seconds at most. Returns whether one is; then `leave` it soon."""
        with self._guard:
            if self.is_empty.is_set():
                self.is_empty.clear()
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            if mine.acquire(timeout=timeout):
                return True
        except BaseException:
            if not self._gave_up(mine):
                self.leave()
            raise
        return not self._gave_up(mine)

    def leave(self) -> None:
        """The next one is the first now."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self.is_empty.set()

    def _gave_up(self, mine: threading.Lock) -> bool:
        """False if one became the first meanwhile."""
        with self._guard:
            is_waiting = mine in self._waiting
            if is_waiting:
                self._waiting.remove(mine)
        return is_waiting


def begin(line: Line, connection: Connection) -> None:
    """Begin a transaction: one that may write waits at once, not at its first write."""
    if connection.get_execution_options().get("broadsheet_reading", False):
        connection.exec_driver_sql("BEGIN")
        return
    until = monotonic() + PATIENCE
    # who stands in line does so for the length of one transaction of somebody else
    if line.is_empty.wait(BRIEF) and _writes(connection, BRIEF):
        return
    is_first = line.stand(PATIENCE)
    try:
        if not _writes(connection, max(until - monotonic(), 0)):
            raise OperationalError("BEGIN IMMEDIATE", None, sqlite3.OperationalError("database is locked"))
    finally:
        if is_first:
            line.leave()


def _writes(connection: Connection, patience: float) -> bool:
    """Begin to write within so many seconds; False if somebody else writes all the time."""
    mine: Any = connection.connection.dbapi_connection
    # a script would commit what is begun already
    if not mine.in_transaction:
        try:
            # a script, because a statement that the driver has kept is not read again, and would set nothing
            mine.executescript(f"{_patience(patience)}; BEGIN IMMEDIATE; {_patience(PATIENCE)}")
        except sqlite3.OperationalError as error:
            mine.executescript(_patience(PATIENCE))
            # its low octet: the others tell which kind of busy
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
        else:
            return True
    # what else is wrong is told as it is of every other statement
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    return True


def _patience(seconds: float) -> str:
    return f"PRAGMA busy_timeout={int(seconds * 1000)}"
