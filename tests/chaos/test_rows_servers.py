"""B1 to B3, D1 and D2: brokers that are killed, emptied and fed with rubbish, databases that are cut off and held."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kombu
import pytest

from broadcaster.tasks import make_app
from broadcaster.tasks.hints import CONTROL
from tests.chaos.faults import (
    cut_power,
    flush_broker,
    freeze_bind_without_sessions,
    hold_database,
    kill_bind,
    kill_role,
    stop_database,
)
from tests.chaos.installation import BINDS, WINDOW, wait_until
from tests.chaos.rows import Row, at_work
from tests.databases import PostgresqlTemplate, SqliteTemplate
from tests.factories import make_members
from tests.servers import rabbitmq_program
from tests.tasks.test_standalone import _poison

#: whole runs, on machines that may be busy
pytestmark = pytest.mark.timeout(400)

REPEATS = 100
MANY = 200
#: so that what may be in doubt after several faults is well below it
NARROW = 15


def _published(url: str, queue: str, bodies: list[tuple[bytes, str, dict[str, Any]]]) -> None:
    with kombu.Connection(url) as connection:
        channel: Any = connection.default_channel
        for body, content_type, headers in bodies:
            message = channel.prepare_message(body, 0, content_type, "utf-8", headers, {})
            channel.basic_publish(message, exchange="", routing_key=queue)


def _storm_of_hints(row: Row) -> None:
    """B2: every hint a hundred times."""
    app = make_app(row.on.runtime)
    for _ in range(REPEATS):
        app.send_task("submit", args=["carrier"], queue="submit.carrier")
        app.send_task("prepare", args=[[row.campaign]], queue=CONTROL)
        app.send_task("sweep", queue=CONTROL)
    row.on.runtime.publish = None


@pytest.fixture(params=["redis", "rabbitmq"])
def queue_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each broker."""
    yield request.getfixturevalue(f"{request.param}_url")


def test_a_broker_that_forgets_repeats_and_talks_rubbish(tmp_path: Path, database_url: str, queue_url: str) -> None:
    """B1, B2, B3 with a campaign from its start to its last receipt: processes die, nobody gets two."""
    with at_work(tmp_path, url=database_url, queue=queue_url, messages=200, rate=60) as row:
        row.on.start()
        row.sent(20)
        if queue_url.startswith("amqp"):
            rubbish = [
                (b"no JSON at all", "application/json", {}),
                (b"\x80\x04.", "application/x-python-serialize", {}),
            ]
            for queue in (CONTROL, "submit.carrier"):
                _published(queue_url, queue, rubbish)
        else:
            _push(queue_url)
        _storm_of_hints(row)
        row.sent(60)
        flush_broker(row.on, row.chance)
        kill_role("worker", row.on, row.chance)
        kill_bind(row.on, row.chance)
        row.judged(in_doubt=WINDOW)
        assert row.on.end() == dict.fromkeys(row.on.roles, 0), row.on.logged()


def _push(url: str) -> None:
    import redis

    with redis.Redis.from_url(url) as broker:
        for poison in _poison():
            broker.lpush(f"broadsheet:{CONTROL}", poison)
            broker.lpush("broadsheet:submit.carrier", poison)


@pytest.mark.sqlite
@pytest.mark.parametrize("broker", ["redis", "rabbitmq"])
def test_a_broker_that_is_killed(
    tmp_path: Path, sqlite_template: SqliteTemplate, broker: str, request: pytest.FixtureRequest
) -> None:
    """B1: it is killed, and sending goes on without it; it comes back, and everything ends as it should."""
    if broker == "rabbitmq" and rabbitmq_program() is None:
        request.getfixturevalue("rabbitmq_url")
    url = sqlite_template.copy(tmp_path)
    with at_work(tmp_path, url=url, broker=broker, messages=MANY, rate=30) as row:
        row.on.start()
        row.sent(20)
        assert row.on.broker
        row.on.broker.kill()
        # as many again, with nobody to carry a hint
        row.sent(row.on.log.parts + 40)
        row.on.broker.start()
        # a broker that is slow to come back may find everything sent
        row.sent(min(row.on.log.parts + 20, MANY))
        row.judged(in_doubt=0)
        assert row.on.end() == dict.fromkeys(row.on.roles, 0), row.on.logged()


@pytest.mark.postgresql
def test_a_database_that_stops_and_a_power_cut(tmp_path: Path) -> None:
    """D1 and K9: stopped at once, twice, and everything killed together with it."""
    tmp_path.chmod(0o755)
    with at_work(tmp_path, database="postgresql", messages=MANY, rate=60, window=NARROW) as row:
        row.on.start()
        for step, fault in enumerate((stop_database, cut_power, stop_database), 1):
            row.sent(45 * step)
            fault(row.on, row.chance)
        row.judged(in_doubt=3 * 2 * NARROW)
        assert row.on.end() == dict.fromkeys(row.on.roles, 0), row.on.logged()


@pytest.mark.postgresql
def test_a_lock_that_is_lost(tmp_path: Path, postgresql_template: PostgresqlTemplate) -> None:
    """D1: it stands still, its sessions end, others take over; it writes on, and nobody gets two."""
    with postgresql_template.copy() as url, at_work(tmp_path, url=url, messages=MANY, rate=60, window=NARROW) as row:
        row.on.start()
        for step in (1, 2):
            row.sent(60 * step)
            freeze_bind_without_sessions(row.on, row.chance)
        row.judged(in_doubt=2 * 2 * NARROW)


@pytest.mark.sqlite
def test_a_file_that_everybody_wants(tmp_path: Path, sqlite_template: SqliteTemplate) -> None:
    """D2: eight writers, one that reads for long, one that writes for long, and a kill: no one is told "locked"."""
    url = sqlite_template.copy(tmp_path)
    with at_work(tmp_path, url=url, messages=200, rate=60) as row:
        row.on.start()
        row.sent(20)
        troubles: list[BaseException] = []

        def write() -> None:
            try:
                for _ in range(5):
                    with row.on.runtime.begin() as tx:
                        make_members(tx.session, 2, subscribed=None)
            except BaseException as trouble:
                troubles.append(trouble)

        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM part").fetchone()
            writers = [threading.Thread(target=write) for _ in range(8)]
            for writer in writers:
                writer.start()
            hold_database(row.on, row.chance)
            kill_bind(row.on, row.chance)
            for writer in writers:
                writer.join()
        row.judged(in_doubt=WINDOW)
        assert troubles == []
        assert row.on.rows("PRAGMA integrity_check") == [("ok",)]
        assert "locked" not in row.on.logged()


@pytest.mark.postgresql
def test_two_hosts_with_one_bind(tmp_path: Path, postgresql_template: PostgresqlTemplate) -> None:
    """Whoever is second waits, whichever machine it is on, and takes over without the journal of the first."""
    with (
        postgresql_template.copy() as url,
        at_work(tmp_path, url=url, binds=1, messages=MANY, rate=60) as row,
    ):
        row.on.start(BINDS[0])
        row.sent(30)
        row.on.broken, row.on.elsewhere = "elsewhere", tmp_path / "elsewhere"
        row.on.start(BINDS[1])
        row.sent(60)
        assert row.on.carrier.counts().binds == 1
        row.on.kill(BINDS[0])
        assert wait_until(row.on.has_taken_over, 90)
        verdict = row.judged(in_doubt=200)
        assert row.on.carrier.counts().binds == 2
        assert verdict.cells["accepted_once"] + verdict.cells["unknown"] == MANY
