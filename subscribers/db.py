"""The declarative base, the engine, and the shape of a transaction.

Nothing here opens a transaction by itself: only `broadcaster.runtime` does. A function that must be followed by work
elsewhere leaves a `Wake` on the session; the runtime publishes it after the commit.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar, TypeVarTuple

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Select,
    Subquery,
    Text,
    any_,
    bindparam,
    cast,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from subscribers import one_writer
from subscribers.clock import monotonic
from subscribers.columnwise import columnwise
from subscribers.one_writer import AND_THEN, QueueingConnection

Item = TypeVar("Item")
Columns = TypeVarTuple("Columns")

#: rows per bulk call: what the design reckons in, and far below the number of parameters either database takes
BULK = 1000

#: seconds after which a connection in the pool is asked whether it still stands
RESTED = 1.0

#: on PostgreSQL; the sequence is looked up once, which costs more than a hundred ids
_TAKE_IDS = (
    "WITH own AS MATERIALIZED (SELECT pg_get_serial_sequence(:name, 'id')::regclass AS sequence) "
    "SELECT nextval(sequence) AS id FROM own, generate_series(1, :count)"
)
_TAKE_ONES = text(_TAKE_IDS)
_TAKE_BLOCK = text(f"SELECT min(id), max(id) FROM ({_TAKE_IDS}) AS taken")  # noqa: S608 - our own text


class Base(DeclarativeBase):
    """Every table, of every floor. Constraints have fixed names, so that migrations find them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """A moment, always aware and in UTC, whichever database keeps it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("an instant without a zone was given; pass an aware datetime")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Wake:
    """Work to hint at once the transaction stands: a queue's name and the ids of rows, never their content."""

    queue: str
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tx:
    """One open transaction: its session and the instant it happens at."""

    session: Session
    now: datetime


Begin = Callable[[], AbstractContextManager[Tx]]


def wake(session: Session, queue: str, ids: Sequence[int] = ()) -> None:
    """Leave a hint, to be published after the commit. A lost hint loses nothing: the sweeper finds the rows."""
    session.info.setdefault("wakes", []).append(Wake(queue, tuple(ids)))


def taken_wakes(session: Session) -> list[Wake]:
    """The hints left on the session, once."""
    wakes: list[Wake] = session.info.pop("wakes", [])
    return wakes


def is_sqlite(session: Session) -> bool:
    """Whether this session speaks to SQLite; the few statements that differ ask here."""
    return session.get_bind().dialect.name == "sqlite"


def in_bulk(items: Iterable[Item], size: int = BULK) -> Iterator[list[Item]]:
    """The items in lists of at most `size`, one per statement."""
    remaining = iter(items)
    while portion := list(islice(remaining, size)):
        yield portion


def among(session: Session, column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether `column` is one of these values, which go over as one parameter however many they are."""
    kind = column.type
    if is_sqlite(session):
        told = func.json_each(bindparam(None, list(values), type_=JSON)).table_valued(Column("value", kind))
        return column.in_(select(told.c.value))  # type: ignore[no-any-return]
    # a text: in a list the driver would look at each value, six times as long
    return column == any_(cast(bindparam(None, _array(values), type_=Text), ARRAY(kind)))  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Joined:
    """Ids as the database told them, in one text with commas: they can go back without being looked at."""

    told: str
    count: int

    @classmethod
    def of(cls, ids: Collection[int]) -> Joined:
        """These ids."""
        return cls(",".join(map(str, ids)), len(ids))

    @classmethod
    def all_of(cls, lists: Iterable[Joined]) -> Joined:
        """Those of all these."""
        some = [each for each in lists if each.count]
        return cls(",".join(each.told for each in some), sum(each.count for each in some))


def _array(values: Iterable[Any]) -> str:
    """As PostgreSQL writes an array of whole numbers or texts."""
    told = list(values)
    return "{" + ",".join(map(_quoted if told and isinstance(told[0], str) else str, told)) + "}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


def at_once(session: Session, query: Select[*Columns]) -> list[tuple[str, ...]]:
    """Many rows as texts, in one row of the database. Nothing in them may be null or have a comma; in no order.

    SQLite gives every row by itself. For each one a thread lets go of Python's lock, which whoever sends from the same
    process may keep for milliseconds; and after thousands of rows Python looks for cycles among all objects.
    """
    asked = query.subquery()
    columns = session.execute(select(*(func.aggregate_strings(cast(each, Text), ",") for each in asked.c))).one()
    return [] if columns[0] is None else list(zip(*(each.split(",") for each in columns), strict=True))


def one_of_ids(column: Any, *, sqlite: bool) -> ColumnElement[bool]:
    """Whether `column` is one of `id_list`, which is the parameter `ids`; for a statement that is made once."""
    ids = bindparam("ids", type_=Text)
    if sqlite:
        return column.in_(select(func.json_each(ids).table_valued("value").c.value))  # type: ignore[no-any-return]
    return column == any_(cast(ids, ARRAY(BigInteger)))  # type: ignore[no-any-return]


def id_list(session: Session, ids: Iterable[int] | Joined) -> str:
    """Ids as `one_of_ids` takes them."""
    told = ids.told if isinstance(ids, Joined) else ",".join(map(str, ids))
    return f"[{told}]" if is_sqlite(session) else f"{{{told}}}"


def named(*, sqlite: bool) -> Subquery:
    """The texts of `text_list`, which is the parameter `names`: each as `provider_id`, with its `place`, from 1."""
    names = bindparam("names", type_=Text)
    if sqlite:
        told = func.json_each(names).table_valued("key", "value").c
        return select((told.key + 1).label("place"), told.value.label("provider_id")).subquery()
    told = func.unnest(cast(names, ARRAY(Text))).table_valued("provider_id", with_ordinality="place").render_derived().c
    return select(told.place, told.provider_id).subquery()


def text_list(session: Session, texts: Sequence[str]) -> str:
    """Texts as `named` takes them."""
    return json.dumps(texts) if is_sqlite(session) else _array(texts)


def insert_all(
    session: Session,
    table: type[Base],
    rows: Sequence[Mapping[str, Any]],
    *,
    ignore_known: bool = False,
    then: str = "",
) -> int:
    """Insert rows that all have the same columns, in one call; `ignore_known` passes over those that are there already.

    Returns how many were inserted.

    Columns that a row does not name get the database's default. On PostgreSQL all rows go over as a text for each
    column, or one in JSON, at a quarter of the cost of arrays and a fifteenth of that of parameters. There `then` is a
    statement that runs with it and finds the ids of the rows that were inserted in `fresh`.
    """
    if not rows:
        return 0
    columns = [table.__table__.c[name] for name in rows[0]]
    connection = session.connection()
    into = f"INSERT INTO {table.__tablename__} ({', '.join(rows[0])})"
    known = " ON CONFLICT DO NOTHING" if ignore_known else ""
    if is_sqlite(session):
        statement = f"{into} VALUES ({', '.join('?' * len(columns))}){known}"
        return connection.exec_driver_sql(statement, _bound(columns, rows, connection.dialect)).rowcount
    values: list[Sequence[Any]] = list(zip(*(row.values() for row in rows), strict=True))
    by_column = columnwise(columns, values, connection.dialect)
    if by_column is not None:
        chosen, given = by_column
    else:
        typed = ", ".join(f"{column.name} {column.type.compile(connection.dialect)}" for column in columns)
        chosen = f"SELECT * FROM json_to_recordset(%(rows)s::json) AS given({typed})"  # noqa: S608
        given = {"rows": json.dumps(rows, default=datetime.isoformat)}
    statement = f"{into} {chosen}{known}"
    if then:
        statement = f"WITH fresh AS ({statement} RETURNING id) {then}"
    return connection.exec_driver_sql(statement, given).rowcount


def _bound(columns: Sequence[ColumnElement[Any]], rows: Sequence[Mapping[str, Any]], dialect: Dialect) -> list[Any]:
    """As the driver takes them; only columns whose type has something to do to a value are gone through."""
    values: list[Sequence[Any]] = list(zip(*(row.values() for row in rows), strict=True))
    for n, column in enumerate(columns):
        bind = column.type.bind_processor(dialect)
        if bind is not None:
            first = values[n][0]
            # most often a moment that is the same for all of them
            alike = values[n].count(first) == len(values[n])
            values[n] = [bind(first)] * len(values[n]) if alike else [bind(value) for value in values[n]]
    return list(zip(*values, strict=True))


@contextlib.contextmanager
def unread(session: Session) -> Iterator[None]:
    """Statements whose results nobody reads: PostgreSQL gets them together, and they are waited for at the end, once.

    Each journey to the server gives the interpreter to other threads, who want it for as long as the statement takes.
    What one of them raises, a later one may raise, or the end of the block.
    """
    if is_sqlite(session):
        yield
        return
    driver: Any = session.connection().connection.driver_connection
    with told_as_ever(session.get_bind().dialect), driver.pipeline():
        yield


@contextlib.contextmanager
def told_as_ever(dialect: Dialect) -> Iterator[None]:
    """What the driver raises by itself is raised as everywhere else."""
    driver = dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        raise DBAPIError.instance(None, None, error, driver.Error, hide_parameters=True, dialect=dialect) from error


def lock_table(session: Session, table: type[Base]) -> None:
    """Let only one transaction at a time change this table; others may read it and refer to its rows meanwhile.

    On SQLite a transaction that writes is alone already.
    """
    if not is_sqlite(session):
        session.execute(text(f"LOCK TABLE {table.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))


def reserve_ids(session: Session, table: type[Base], count: int, *, ahead: int = 0) -> Sequence[int]:
    """Ids for rows about to be inserted in bulk and referred to at once, in one statement.

    `ahead`: on PostgreSQL so many are taken at once, and the connection keeps what is left for its next callers.

    Asking the database for the ids of inserted rows in their order would cost SQLite a statement per row.
    """
    if is_sqlite(session):
        # nobody else can insert before this transaction ends
        last = session.scalar(select(func.max(table.__table__.c.id))) or 0
        return range(last + 1, last + 1 + count)
    if not count:
        return ()
    kept = session.connection().info.setdefault("ids", {})
    left: Sequence[int] = kept.get(table, ())
    if len(left) < count:
        left = _taken(session, table, max(count, ahead))
    kept[table] = left[count:]
    return left[:count]


def _taken(session: Session, table: type[Base], count: int) -> Sequence[int]:
    given = {"name": table.__tablename__, "count": count}
    first, last = session.execute(_TAKE_BLOCK, given).one()
    # all of them one by one only if somebody else took some in between
    return range(first, last + 1) if last - first + 1 == count else session.scalars(_TAKE_ONES, given).all()


def make_engine(url: str, *, pool_size: int = 10) -> Engine:
    """An engine with the settings that the ledger relies on; its errors show no values, which may be texts and numbers.

    SQLite: WAL, `synchronous=FULL` (a commit must survive a power cut: it says what was handed to the carrier), foreign
    keys, and `BEGIN IMMEDIATE` for transactions that write, so that a writer waits at its start instead of failing at
    its first write, and for no longer than it has to (`one_writer`).
    """
    if not url.startswith("sqlite"):
        # without a limit, a host that swallows packets would hold a request for minutes
        patience = {} if "connect_timeout" in url else {"connect_timeout": 5}
        engine = create_engine(
            url, pool_size=pool_size, max_overflow=pool_size, connect_args=patience, hide_parameters=True
        )
        event.listen(engine, "checkin", _put_down)
        event.listen(engine, "checkout", partial(_look_at, engine.dialect))
        return engine
    given = {"timeout": AND_THEN, "check_same_thread": False, "factory": QueueingConnection}
    engine = create_engine(url, connect_args=given, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", one_writer.begin)
    return engine


def for_reading(engine: Engine) -> Engine:
    """The same pool, for transactions that only read: on SQLite they do not queue behind the writer."""
    return engine.execution_options(broadsheet_reading=True)


def _put_down(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["put_down"] = monotonic()


def _look_at(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Ask a connection that has rested whether it is still one; the pool makes a new one if it is not.

    One that was in use a moment ago is not asked: a sender takes one up eighty times a second, and has to live with a
    database that goes away in the middle of a transaction all the same.
    """
    if "put_down" not in record.info or monotonic() - record.info["put_down"] < RESTED:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        # the others rest on the same server
        raise InvalidatePoolError from error


def _prepare_sqlite(connection: QueueingConnection, _record: Any) -> None:
    # autocommit at the driver, so that a transaction begins only where `one_writer` begins it
    connection.isolation_level = None
    with contextlib.closing(connection.cursor()) as cursor:
        _, _, path = cursor.execute("PRAGMA database_list").fetchone()
        if path:
            # one in memory has none
            connection.stand_in_line(path)
            connection.write_ahead()
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "case_sensitive_like=ON"):
            cursor.execute(f"PRAGMA {pragma}")
