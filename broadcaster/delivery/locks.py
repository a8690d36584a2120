"""Locks that say who is alive: a process holds one, and the system takes it back when the process dies, however it
dies.

No clock is involved: a heartbeat that is late proves nothing, a lock that was given to another proves a death.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import weakref
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from subscribers.clock import monotonic
from subscribers.errors import Unavailable

#: the lock of whoever serves the embedded queue; those of the senders are numbered from 1
PRESS = 0
#: the lock of whoever serves all of an embedded installation, and holds its connections
WHOLE = -1
#: the lock of whoever works on lists of members
LISTS = -2

#: seconds for which an answer of a lock's session counts: who takes the lock over writes it down as well, where every
#: claim looks
ASKED_AGAIN = 0.5

#: the first half of our advisory keys, so that other users of the same database do not collide with them
_SPACE = 0x6272


class Held(Protocol):
    """A lock that this process holds."""

    def still_held(self) -> bool:
        """Whether it is certainly still ours, or was a moment ago."""

    def release(self) -> None:
        """Give it back: whoever asks from now on gets it."""


class Locks(Protocol):
    """Where locks are taken."""

    def take(self, key: int) -> Held | None:
        """The lock for this key, or None when another process (or another part of this one) holds it."""

    def is_free(self, session: Session, key: int) -> bool:
        """Whether nobody holds the lock for this key; if so, nobody else gets it before this transaction ends."""

    def living(self, session: Session, keys: Collection[int]) -> set[int]:
        """Those of these keys whose lock somebody holds at this moment. Looking takes nothing from anybody."""


class FileLocks:
    """For SQLite: every process that can open the database sees the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, key: int) -> Held | None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"owner-{key}.lock"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        if not _is_at(path, handle):
            # its holder took the file away between our two steps: whoever comes next makes another one
            os.close(handle)
            return None
        return _FileLock(handle, path)

    def is_free(self, session: Session, key: int) -> bool:
        held = self.take(key)
        if held is not None:
            # a transaction that writes is alone on SQLite: nobody looks at this key before it has ended
            held.release()
        return held is not None

    def living(self, session: Session, keys: Collection[int]) -> set[int]:
        return {key for key in keys if _somebody_holds(self.folder / f"owner-{key}.lock")}


def _somebody_holds(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except PermissionError:
        # somebody else's, who may well live
        return True
    try:
        # shared: two who look do not take each other for the holder
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


class _FileLock:
    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path
        _taken.add(self)

    def still_held(self) -> bool:
        return True

    def abandon(self) -> None:
        os.close(self._handle)

    def release(self) -> None:
        _taken.discard(self)
        self._path.unlink(missing_ok=True)
        os.close(self._handle)


class AdvisoryLocks:
    """For PostgreSQL: a session of its own per lock, so that the server lets go of it when the session ends."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def take(self, key: int) -> Held | None:
        """See `Locks`. Raises `Unavailable` behind a pooler, which gives a session to whoever comes next."""
        connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
        if not _has_its_own_session(connection):
            connection.close()
            raise Unavailable(
                "Between this process and PostgreSQL stands a pooler, which lends its sessions to others.",
                hint="Write the address of PostgreSQL itself into [store] url: a lock must end with its process.",
            )
        if connection.scalar(text("SELECT pg_try_advisory_lock(:space, :key)"), {"space": _SPACE, "key": key}):
            return _AdvisoryLock(connection, key)
        connection.close()
        return None

    def is_free(self, session: Session, key: int) -> bool:
        query = text("SELECT pg_try_advisory_xact_lock(:space, :key)")
        return bool(session.scalar(query, {"space": _SPACE, "key": key}))

    def living(self, session: Session, keys: Collection[int]) -> set[int]:
        # looked up, not tried: a lock that is tried is taken
        by_number = {key % _NUMBERS: key for key in keys}
        held = session.scalars(_HELD, {"space": _SPACE, "keys": list(by_number)}) if keys else ()
        return {by_number[number] for number in held}


#: the two halves of an advisory key stand in `classid` and `objid`, which have no sign
_NUMBERS = 2**32
_HELD = text(
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid::bigint = :space AND objid::bigint = ANY(:keys)"
)


def _has_its_own_session(connection: Connection) -> bool:
    """Whether the session that answers is the one that this connection was told of when it was opened."""
    told: int = connection.connection.dbapi_connection.info.backend_pid  # type: ignore[union-attr]
    return bool(connection.scalar(text("SELECT pg_backend_pid()")) == told)


class _AdvisoryLock:
    def __init__(self, connection: Connection, key: int) -> None:
        self._connection = connection
        self._key = key
        self._one_at_a_time = threading.Lock()
        self._answered_at = -ASKED_AGAIN
        self._socket = int(connection.connection.dbapi_connection.fileno())  # type: ignore[union-attr]
        _taken.add(self)

    def abandon(self) -> None:
        # not `close`, which would end the session for the parent as well
        os.close(self._socket)

    def still_held(self) -> bool:
        # the lock lives exactly as long as its session: if this session answers, we have it
        try:
            with self._one_at_a_time:
                if monotonic() - self._answered_at >= ASKED_AGAIN:
                    self._connection.scalar(text("SELECT 1"))
                    self._answered_at = monotonic()
        except SQLAlchemyError:
            return False
        return True

    def release(self) -> None:
        _taken.discard(self)
        # the server ends a session a moment after its client has left, and whoever asks first would find it held
        unlock = text("SELECT pg_advisory_unlock(:space, :key)")
        with self._one_at_a_time, contextlib.suppress(SQLAlchemyError):
            self._connection.scalar(unlock, {"space": _SPACE, "key": self._key})
        self._connection.close()


def _abandon_all() -> None:
    """In a forked child: what it inherited would keep a lock alive after the process that took it has died."""
    for lock in list(_taken):
        lock.abandon()
    _taken.clear()


_taken: weakref.WeakSet[_FileLock | _AdvisoryLock] = weakref.WeakSet()
os.register_at_fork(after_in_child=_abandon_all)


def locks_for(engine: Engine, folder: Path) -> Locks:
    """The kind of lock that fits this database."""
    return FileLocks(folder) if engine.dialect.name == "sqlite" else AdvisoryLocks(engine)
