"""Fresh databases for tests, copied from a template that is made once per worker; a clock to set; transactions."""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

from broadcaster import migrations
from subscribers.db import Tx, Wake, taken_wakes


def make_schema(url: str) -> None:
    """Bring an empty database to the schema of the code."""
    migrations.upgrade(url)


class SqliteTemplate:
    """One migrated file; a fresh database is a copy of it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "template.db"
        make_schema(f"sqlite:///{self.file}")

    def copy(self, folder: Path) -> str:
        """The URL of a fresh database in this folder."""
        fresh = folder / "broadsheet.db"
        shutil.copyfile(self.file, fresh)
        return f"sqlite:///{fresh}"

    def lend(self) -> str:
        """The URL of a fresh database, always at the same place: see `PostgresqlTemplate.lend`."""
        folder = self.file.parent / "lent"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return self.copy(folder)


#: what a test may have written to, by what it has on disk
_TOUCHED = """
SELECT quote_ident(relname), pg_relation_size(oid) > 1000000 FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
AND relname <> 'alembic_version'
"""
_SHAPE = """
WITH tables AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace)
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
    SELECT concat_ws(' ', relname, relkind, relnatts, reloptions) AS line FROM tables
    UNION ALL SELECT concat_ws(' ', relname, attname, atttypid, attnotnull)
    FROM pg_attribute JOIN tables ON tables.oid = attrelid
    UNION ALL SELECT concat_ws(' ', conname, conrelid::regclass, convalidated) FROM pg_constraint
    UNION ALL SELECT concat_ws(' ', tgname, tgrelid::regclass, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT concat_ws(' ', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'version', version_num) FROM alembic_version
) AS lines
"""


class PostgresqlTemplate:
    """One migrated database on the server; a fresh one is made from it by the server."""

    def __init__(self, server: str, prefix: str) -> None:
        self.server = make_url(server)
        self.prefix = prefix
        self.numbers = itertools.count(1)
        self.name = f"{prefix}_template"
        self.execute(f'CREATE DATABASE "{self.name}"')
        make_schema(self.url(self.name))
        with self.connect(self.name) as connection:
            self.shape = connection.execute(_SHAPE).fetchone()
        self.idle: list[str] = []

    def url(self, name: str) -> str:
        """The URL of a database on this server."""
        return self.server.set(database=name).render_as_string(hide_password=False)

    def made(self) -> str:
        """The name of a new one."""
        name = f"{self.prefix}_{next(self.numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}"')
        return name

    @contextlib.contextmanager
    def copy(self) -> Iterator[str]:
        """The URL of a fresh database, dropped at the end with whatever is still connected to it."""
        name = self.made()
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    @contextlib.contextmanager
    def lend(self) -> Iterator[str]:
        """The URL of an empty database, which others have used before or will use next: ten times as quick as a copy.

        For whoever uses it in this process alone, and does not depend on what a planner knows.
        """
        name = self.idle.pop() if self.idle else self.made()
        try:
            yield self.url(name)
        except BaseException:
            self.drop(name)
            raise
        if self.emptied(name):
            self.idle.append(name)
        else:
            self.drop(name)

    def emptied(self, name: str) -> bool:
        """Whether it is as it was made: no rows, no sessions, the same tables."""
        with self.connect(name) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            # neither foreign keys nor triggers have a say
            connection.execute("SET session_replication_role = replica")
            for table, is_large in connection.execute(_TOUCHED).fetchall():
                connection.execute(f"TRUNCATE {table} CASCADE" if is_large else f"DELETE FROM {table}")
            connection.execute("SELECT setval(seqrelid, seqstart, false) FROM pg_sequence")
            return connection.execute(_SHAPE).fetchone() == self.shape

    def drop(self, name: str) -> None:
        """Remove a database, and end the connections to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run one statement outside of any transaction."""
        with self.connect(self.server.database or "") as connection:
            connection.execute(statement)

    def connect(self, name: str) -> psycopg.Connection:
        """A connection to a database on this server, each statement of it for itself."""
        address = self.server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
        return psycopg.connect(address, autocommit=True)

    def close(self) -> None:
        """Remove what nobody needs any more."""
        for name in (*self.idle, self.name):
            self.drop(name)


@dataclass
class Clock:
    """What the runtime asks for the time; a test sets it. It stands still by itself."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> datetime:
        """Move on by as much as `timedelta` takes: `clock.advance(minutes=5)`. The new instant."""
        self.now += timedelta(**time)
        return self.now


@dataclass
class Transactions:
    """A `subscribers.db.Begin` over an engine. `wakes` has the hints of all transactions that were committed."""

    engine: Engine
    clock: Clock
    wakes: list[Wake] = field(default_factory=list)

    @contextlib.contextmanager
    def __call__(self) -> Iterator[Tx]:
        with Session(self.engine, expire_on_commit=False) as session:
            with session.begin():
                yield Tx(session, self.clock())
            self.wakes += taken_wakes(session)
