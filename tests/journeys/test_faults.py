"""The database goes away, or the disk is full, in the middle of a campaign."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from broadcaster.gateways.simulator.journal import accepted_parts
from broadcaster.runtime import Runtime
from broadcaster.settings import Settings
from tests import servers
from tests.databases import PostgresqlTemplate, SqliteTemplate
from tests.journeys import sending
from tests.journeys.forks import FORKS
from tests.journeys.oracle import Verdict, judge
from tests.journeys.stage import (
    WINDOW,
    behaviour_of,
    carrier_process,
    come_to_rest,
    draft,
    parts_taken,
    people,
    runtime_on,
    settings_for,
    start,
    state_of,
)

PEOPLE = 150
CUTS = 10


@pytest.mark.postgresql
def test_connections_are_cut_again_and_again(tmp_path: Path, postgresql_template: PostgresqlTemplate) -> None:
    """Before a commit, after it, in mid-query: the sender goes on by itself."""
    file = tmp_path / "carrier.carrier"
    with postgresql_template.copy() as url, carrier_process(file, behaviour_of(settings_for(tmp_path, url))) as port:
        settings = settings_for(tmp_path, url, port=port)
        with runtime_on(settings) as runtime:
            audience = people(runtime, PEOPLE)
            campaign = draft(runtime)
            start(runtime, campaign)
            sender = sending.start(settings)
            cut = 0
            for step in range(CUTS):
                until = PEOPLE * 3 * step // (CUTS + 1)
                assert sending.wait_until(lambda: parts_taken(file) >= until, 20)  # noqa: B023
                cut += _cut(url)
            assert cut > CUTS
            assert sending.wait_until(lambda: state_of(runtime, campaign) == "closed", 30)
            assert come_to_rest(runtime, file, 20)
            assert sender.is_alive()
            sender.terminate()
            sender.join(20)
            with runtime.reading() as tx:
                verdict = judge(tx.session, accepted_parts(file), behaviour_of(settings), audience)
    assert not verdict.faults
    assert verdict.in_doubt <= CUTS * WINDOW


def _cut(url: str) -> int:
    """End every connection to this database; how many."""
    server = make_url(url).set(drivername="postgresql", database="postgres")
    ours = make_url(url).database
    with psycopg.connect(server.render_as_string(hide_password=False), autocommit=True) as connection:
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        row = connection.execute(query, (ours,)).fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.sqlite
def test_the_disk_is_full(tmp_path: Path, sqlite_template: SqliteTemplate) -> None:
    """What cannot be committed is not handed over; once there is room it goes on, and nobody gets two."""
    file = tmp_path / "carrier.carrier"
    url = sqlite_template.copy(tmp_path)
    with carrier_process(file, behaviour_of(settings_for(tmp_path, url))) as port:
        settings = settings_for(tmp_path, url, port=port)
        with runtime_on(settings) as runtime:
            audience = people(runtime, PEOPLE)
            campaign = draft(runtime)
            start(runtime, campaign)
            sender = FORKS.Process(target=send_with_little_room, args=(settings,))
            sender.start()
            assert sending.wait_until(lambda: (tmp_path / "full").exists(), 20)
            _stands_still_until_there_is_room((tmp_path / "room").touch, runtime, campaign, file)
            verdict = _judged_in_the_end(runtime, file, audience)
            sender.terminate()
            sender.join(20)
    assert not verdict.faults
    assert verdict.in_doubt <= WINDOW


@pytest.mark.postgresql
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="a small disk is for root to make")
def test_the_disk_of_the_server_is_full(tmp_path: Path) -> None:
    """The same where PostgreSQL has the disk: it refuses every statement that needs more room."""
    file = tmp_path / "carrier.carrier"
    with small_disk() as disk, servers.postgresql(disk.parent) as server:
        template = PostgresqlTemplate(server, "small")
        with (
            template.copy() as url,
            carrier_process(file, behaviour_of(settings_for(tmp_path, url))) as port,
            runtime_on(settings := settings_for(tmp_path, url, port=port)) as runtime,
        ):
            audience = people(runtime, PEOPLE)
            # a log that cannot be written would end the server: it has room for what this test writes
            template.execute("SELECT pg_switch_wal()")
            template.execute("CHECKPOINT")
            campaign = draft(runtime)
            start(runtime, campaign)
            sender = sending.start(settings)
            assert sending.wait_until(lambda: parts_taken(file) > 60, 30)
            fill(disk / "ballast")
            _stands_still_until_there_is_room((disk / "ballast").unlink, runtime, campaign, file)
            assert sender.is_alive()
            verdict = _judged_in_the_end(runtime, file, audience)
            sender.terminate()
            sender.join(20)
    assert not verdict.faults
    assert verdict.in_doubt <= WINDOW


def _judged_in_the_end(runtime: Runtime, file: Path, audience: set[str]) -> Verdict:
    """Who listens for receipts rests for seconds after it found no room: the campaign may have closed without them."""

    def judged() -> Verdict:
        with runtime.reading() as tx:
            return judge(tx.session, accepted_parts(file), behaviour_of(runtime.settings), audience)

    sending.wait_until(lambda: not judged().faults, 20)
    return judged()


def _stands_still_until_there_is_room(
    make_room: Callable[[], None], runtime: Runtime, campaign: int, file: Path
) -> None:
    # what was in hand when it filled up may still go; then nothing does
    sending.wait_until(lambda: False, 1.0)
    before = parts_taken(file)
    sending.wait_until(lambda: False, 2.0)
    assert parts_taken(file) == before < PEOPLE * 3
    make_room()
    assert sending.wait_until(lambda: parts_taken(file) > before, 30)
    assert sending.wait_until(lambda: state_of(runtime, campaign) == "closed", 60)
    assert come_to_rest(runtime, file, 20)


@contextlib.contextmanager
def small_disk() -> Iterator[Path]:
    """A disk of 200 MiB where a PostgreSQL that is made in the folder above it has its data."""
    # not below pytest's own folder, which a server that is not root may not enter
    with tempfile.TemporaryDirectory(prefix="broadsheet-") as place:
        owner = servers.plain_user(Path(place))
        data = Path(place, "data")
        data.mkdir()
        options = f"size=200m,mode=700,uid={owner['user']},gid={owner['group']}"
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", data], capture_output=True, text=True)
        if mounted.returncode:
            pytest.skip(f"no small disk can be made here: {mounted.stderr}")
        try:
            yield data
        finally:
            subprocess.run(["umount", data], check=True)


def fill(ballast: Path) -> None:
    """Write until there is no room left."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def send_with_little_room(settings: Settings) -> None:
    """A sender on a disk that fills up, until somebody makes room."""
    # the system sends a signal at the limit; without it, the write fails as on a full disk
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    wal = settings.data / "broadsheet.db-wal"

    def fill_up() -> None:
        sending.wait_until(lambda: parts_taken(settings.data / "carrier.carrier") > 60, 20)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal.stat().st_size, hard))
        sending.wait_until(lambda: False, 0.2)
        (settings.data / "full").touch()
        sending.wait_until((settings.data / "room").exists, 60)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    threading.Thread(target=fill_up, daemon=True).start()
    sending.send(settings)
