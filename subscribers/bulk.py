"""Rows by the hundred thousand: COPY on PostgreSQL, one prepared statement on SQLite.

Cells are text in the form that both databases read, so that a row is put together once; what becomes of a cell is its
column's affair. On PostgreSQL rows are written by a thread of their own while the next ones are being put together:
the database works on one core, Python on another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from subscribers.db import Base, is_sqlite, reserve_ids, told_as_ever
from subscribers.interpreter import turns_of

#: a cell, or None for no value
Cell = str | None

#: the thread that feeds the database needs the interpreter often and shortly, and would wait longer each time
_TURN_SECONDS = 0.0005

#: a part of a table that changes no plan
_NOTHING_NEW = 0.1

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(slots=True)
class Rows:
    """Rows of one table: a cell for each of the columns."""

    table: type[Base]
    columns: tuple[str, ...]
    cells: list[tuple[Cell, ...]] = field(default_factory=list)


class Loader:
    """Writes rows within the session's transaction. Between `write` and `wait` nobody else may use the session."""

    def __init__(self, session: Session, thread: ThreadPoolExecutor | None) -> None:
        self._dialect = session.get_bind().dialect
        self._driver: Any = session.connection().connection.driver_connection
        self._thread = thread
        self._running: Future[None] | None = None
        #: what stands for no value
        self.null: Cell = "\\N" if thread else None

    def cell(self, value: str) -> str:
        """Text that somebody typed, as a cell."""
        if self._thread is None or ("\\" not in value and value.isprintable()):
            return value
        return value.translate(_ESCAPES)

    def instant(self, at: datetime) -> str:
        """A moment as a cell."""
        return at.astimezone(UTC).isoformat() if self._thread else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")

    def write(self, tables: Sequence[Rows]) -> None:
        """Write these rows, in this order, after those before them; may return before they are written."""
        self.wait()
        filled = [rows for rows in tables if rows.cells]
        if self._thread is None:
            for rows in filled:
                self._told(partial(self._execute, rows))
        else:
            self._running = self._thread.submit(self._copy, filled)

    def wait(self) -> None:
        """Until everything is written, and the session may be used again. Raises what went wrong with the writing."""
        running, self._running = self._running, None
        if running is not None:
            self._told(running.result)

    def give_up(self) -> None:
        """Stop writing, whatever is half done; the transaction can only be rolled back afterwards."""
        running, self._running = self._running, None
        if running is not None and not running.done():
            self._driver.cancel()
            running.exception()

    def _told(self, work: Callable[[], None]) -> None:
        with told_as_ever(self._dialect):
            work()

    def _execute(self, rows: Rows) -> None:
        places = ", ".join("?" * len(rows.columns))
        statement = f"INSERT INTO {rows.table.__tablename__} ({', '.join(rows.columns)}) VALUES ({places})"  # noqa: S608
        self._driver.executemany(statement, rows.cells)

    def _copy(self, tables: Sequence[Rows]) -> None:
        for rows in tables:
            statement = f"COPY {rows.table.__tablename__} ({', '.join(rows.columns)}) FROM STDIN"
            # every cell is a string here: null is one too
            lines: Iterator[str] = map("\t".join, rows.cells)  # type: ignore[arg-type]
            with self._driver.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write("\n".join(lines).encode())


@contextmanager
def loading(session: Session) -> Iterator[Loader]:
    """A loader; at the end everything is written, or has failed."""
    if is_sqlite(session):
        yield Loader(session, None)
        return
    with turns_of(_TURN_SECONDS), ThreadPoolExecutor(1, "loading") as thread:
        loader = Loader(session, thread)
        try:
            yield loader
        except BaseException:
            # the caller rolls back: not before the thread has let go of the connection
            loader.give_up()
            raise
        loader.wait()


def tell_planner(session: Session, *tables: type[Base], grown: int) -> None:
    """Have PostgreSQL count tables that this transaction has made much larger: the first one by so many rows.

    It counts them by itself now and then, and takes rows that are being written for none. Who asks for two such tables
    together, before it has counted again, waits minutes for a few thousand people.
    """
    if is_sqlite(session):
        return
    names = [table.__tablename__ for table in tables]
    believed = session.scalar(text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)"), {"name": names[0]})
    if grown > _NOTHING_NEW * max(believed or 0, 0):
        session.execute(text(f"ANALYZE {', '.join(names)}"))


class Ids:
    """Ids of a table for rows to come, taken many at a time."""

    def __init__(self, session: Session, table: type[Base]) -> None:
        self._session = session
        self._table = table
        self._left: list[int] = []
        self._last = 0

    def holds(self, count: int) -> bool:
        """Whether so many are at hand."""
        return len(self._left) >= count

    def provide(self, count: int) -> None:
        """Have so many at hand; asks the database if there are fewer. Not while a loader is writing."""
        if not self.holds(count):
            fresh = _block(self._session, self._table, 4 * count, self._last)
            self._last = fresh[-1]
            # in order, so that they can be taken from the end
            self._left[:0] = reversed(fresh)

    def take(self) -> int:
        """The next one."""
        return self._left.pop()

    def take_all(self, count: int) -> list[int]:
        """The next ones, in order."""
        taken = self._left[: -count - 1 : -1]
        del self._left[len(self._left) - count :]
        return taken


def _block(session: Session, table: type[Base], count: int, given: int) -> Sequence[int]:
    """As `reserve_ids`. `given` is the last one of the block before: SQLite knows nothing of ids not written yet."""
    if is_sqlite(session):
        last = max(given, session.scalar(select(func.max(table.__table__.c.id))) or 0)
        return range(last + 1, last + 1 + count)
    return reserve_ids(session, table, count)
