"""Fixtures: real servers and databases, a settable clock.

`engine`, `session`, `begin` and `database_url` are made for SQLite and for PostgreSQL, so a test that asks for one of
them runs twice: `-k sqlite` or `-m "not postgresql"` picks one. The database is fresh for every test. A test takes
`session` (one transaction, never committed) or `begin` (`with begin() as tx:` commits), not both: SQLite has one
writer.

Servers are started by the first test that needs them, once for all workers; TEST_POSTGRES_URL, TEST_REDIS_URL and
TEST_RABBITMQ_URL name servers to use instead (databases are made and dropped, and emptied, there). Where there is no
RabbitMQ, its tests skip, and the end of the run says so.

Test modules import what they share by its full name: `from tests.factories import make_member`,
`from tests.databases import Clock, Transactions`. No `__init__.py` in tests; file names may repeat in other folders.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import hypothesis
import kombu
import pytest
import redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from broadcaster.runtime import Runtime
from subscribers.db import make_engine
from tests.browsers import NO_CHROMIUM
from tests.databases import Clock, PostgresqlTemplate, SqliteTemplate, Transactions
from tests.factories import NOW
from tests.servers import Servers, rabbitmq_program
from tests.websites import make_house

#: folders whose tests watch whole runs, and the longest test of all
LONG = {"journeys", "demo", "chaos", "test_every_field.py"}
#: as many as run.py starts
WORKERS = 4

NO_RABBITMQ = "*** RABBITMQ IS MISSING: its tests were skipped. Install rabbitmq-server, or set TEST_RABBITMQ_URL. ***"

SERVERS = pytest.StashKey[Servers]()

# how long an example takes says more about what else the machine does
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    config.stash[SERVERS] = Servers(Path(worker["servers"])) if worker else Servers.open()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["servers"] = str(node.config.stash[SERVERS].folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each worker has its share of the long ones, which wait much, among others that compute; none is left for the end.

    Workers are dealt one stretch each, and take from one another what is left of it.
    """
    long = [item for item in items if LONG.intersection(item.path.parts)]
    rest = [item for item in items if not LONG.intersection(item.path.parts)]
    size = len(rest) // WORKERS + 1
    items[:] = [item for n in range(WORKERS) for item in mixed(long[n::WORKERS], rest[n * size : (n + 1) * size])]


def mixed(long: Sequence[pytest.Item], rest: Sequence[pytest.Item]) -> Iterator[pytest.Item]:
    """These long ones with as many others after each, and a fifth of the others after all."""
    between = len(rest) * 4 // 5 // max(1, len(long))
    for n, item in enumerate(long):
        yield item
        yield from rest[n * between : (n + 1) * between]
    yield from rest[len(long) * between :]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Aloud: what could not be tested here."""
    reasons = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])}
    for missing in (NO_RABBITMQ, NO_CHROMIUM):
        if any(missing in reason for reason in reasons):
            terminalreporter.write_line(missing, red=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    # the servers are everybody's: only the process that opened them closes them
    if not hasattr(config, "workerinput"):
        config.stash[SERVERS].close()


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> str:
    """A PostgreSQL server, by its maintenance database."""
    return os.environ.get("TEST_POSTGRES_URL") or pytestconfig.stash[SERVERS].get("postgresql")


@pytest.fixture(scope="session")
def redis_server_url(pytestconfig: pytest.Config) -> str:
    return os.environ.get("TEST_REDIS_URL") or pytestconfig.stash[SERVERS].get("valkey")


@pytest.fixture
def redis_url(redis_server_url: str, worker_id: str) -> str:
    """A database of the Valkey server that belongs to this worker, empty."""
    number = 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
    url = f"{redis_server_url.rstrip('/')}/{number}"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def rabbitmq_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """A RabbitMQ that belongs to this test, without the queues of an earlier one."""
    given = os.environ.get("TEST_RABBITMQ_URL")
    if not given and rabbitmq_program() is None:
        pytest.skip(NO_RABBITMQ)
    servers = pytestconfig.stash[SERVERS]
    # it has one set of queues: one test at a time
    with (servers.folder / "rabbitmq.turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        url = given or servers.get("rabbitmq")
        with kombu.Connection(url) as broker:
            channel: Any = broker.default_channel
            for queue in ("control", "receipts", "replies", "submit.carrier"):
                channel.queue_delete(queue)
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql_template(postgres_url: str) -> Iterator[PostgresqlTemplate]:
    template = PostgresqlTemplate(postgres_url, f"broadsheet_{uuid.uuid4().hex[:12]}")
    yield template
    template.close()


@pytest.fixture(
    params=[pytest.param("sqlite", marks=pytest.mark.sqlite), pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database with today's schema: for tests that start processes of their own."""
    # processes of its own may be left behind: what they had is used by no other test
    in_process = {"engine", "house"} & {*request.fixturenames}
    if request.param == "sqlite":
        template: SqliteTemplate = request.getfixturevalue("sqlite_template")
        yield template.lend() if in_process else template.copy(tmp_path)
    else:
        server: PostgresqlTemplate = request.getfixturevalue("postgresql_template")
        with server.lend() if in_process else server.copy() as url:
            yield url


@pytest.fixture(scope="session")
def engines() -> dict[str, Engine]:
    """By URL: each keeps the statements that it has compiled, for the next test on the same database."""
    return {}


@pytest.fixture
def engine(database_url: str, engines: dict[str, Engine]) -> Iterator[Engine]:
    """An engine on an empty database, with the product's own settings."""
    if database_url not in engines:
        engines[database_url] = make_engine(database_url)
    # a view of it: what is listened to there ends with the test
    yield engines[database_url].execution_options()
    engines[database_url].dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """One transaction, open from the start, rolled back at the end."""
    with Session(engine) as session:
        session.begin()
        yield session


@pytest.fixture
def now() -> datetime:
    """The instant at which the factories' rows came to be: ten in the morning in Shanghai."""
    return NOW


@pytest.fixture
def clock(now: datetime) -> Clock:
    """What `begin` takes its instants from: starts at `now`; `clock.advance(hours=1)`."""
    return Clock(now)


@pytest.fixture
def begin(engine: Engine, clock: Clock) -> Transactions:
    """`with begin() as tx:` commits; `begin.wakes` holds the hints left for other processes."""
    return Transactions(engine, clock)


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    """An installation with two gateways; folders that need more make their own."""
    made = make_house(database_url, tmp_path, clock)
    yield made
    made.close()
