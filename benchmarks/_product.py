"""The product as it is used: members imported, a campaign made and sent by its own doors, `gateways run` in a process.

All goes through the command line, and what is measured is read from the database, the carrier's counters and the
operating system. Only the time of a look at a campaign is taken inside, without the start of a command.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from benchmarks._carrier import SENDER, Carrier, carrier
from benchmarks._members import TEXTS, write_members
from benchmarks._processes import cpu_seconds, family_cpu_seconds, memory_mib
from broadcaster.campaigns import compose
from broadcaster.delivery.progress import progress
from broadcaster.delivery.states import State
from broadcaster.runtime import make_runtime
from broadcaster.settings import load
from subscribers.actor import OPERATOR
from tests import servers

ROOT = Path(__file__).parents[1]
#: what a server for a province wants; the rest, fsync among it, as PostgreSQL comes
SETTINGS = ("shared_buffers=512MB", "max_wal_size=4GB")
COUNTING = (
    "shared_preload_libraries=pg_stat_statements",
    "pg_stat_statements.track_utility=on",
    "pg_stat_statements.track=all",
)
DELIVERED = int(State.DELIVERED)
PATIENCE = 1_200.0
#: parts after which the memory of the worker is looked at for the first time
EARLY = 10_000
#: seconds between two looks at how far the campaign is
LOOK = 3.0
CONFIGURATION = """\
[paper]
name = "晨晖"
[store]
url = "{url}"
[queue]
url = "{queue}"
[gateways.carrier]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "bench"
window = {window}
sender = "{sender}"
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A store, with its members in it, from which each run gets a copy of its own."""

    store: str
    folder: Path
    #: of PostgreSQL
    server: str = ""
    postmaster: int = 0
    #: of a broker; empty: the embedded one
    queue: str = ""
    #: the server counts what each statement costs
    counting: bool = False

    @property
    def verbs(self) -> tuple[tuple[str, ...], ...]:
        """What runs, the sender first: without a broker it does everything."""
        sender = ("gateways", "run", "carrier")
        return (sender, ("worker",), ("beat",)) if self.queue else (sender,)

    def fresh(self, name: str) -> str:
        """The URL of a copy."""
        if self.store == "sqlite":
            for old in self.folder.glob("run.db*"):
                old.unlink()
            shutil.copyfile(self.folder / "members.db", self.folder / "run.db")
            return f"sqlite:///{self.folder / 'run.db'}"
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._execute(f"CREATE DATABASE {name} TEMPLATE members")
        # what the last run left to be written shall not be written in this one
        self._execute("CHECKPOINT")
        return str(make_url(self.server).set(database=name).render_as_string(hide_password=False))

    def cpu_seconds(self) -> float:
        """What the database server has used; SQLite is in the process that uses it."""
        return family_cpu_seconds(self.postmaster) if self.postmaster else 0.0

    def count_statements(self) -> None:
        """From now on."""
        if self.server:
            self._execute("SELECT pg_stat_statements_reset()")

    def statements(self, parts: int) -> str:
        """Those of the last run, the costly ones first: microseconds and calls for 1,000 parts, rows a call."""
        if not self.server:
            return ""
        with psycopg.connect(plain(self.server)) as connection:
            rows = connection.execute(
                "SELECT total_exec_time * 1000 / %(n)s, calls * 1000.0 / %(n)s, rows::float / calls, "
                "wal_bytes / %(n)s, query "
                "FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid AND d.datname = 'run' "
                "WHERE query NOT LIKE 'SELECT 1 FROM %%' ORDER BY total_exec_time DESC LIMIT 60",
                {"n": parts},
            ).fetchall()
        lines = [f"{'us/part':>9}{'calls/1000':>12}{'rows/call':>11}{'wal/part':>10}"]
        lines += [
            f"{spent:9.2f}{calls:12.1f}{each:11.1f}{wal:10.0f}  {' '.join(query.split())[:170]}"
            for spent, calls, each, wal, query in rows
        ]
        return "\n".join(lines)

    def _execute(self, statement: str) -> None:
        with psycopg.connect(plain(self.server), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


def plain(url: str) -> str:
    """The address as psycopg wants it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextlib.contextmanager
def ledger(store: str, folder: Path, members: int, *, broker: str = "", counting: bool = False) -> Iterator[Ledger]:
    """A database with so many members, imported through the command line. `counting`: its statements are counted."""
    write_members(folder / "members.csv", members)
    with contextlib.ExitStack() as stack:
        queue = ""
        if broker:
            (folder / "broker").mkdir()
            queue = stack.enter_context(servers.valkey(folder / "broker"))
        if store == "sqlite":
            imported(folder, f"sqlite:///{folder / 'members.db'}", members)
            yield Ledger(store, folder, queue=queue)
            return
        (folder / "server").mkdir()
        counted = COUNTING if counting else ()
        server = stack.enter_context(servers.postgresql(folder / "server", *SETTINGS, *counted))
        with psycopg.connect(plain(server), autocommit=True) as connection:
            if counting:
                connection.execute("CREATE EXTENSION pg_stat_statements")
            connection.execute("CREATE DATABASE members")
        url = str(make_url(server).set(database="members").render_as_string(hide_password=False))
        imported(folder, url, members)
        with psycopg.connect(plain(url), autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        postmaster = int((folder / "server" / "data" / "postmaster.pid").read_text().split()[0])
        yield Ledger(store, folder, server, postmaster, queue, counting)


def imported(folder: Path, url: str, members: int) -> None:
    """Take the members in."""
    configure(folder, url, port=2775, window=100)
    ask(folder, "init")
    result = ask(folder, "members", "import", str(folder / "members.csv"))
    if result["created"] != members:
        raise RuntimeError(f"{result['created']} of {members} members were imported")


def configure(folder: Path, url: str, *, port: int, window: int, queue: str = "") -> None:
    """Write the settings."""
    (folder / "broadsheet.toml").write_text(
        CONFIGURATION.format(url=url, queue=queue, port=port, window=window, sender=SENDER), encoding="utf-8"
    )


def environment(folder: Path) -> dict[str, str]:
    """An installation's: its own settings, and modules that are compiled once and kept."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BROADSHEET_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "BROADSHEET_CONFIG": str(folder / "broadsheet.toml"),
        "BROADSHEET_DATA": str(folder / "data"),
    }


def ask(folder: Path, *words: str) -> dict[str, Any]:
    """The document that a verb prints."""
    return told(asking(folder, *words))


def asking(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A verb at work."""
    command = [sys.executable, "cli.py", *words, "--json"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=pipe, stderr=pipe, text=True)


def told(verb: subprocess.Popen[str]) -> dict[str, Any]:
    """What it printed in the end."""
    out, err = verb.communicate()
    if verb.returncode:
        raise RuntimeError(f"{verb.args!r}: {out[-500:]}{err[-2000:]}")
    found: dict[str, Any] = json.loads(out)
    return found


class Eye:
    """Looks at the ledger from outside, in statements that cost next to nothing until the last."""

    def __init__(self, url: str) -> None:
        self._connection: Any = (
            sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            if url.startswith("sqlite")
            else psycopg.connect(plain(url), autocommit=True)
        )

    def one(self, statement: str) -> Any:
        row = self._connection.execute(statement).fetchone()
        return row[0] if row else None

    def seconds_between(self, campaign: str, *moments: str) -> float:
        """From the first of these moments of a campaign to the second."""
        first, second = (
            datetime.fromisoformat(str(self.one(f"SELECT {moment} FROM campaign WHERE id = {campaign}")))
            for moment in moments
        )
        return (second - first).total_seconds()

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def at_work(store: Ledger, profile: Path | None) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes of an installation, the sender first; what they log is in a file."""
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((store.folder / "log").open("wb"))
        processes = []
        for verb in store.verbs:
            settings = environment(store.folder)
            settings["PYTHONPATH"] = str(ROOT / "benchmarks" / "_profiler")
            # one of them is looked into
            if profile is None:
                settings["THREADS"] = str(store.folder / f"threads.{verb[0]}")
            elif verb == store.verbs[0]:
                settings["PROFILE"] = str(profile)
            command = [sys.executable, "cli.py", *verb]
            process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=subprocess.DEVNULL, stderr=log)
            stack.callback(_end, process)
            processes.append(process)
        yield processes


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def looking(folder: Path, campaign_id: int) -> Iterator[list[float]]:
    """Milliseconds of each look at the figures of a campaign while it goes out: what `show` and `watch` wait for."""
    looks: list[float] = []
    over = threading.Event()

    def look() -> None:
        runtime = make_runtime(load(folder / "broadsheet.toml", data=folder / "data"))
        while not looks or not over.wait(LOOK):
            with runtime.reading() as tx:
                began = time.monotonic()
                progress(tx.session, compose.get(tx.session, OPERATOR, campaign_id))
                looks.append((time.monotonic() - began) * 1000)
        runtime.close()

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield looks
    finally:
        over.set()
        thread.join()


def run(
    store: Ledger,
    members: int,
    parts_each: int,
    *,
    window: int,
    receipt_delay: float,
    hold: bool = False,
    profile: Path | None = None,
) -> dict[str, float]:
    """One campaign to all of them, from the first claim until every part is `delivered` in the database.

    `hold`: no receipt comes before all parts are handed over, so that either half is seen alone.
    """
    url = store.fresh("run")
    parts = members * parts_each
    with carrier(receipt_delay) as there, contextlib.closing(Eye(url)) as eye:
        there.hold_receipts(hold)
        configure(store.folder, url, port=there.port, window=window, queue=store.queue)
        if store.counting:
            store.count_statements()
        with at_work(store, profile) as processes:
            try:
                return _campaign(store, processes, there, eye, parts_each, parts, hold=hold)
            except (TimeoutError, RuntimeError) as error:
                log = (store.folder / "log").read_text("utf-8", errors="replace")
                raise RuntimeError(f"{error}\n{log[-3000:]}") from None


def _campaign(
    store: Ledger,
    processes: list[subprocess.Popen[bytes]],
    there: Carrier,
    eye: Eye,
    parts_each: int,
    parts: int,
    *,
    hold: bool,
) -> dict[str, float]:
    process = processes[0]
    there.wait(lambda: there.bound > 0 or process.poll() is not None, 120, "a bind")
    made = ask(store.folder, "campaigns", "create", "--text", TEXTS[parts_each], "--to", "everyone")
    number = str(made["id"])
    recipients = ask(store.folder, "campaigns", "check", number)["recipients"]
    sends = asking(store.folder, "campaigns", "send", number, "--confirm", str(recipients))
    state = f"SELECT state FROM campaign WHERE id = {number}"
    # the first claim follows the end of the snapshot at once, and may be over before `send` is
    there.wait(lambda: eye.one(state) in ("preparing", "sending", "sent"), PATIENCE, "a start")
    started = time.monotonic()
    there.wait(lambda: eye.one(state) in ("sending", "sent"), PATIENCE, "a snapshot")
    prepared = time.monotonic()
    used = _used(processes), store.cpu_seconds()
    began = min(prepared, there.first_submit or prepared)
    told(sends)
    with looking(store.folder, made["id"]) as looks:
        there.wait(lambda: there.submitted >= min(parts, EARLY), PATIENCE, "the first parts at the carrier")
        early, _ = memory_mib(process.pid)
        there.wait(lambda: there.submitted >= parts, PATIENCE, "all parts at the carrier")
    there.hold_receipts(False)
    released = time.monotonic()
    there.wait(lambda: there.acknowledged >= parts, PATIENCE, "all receipts acknowledged")
    # counters: a look at the rows themselves would cost more the more of them there are
    kept = f"SELECT COALESCE(SUM(n), 0) FROM tally WHERE state = {DELIVERED}"
    there.wait(lambda: eye.one(kept) == parts + recipients, PATIENCE, "all delivered")
    ended = time.monotonic()
    worker, database = _used(processes) - used[0], store.cpu_seconds() - used[1]
    delivered = eye.one(f"SELECT count(*) FROM part WHERE state = {DELIVERED}")
    if delivered != parts or there.submitted != parts:
        raise RuntimeError(f"{delivered} parts delivered and {there.submitted} accepted, of {parts}")
    memory, peak = memory_mib(process.pid)
    return {
        "parts_per_second": parts / (ended - began),
        "submits_per_second": parts / (there.last_submit - there.first_submit),
        "receipts_per_second": parts / (ended - (released if hold else there.first_submit)),
        "start_seconds": there.first_submit - started,
        "snapshot_seconds": eye.seconds_between(number, "started_at", "prepared_at"),
        "show_ms": statistics.median(looks),
        "show_ms_most": max(looks),
        "cpu_s_per_1000": (worker + database) / parts * 1000,
        "cpu_worker": worker / parts * 1000,
        "cpu_database": database / parts * 1000,
        "memory_early_mib": early,
        "memory_mib": memory,
        "memory_peak_mib": peak,
    }


def _used(processes: list[subprocess.Popen[bytes]]) -> float:
    """Seconds of processor."""
    return sum(cpu_seconds(process.pid) for process in processes)
