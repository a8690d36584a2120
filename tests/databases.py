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


class PostgresqlTemplate:
    """One migrated database on the server; a fresh one is made from it by the server."""

    def __init__(self, server: str, prefix: str) -> None:
        self.server = make_url(server)
        self.prefix = prefix
        self.numbers = itertools.count(1)
        self.name = f"{prefix}_template"
        self.execute(f'CREATE DATABASE "{self.name}"')
        make_schema(self.url(self.name))

    def url(self, name: str) -> str:
        """The URL of a database on this server."""
        return self.server.set(database=name).render_as_string(hide_password=False)

    @contextlib.contextmanager
    def copy(self) -> Iterator[str]:
        """The URL of a fresh database, dropped at the end with whatever is still connected to it."""
        name = f"{self.prefix}_{next(self.numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}"')
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Remove a database, and end the connections to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run one statement outside of any transaction."""
        address = self.server.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)


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
