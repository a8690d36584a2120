"""What can happen to an installation, each as one deed. Both the tests of the rows and the chaos command use them.

Each returns the moment from which its recovery counts: when what was killed is started again, or let go.
"""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import kombu
import psycopg
import redis
from sqlalchemy import make_url

from tests.chaos.installation import BINDS, Installation

Inject = Callable[[Installation, random.Random], float]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault, the row of `safety.md` it is of, and the goal for its recovery in seconds (G4, G5)."""

    name: str
    row: str
    inject: Inject
    goal: float
    #: whether this installation can have it
    possible: Callable[[Installation], bool] = lambda _: True
    #: how often it is drawn, beside the others
    weight: int = 1
    #: whether senders die of it
    kills: bool = False


def _kill(on: Installation, *roles: str) -> float:
    began = time.monotonic()
    on.kill(*roles)
    on.start(*roles)
    return began


def kill_bind(on: Installation, chance: random.Random) -> float:
    """One of the senders; the other goes on."""
    return _kill(on, chance.choice(BINDS))


def kill_binds(on: Installation, chance: random.Random) -> float:
    """All senders."""
    return _kill(on, *BINDS)


def kill_role(role: str, on: Installation, chance: random.Random) -> float:
    """A process that sends nothing itself."""
    return _kill(on, role)


def end_bind(on: Installation, chance: random.Random) -> float:
    """A deployment: asked to end, it finishes what it holds."""
    role = chance.choice(BINDS)
    began = time.monotonic()
    on.end(role)
    on.start(role)
    return began


def freeze_bind(on: Installation, chance: random.Random) -> float:
    """A machine that stands still for a while, and goes on as if nothing had been."""
    role = chance.choice(BINDS)
    on.signal(role, signal.SIGSTOP)
    time.sleep(chance.uniform(0.5, 2))
    on.signal(role, signal.SIGCONT)
    return time.monotonic()


def freeze_bind_without_sessions(on: Installation, chance: random.Random) -> float:
    """The same, and its lock is lost meanwhile: to others it is dead, and it writes on."""
    role = chance.choice(BINDS)
    on.signal(role, signal.SIGSTOP)
    cut_sessions(on)
    time.sleep(chance.uniform(1.5, 2.5))
    on.signal(role, signal.SIGCONT)
    return time.monotonic()


def cut_sessions(on: Installation) -> int:
    """End every session of the database; how many."""
    address = make_url(on.url)
    server = address.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(server, autocommit=True) as connection:
        row = connection.execute(query, (address.database,)).fetchone()
    return int(row[0]) if row else 0


def stop_database(on: Installation, chance: random.Random, away: float = 2.0) -> float:
    """As `pg_ctl stop -m immediate`, for a while."""
    assert on.database
    on.database.kill(signal.SIGQUIT)
    time.sleep(chance.uniform(0.5, away))
    on.database.start()
    return time.monotonic()


def hold_database(on: Installation, chance: random.Random, away: float = 2.0) -> float:
    """Somebody writes for a long time: nobody else can."""
    with contextlib.closing(sqlite3.connect(on.url.removeprefix("sqlite:///"), timeout=30)) as file:
        file.isolation_level = None
        file.execute("BEGIN IMMEDIATE")
        time.sleep(chance.uniform(0.5, away))
        file.execute("ROLLBACK")
    return time.monotonic()


def kill_broker(on: Installation, chance: random.Random, away: float = 2.0) -> float:
    """`kill -9`, and for a while there is none; Redis comes back empty."""
    assert on.broker
    on.broker.kill()
    time.sleep(chance.uniform(0.5, away))
    on.broker.start()
    return time.monotonic()


def flush_broker(on: Installation, chance: random.Random) -> float:
    """Everything that it holds is thrown away."""
    url = on.settings.queue.url
    if url.startswith("redis"):
        with redis.Redis.from_url(url) as client:
            client.flushdb()
    else:
        with kombu.Connection(url) as connection:
            channel: Any = connection.default_channel
            for queue in ("control", "receipts", "replies", "submit.carrier"):
                channel.queue_purge(queue)
    return time.monotonic()


def cut_line(on: Installation, chance: random.Random) -> float:
    """The connections to the carrier break."""
    on.line.cut()
    return time.monotonic()


def hush_line(on: Installation, chance: random.Random) -> float:
    """The carrier goes on, and nothing of what it says arrives."""
    on.line.hush()
    time.sleep(chance.uniform(0.3, 2.5))
    on.line.speak()
    return time.monotonic()


def storm(on: Installation, chance: random.Random) -> float:
    """The carrier says "too fast" to half of everything."""
    on.carrier.behave(throttle=0.5)
    time.sleep(chance.uniform(1, 2))
    on.carrier.behave(throttle=0.0)
    return time.monotonic()


def cut_power(on: Installation, chance: random.Random) -> float:
    """Everything is killed at once, servers too, and started again."""
    roles = tuple(on.processes)
    for role in roles:
        on.signal(role, signal.SIGSTOP)
    if on.database:
        on.database.kill(signal.SIGQUIT)
    if on.broker:
        on.broker.kill()
    on.kill(*roles)
    began = time.monotonic()
    if on.database:
        on.database.start()
    if on.broker:
        on.broker.start()
    on.start(*roles)
    return began


def _on_server(on: Installation) -> bool:
    return on.url.startswith("postgresql")


FAULTS = (
    Fault("kill -9 of a bind", "K3", kill_bind, 2, weight=4, kills=True),
    Fault("kill -9 of all binds", "K3", kill_binds, 2, weight=2, kills=True),
    Fault("kill -9 of the worker", "K5", partial(kill_role, "worker"), 2, lambda on: "worker" in on.roles, weight=2),
    Fault("kill -9 of the beat", "K8", partial(kill_role, "beat"), 2, lambda on: "beat" in on.roles),
    Fault("SIGTERM to a bind", "C1", end_bind, 2),
    Fault("a bind stands still", "T1", freeze_bind, 2),
    Fault("a bind stands still and loses its lock", "D1", freeze_bind_without_sessions, 3, _on_server, weight=2),
    Fault("database stopped", "D1", stop_database, 3, lambda on: on.database is not None, weight=4),
    Fault("database held by a writer", "D2", hold_database, 3, lambda on: on.url.startswith("sqlite"), weight=3),
    Fault("kill -9 of the broker", "B1", kill_broker, 5, lambda on: on.broker is not None, weight=3),
    Fault("broker emptied", "B1", flush_broker, 5, lambda on: bool(on.settings.queue.url), weight=2),
    Fault("the line is cut", "S1", cut_line, 5, weight=2),
    Fault("the carrier is silent", "S2", hush_line, 5, weight=2),
    Fault("too fast", "S4", storm, 5),
    Fault("power cut", "K9", cut_power, 10, kills=True),
)
