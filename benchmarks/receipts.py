"""A storm of receipts, stage by stage: kept, applied, found again; beside a plain COPY of them as rows in one run.

A fifth comes twice, a tenth before its answer, a tenth out of order, a hundredth is nobody's. It starts a PostgreSQL of
its own with fsync on; nothing of it stays.

python -m benchmarks.receipts [--storm 200000] [--databases postgresql sqlite] [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from benchmarks import _storm
from benchmarks._storm import GATEWAY, NOW, Storm
from broadcaster import ingest, migrations
from broadcaster.delivery import orphans, receipts
from broadcaster.delivery.lots import Kinds, cells, inbox_row
from broadcaster.gateways.smpp.reasons import REASONS
from subscribers.clock import monotonic
from subscribers.db import in_bulk, make_engine
from tests import servers

SETTINGS = ("shared_buffers=512MB", "max_wal_size=4GB")
#: as many as a gateway hands over at once
HEARD = 500


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storm", type=int, default=200_000)
    parser.add_argument("--databases", nargs="+", default=["postgresql", "sqlite"])
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--take-in", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args()
    storm = Storm(given.storm, given.seed)
    if given.take_in:
        print(json.dumps(take_in(given.take_in, storm)))
        return
    found: dict[str, float] = {"seed": given.seed, "receipts": len(storm.receipts)}
    for name in given.databases:
        with database(name) as url:
            found |= {f"{name}_{key}": value for key, value in figures(url, storm).items()}
        with database(name) as url:
            found |= {f"{name}_{key}": value for key, value in at_once(url, given.storm, given.seed).items()}
    if given.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:44} {value:>14,}")


@contextlib.contextmanager
def database(name: str) -> Iterator[str]:
    """One with today's tables, for one run."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        place = Path(folder)
        place.chmod(0o755)
        (place / "server").mkdir()
        if name == "sqlite":
            url = f"sqlite:///{place / 'storm.db'}"
        else:
            url = stack.enter_context(servers.postgresql(place / "server", *SETTINGS))
        migrations.upgrade(url)
        yield url


class Meter:
    """Wall and processor time of stages, of this process and of the database's."""

    def __init__(self, engine: Engine, receipts: int) -> None:
        self._engine, self._receipts = engine, receipts
        self.found: dict[str, float] = {}

    def run(self, name: str, work: Callable[[], object]) -> None:
        """Do it, and keep what it took, by the receipt."""
        began, own, server = monotonic(), _own(), self._server()
        work()
        seconds = monotonic() - began
        self.found[f"{name}_per_second"] = round(self._receipts / seconds)
        self.found[f"{name}_python_us"] = round((_own() - own) / self._receipts * 1e6, 1)
        if server:
            self.found[f"{name}_server_us"] = round((self._server() - server) / self._receipts * 1e6, 1)

    def _server(self) -> float:
        if self._engine.dialect.name == "sqlite":
            return 0
        with self._engine.connect() as connection:
            pids = connection.scalars(text("SELECT pid FROM pg_stat_activity")).all()
        ticks = 0
        for pid in pids:
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def figures(url: str, storm: Storm) -> dict[str, float]:
    """Stage after stage, so that each is seen alone."""
    engine = make_engine(url)
    plant(engine, storm)
    meter = Meter(engine, len(storm.receipts))
    meter.run("kept", lambda: keep(engine, storm))
    meter.run("applied", lambda: apply(engine))
    meter.run("orphans", lambda: orphaned(engine, storm))
    with Session(engine) as session:
        assert not (bad := _storm.wrong(session, storm)), bad
    found = meter.found
    found["all_per_second"] = round(1 / sum(1 / found[f"{name}_per_second"] for name in ("kept", "applied", "orphans")))
    found["plain_per_second"] = plain(engine, storm)
    found["ratio"] = round(found["all_per_second"] / found["plain_per_second"], 3)
    engine.dispose()
    return found


def at_once(url: str, size: int, seed: int) -> dict[str, float]:
    """One process keeps them and another applies them, as the product does; from the first to the last one applied."""
    storm = Storm(size, seed)
    engine = make_engine(url)
    plant(engine, storm)
    command = [sys.executable, "-m", "benchmarks.receipts", "--take-in", url, "--storm", str(size), "--seed", str(seed)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as other:
        assert other.stdout
        assert other.stdin
        other.stdout.readline()
        other.stdin.write("go\n")
        other.stdin.flush()
        began = monotonic()
        while other.poll() is None:
            apply(engine)
            time.sleep(0.01)
        apply(engine)
        orphaned(engine, storm)
        seconds = monotonic() - began
        kept = json.loads(other.stdout.read())
    with Session(engine) as session:
        assert not (bad := _storm.wrong(session, storm)), bad
    engine.dispose()
    return {"at_once_per_second": round(len(storm.receipts) / seconds), "at_once_kept_per_second": kept}


def take_in(url: str, storm: Storm) -> float:
    """What the process that listens does; receipts a second."""
    engine = make_engine(url)
    print("ready", flush=True)
    input()
    began = monotonic()
    keep(engine, storm)
    return round(len(storm.receipts) / (monotonic() - began))


def keep(engine: Engine, storm: Storm) -> None:
    """As `binds` does: each lot is committed before it is acknowledged."""
    for heard in in_bulk(storm.receipts, HEARD):
        with Session(engine, expire_on_commit=False) as session, session.begin():
            ingest.accept(session, heard, REASONS, region="CN", now=NOW)


def apply(engine: Engine) -> None:
    """As the task does, until nothing is left."""
    more = 1
    while more:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            more = receipts.apply(session, now=NOW)


def orphaned(engine: Engine, storm: Storm) -> None:
    """The late answers, and what waited for them."""
    with Session(engine) as session, session.begin():
        _storm.answer(session, storm)
    with Session(engine) as session, session.begin():
        orphans.retry(session, now=NOW)
    apply(engine)


def plant(engine: Engine, storm: Storm) -> None:
    """What was sent, and what the server does by itself within a minute or so of it."""
    with Session(engine) as session, session.begin():
        _storm.plant(session, storm)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))


def plain(engine: Engine, storm: Storm) -> float:
    """Rows a second of what was told, each once, into a table without key or index: by COPY, or by one INSERT."""
    kinds = Kinds(REASONS)
    once = {(told.message_id, told.state, told.done_at): told for told in storm.receipts}.values()
    kept = [inbox_row(GATEWAY, kinds.found[kinds.place(told)], *cells(told), NOW) for told in once]
    with engine.connect() as connection:
        columns = list(connection.execute(text("SELECT * FROM receipt_inbox LIMIT 0")).keys())
        rows = [
            tuple((row | {"id": n, "received_at": str(NOW)})[name] for name in columns) for n, row in enumerate(kept, 1)
        ]
        connection.execute(text("CREATE TABLE plain AS SELECT * FROM receipt_inbox LIMIT 0"))
        connection.commit()
        raw = connection.connection.driver_connection
        began = monotonic()
        if isinstance(raw, psycopg.Connection):
            with raw.cursor().copy("COPY plain FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            assert isinstance(raw, sqlite3.Connection)
            raw.executemany(f"INSERT INTO plain VALUES ({', '.join('?' * len(rows[0]))})", rows)
        connection.commit()
        return round(len(rows) / (monotonic() - began))


if __name__ == "__main__":
    main()
