"""One installation as it is run: processes that hold binds, a worker, a beat, over servers that can be killed; and a
carrier that none of them can reach but by a line that can be cut.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from broadcaster import migrations
from broadcaster.gateways.testproxy import Proxy
from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import Rehearsal, rehearsing
from broadcaster.runtime import Runtime
from broadcaster.settings import Settings, load
from tests.chaos import judge
from tests.chaos.serving import serve
from tests.journeys.forks import FORKS
from tests.journeys.stage import runtime_on
from tests.servers import Server, postgresql_at, rabbitmq_at, valkey_at

WINDOW = 50
#: seconds after which a process hears a signal, on a busy machine too
GROWN_UP = 5.0
BINDS = ("bind 1", "bind 2")
WORDS = {
    "bind 1": ("gateways", "run", "carrier"),
    "bind 2": ("gateways", "run", "carrier"),
    "other": ("gateways", "run", "other"),
    "worker": ("worker",),
    "beat": ("beat",),
}
#: the states of what is not over, as they stand in the database
MOVING = ", ".join(str(state) for state, word in judge.WORDS.items() if word in judge.MOVING)
MANNERS = Behaviour(
    seed=4,
    system_id="paper",
    password="s3cret99",
    id_form="hex",
    latency=0.005,
    undelivered=0.05,
    expired=0.03,
    rejected=0.02,
    receipt_delay=0.2,
    receipt_spread=0.5,
    intermediate=0.1,
    reordered=0.05,
    duplicate=0.1,
    early=0.05,
)
CONFIGURATION = """\
[paper]
name = "晨晖手机报"
signature = "【晨晖手机报】"
[store]
url = "{url}"
[queue]
url = "{queue}"
[gateways.carrier]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "paper"
password = "s3cret99"
sender = "10690000"
binds = {binds}
window = {window}
parts_per_second = {rate}
receipt_ids = "same"
receipt_timeout = {receipt_timeout}
answer_timeout = 4
connect_timeout = 3
enquire_link_interval = 0.5
refused_bind_pause = 1
"""


class Log:
    """The carrier's log as it grows: when it grew, and to how many parts. Looked at a hundred times a second."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.grew: list[tuple[float, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def parts(self) -> int:
        """How many it has accepted."""
        return self.grew[-1][1] if self.grew else 0

    def after(self, moment: float) -> float | None:
        """Seconds from this moment to the next part that was accepted; None: there was none yet."""
        later = self.grew[self._from(moment) :]
        return later[0][0] - moment if later else None

    def _from(self, moment: float) -> int:
        low = len(self.grew)
        while low and self.grew[low - 1][0] > moment:
            low -= 1
        return low

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        size = parts = 0
        while not self._over.wait(0.01):
            if self.file.exists() and self.file.stat().st_size > size:
                with self.file.open("rb") as file:
                    file.seek(size)
                    new = file.read()
                size += len(new)
                parts += new.count(b"\n")
                self.grew.append((time.monotonic(), parts))


@dataclass
class Installation:
    """What runs, and what it runs on."""

    folder: Path
    url: str
    settings: Settings
    runtime: Runtime
    carrier: Rehearsal
    line: Proxy
    log: Log
    database: Server | None = None
    broker: Server | None = None
    roles: tuple[str, ...] = BINDS
    #: what is wrong with its processes: see `points.breaks`
    broken: str = ""
    processes: dict[str, BaseProcess] = field(default_factory=dict)
    #: another machine's data folder, for the processes that are started next
    elsewhere: Path | None = None
    #: process ids of those that were killed
    dead: list[int] = field(default_factory=list)
    #: when one was started last
    started: float = 0.0

    def start(self, *roles: str) -> None:
        """Start these processes, or all."""
        environment = {
            "BROADSHEET_CONFIG": str(self.folder / "broadsheet.toml"),
            "BROADSHEET_DATA": str(self.elsewhere or self.folder / "data"),
            "BROADSHEET_LANG": "en",
        }
        for role in roles or self.roles:
            log = self.folder / f"{role.replace(' ', '-')}.log"
            self.processes[role] = FORKS.Process(target=serve, args=(WORDS[role], environment, log, self.broken))
            self.processes[role].start()
        self.started = time.monotonic()

    def kill(self, *roles: str) -> None:
        """`kill -9` these, or all."""
        chosen = [self.processes.pop(role) for role in roles or tuple(self.processes)]
        for process in chosen:
            process.kill()
            self.dead.append(process.pid or 0)
        for process in chosen:
            process.join(10)
            process.close()

    def signal(self, role: str, number: signal.Signals) -> None:
        """Send a signal to one process."""
        assert self.processes[role].is_alive(), f"{role} ended by itself\n{self.logged()}"
        os.kill(self.processes[role].pid or 0, number)

    def end(self, *roles: str) -> dict[str, int | None]:
        """Ask these, or all, to end: their exit codes."""
        chosen = {role: self.processes.pop(role) for role in roles or tuple(self.processes)}
        # one that has only just begun to start knows nothing of being asked yet, and dies of it
        time.sleep(max(0.0, self.started + GROWN_UP - time.monotonic()))
        for process in chosen.values():
            process.terminate()
        for process in chosen.values():
            process.join(40)
        codes = {role: process.exitcode for role, process in chosen.items()}
        for process in chosen.values():
            process.kill()
        return codes

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database answers."""
        return judge.rows(self.url, query)

    def is_quiet(self) -> bool:
        """Whether nothing of any campaign moves any more."""
        return not any(
            self.rows(f"SELECT 1 FROM {query} LIMIT 1")
            for query in (
                "campaign WHERE state IN ('preparing', 'scheduled')",
                f"part WHERE state IN ({MOVING})",
                f"message WHERE state IN ({MOVING})",
            )
        )

    def left_to_do(self) -> int:
        """How many parts still move."""
        return int(self.rows(f"SELECT count(*) FROM part WHERE state IN ({MOVING})")[0][0])

    def in_doubt(self) -> int:
        """How many parts are in doubt now."""
        return int(self.rows("SELECT count(*) FROM part WHERE state = 4")[0][0])

    def has_taken_over(self) -> bool:
        """Whether nothing stands under the name of a process that was killed: what it left in doubt is counted."""
        dead = ", ".join(map(str, self.dead)) or "0"
        open_turns = "SELECT 1 FROM turn JOIN owner ON owner.id = turn.owner_id WHERE owner.pid IN"
        return not self.rows(f"{open_turns} ({dead}) LIMIT 1")

    def logged(self) -> str:
        """The last lines of every process, for whoever looks for the reason."""
        tails = ((path.stem, path.read_text("utf-8", "replace")[-1500:]) for path in sorted(self.folder.glob("*.log")))
        return "\n".join(f"--- {name}\n{tail}" for name, tail in tails if tail)


def wait_until(true: Callable[[], object], seconds: float) -> bool:
    """Whether it became true in time. A database that is away says nothing."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            if true():
                return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)


@contextlib.contextmanager
def installed(
    folder: Path,
    *,
    url: str = "",
    database: str = "sqlite",
    queue: str = "",
    broker: str = "",
    manners: Behaviour = MANNERS,
    broken: str = "",
    more: str = "",
    **gateway: Any,
) -> Iterator[Installation]:
    """An installation with an empty ledger, none of whose processes runs yet.

    `url` and `queue`: servers that are there already; else `database` (sqlite, postgresql) and `broker` (redis,
    rabbitmq, or none for the embedded queue) name what is started for this run alone, and may be killed. `more`: what
    else stands in its configuration.
    """
    with contextlib.ExitStack() as stack:
        servers: dict[str, Server] = {}
        if not url:
            url = _database(stack, servers, folder, database)
        if broker:
            servers["broker"] = _started(stack, {"redis": valkey_at, "rabbitmq": rabbitmq_at}[broker], broker)
            queue = servers["broker"].url
        carrier = stack.enter_context(rehearsing(folder / "accepted.jsonl", manners))
        line = stack.enter_context(Proxy(carrier.port))
        table = {"binds": 2, "window": WINDOW, "rate": 0, "receipt_timeout": 60, **gateway}
        written = CONFIGURATION.format(url=url, queue=queue, port=line.port, **table)
        (folder / "broadsheet.toml").write_text(written + more, encoding="utf-8")
        settings = load(folder / "broadsheet.toml", data=folder / "data")
        runtime = stack.enter_context(runtime_on(settings))
        log = stack.enter_context(contextlib.closing(Log(folder / "accepted.jsonl")))
        made = Installation(folder, url, settings, runtime, carrier, line, log, broken=broken)
        made.database, made.broker = servers.get("database"), servers.get("broker")
        made.roles = (*BINDS, "worker", "beat") if queue else BINDS
        stack.callback(lambda: made.kill())
        # what is held back keeps the line from being closed
        stack.callback(line.speak)
        yield made


def _database(stack: contextlib.ExitStack, servers: dict[str, Server], folder: Path, kind: str) -> str:
    if kind == "postgresql":
        # as it is installed: it keeps its promise to the disk
        server = _started(stack, lambda place: postgresql_at(place, "max_connections=100"), "postgresql")
        servers["database"] = server
        with psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE DATABASE broadsheet")
        url = make_url(server.url).set(database="broadsheet").render_as_string(hide_password=False)
    else:
        url = f"sqlite:///{folder / 'broadsheet.db'}"
    migrations.upgrade(url)
    return url


def _started(stack: contextlib.ExitStack, make: Callable[[Path], Server], name: str) -> Server:
    # not below a test's own folder, where the plain user that a server gets may not go
    place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{name}-", ignore_cleanup_errors=True)))
    place.chmod(0o755)
    server = make(place)
    stack.callback(server.end)
    server.start()
    return server
