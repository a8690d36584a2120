"""Who runs the carrier of a file: the first process that wants it; the others find its port beside the file."""

from __future__ import annotations

import fcntl
import json
import os
import weakref
from pathlib import Path

from broadcaster.gateways.errors import Misconfigured
from broadcaster.gateways.simulator.carrier import Carrier
from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.gateways.simulator.server import CarrierServer


class Host:
    """A carrier that lives in this process, and the lock on its file."""

    def __init__(self, path: Path, lock: int, server: CarrierServer) -> None:
        self._path = path
        self._lock = lock
        self._server = server
        self.port = server.port
        self.identity = server.carrier.identity
        _hosts.add(self)

    @classmethod
    def take(cls, path: Path, behaviour: Behaviour, port: int = 0) -> Host | None:
        """Run the carrier here, on any free port unless one is given; None when another process runs it.

        Raises `Misconfigured` when the file or the port cannot be used.
        """
        try:
            lock = _lock(path)
            if lock is None:
                return None
            try:
                return cls._serve(path, lock, behaviour, port)
            except BaseException:
                os.close(lock)
                raise
        except OSError as error:
            raise Misconfigured(
                "The simulated carrier cannot start on {path}: {detail}.",
                hint="Name a file and a port that this user may use.",
                path=str(path),
                detail=error.strerror or str(error),
            ) from error

    @classmethod
    def _serve(cls, path: Path, lock: int, behaviour: Behaviour, port: int) -> Host:
        carrier = Carrier(path, behaviour)
        try:
            server = CarrierServer(carrier, port, behaviour.latency)
        except BaseException:
            carrier.close()
            raise
        server.start()
        host = cls(path, lock, server)
        new = _beside(path, ".port.new")
        new.write_text(json.dumps({"port": server.port, "carrier": carrier.identity}), encoding="ascii")
        new.replace(_beside(path, ".port"))
        return host

    def close(self) -> None:
        """Hang up, and let the next one have the file. Closing twice is closing once."""
        if self._lock >= 0:
            self._server.stop()
            self._server.carrier.close()
            os.close(self._lock)
            self._lock = -1

    def abandon(self) -> None:
        """In a forked child: close what was inherited, or the carrier would seem alive after its process has died."""
        for inherited in (self._server.socket, *self._server.connections):
            inherited.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def address(path: Path) -> tuple[int, str] | None:
    """The port where the carrier of this file was last run, and its identity; None when it never was."""
    try:
        told = json.loads(_beside(path, ".port").read_text(encoding="ascii"))
        return int(told["port"]), str(told["carrier"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lock(path: Path) -> int | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(_beside(path, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return lock


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _abandon_all() -> None:
    for host in list(_hosts):
        host.abandon()


_hosts: weakref.WeakSet[Host] = weakref.WeakSet()
os.register_at_fork(after_in_child=_abandon_all)
