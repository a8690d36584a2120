"""The schema of the database, and the way there from any earlier one. Forward only.

An upgrade is one transaction on SQLite and PostgreSQL alike: it happens as a whole or not at all, and a second process
that wants the same waits and then finds nothing to do. `python -m broadcaster.migrations WORDS` writes the next
revision from what the models have gained.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from subscribers.db import for_reading, make_engine
from subscribers.errors import Conflict
from subscribers.trouble import in_words

#: of PostgreSQL's advisory locks with one number; the locks of the living have two, and do not meet this one
_LOCK = 0x62726F6164


def upgrade(database: str | Engine) -> str:
    """Create the schema, or bring it to what this program needs; returns the revision. Running it again does nothing.

    Raises `Conflict` for a database of a newer program or with tables of somebody else, `Unavailable` if it does not
    answer or cannot be written.
    """
    with _engine(database) as engine, engine.begin() as connection:
        # on SQLite the transaction itself is the lock: it began IMMEDIATE
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        _refuse_strangers(connection)
        command.upgrade(config(connection), "head")
    return head()


def revision(database: str | Engine) -> str | None:
    """The revision a database is at; None before the first `upgrade`."""
    with _engine(database) as engine, for_reading(engine).connect() as connection:
        return revision_of(connection)


def revision_of(connection: Connection) -> str | None:
    """The revision as this transaction sees it."""
    return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision this program needs."""
    return _scripts().get_current_head() or ""


def config(connection: Connection) -> Config:
    """What alembic's own commands need to work on this connection; the transaction is the caller's."""
    made = Config()
    made.set_main_option("script_location", "broadcaster:migrations")
    made.attributes["connection"] = connection
    return made


def _refuse_strangers(connection: Connection) -> None:
    """Only an empty database, or one that an earlier program left, can be upgraded."""
    found = revision_of(connection)
    if found is None and (tables := inspect(connection).get_table_names()):
        raise Conflict(
            "The database has tables that Broadsheet did not make: {tables}.",
            hint="Give Broadsheet an empty database of its own: the setting is url under [store].",
            tables=sorted(tables)[:5],
        )
    if found is not None and found not in {script.revision for script in _scripts().walk_revisions()}:
        raise Conflict(
            "The database is at revision {found}; this program knows revisions up to {head}.",
            hint="A newer Broadsheet has been here: use that one, or restore the backup from before it.",
            found=found,
            head=head(),
        )


def _scripts() -> ScriptDirectory:
    made = Config()
    made.set_main_option("script_location", "broadcaster:migrations")
    return ScriptDirectory.from_config(made)


@contextlib.contextmanager
def _engine(database: str | Engine) -> Iterator[Engine]:
    """An engine of our own for a URL; a given one is only used."""
    engine = make_engine(database) if isinstance(database, str) else database
    try:
        yield engine
    except DBAPIError as error:
        raise in_words(error) from error
    finally:
        if isinstance(database, str):
            engine.dispose()
