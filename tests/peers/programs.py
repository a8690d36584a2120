"""Programs of other people as the tests see them: told what to do, and telling what they heard, in JSON lines."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

PATIENCE = 30.0
Heard = dict[str, Any]


class Program:
    """Runs while the `with` lasts."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._heard: list[Heard] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        finally:
            # none is left behind, also by a test that failed
            self._process.kill()
        self._reader.join()
        self._process.stdout.close()

    def kill(self) -> None:
        """End it at once, without a word to anybody; what it told stays heard."""
        self._process.kill()
        self._reader.join()

    def heard(self, **wanted: object) -> list[Heard]:
        """What it told so far that has these values."""
        with self._more:
            return [event for event in self._heard if wanted.items() <= event.items()]

    def wait_for(self, count: int, **wanted: object) -> list[Heard]:
        """The same, when there is so much of it."""
        deadline = time.monotonic() + PATIENCE
        with self._more:
            while len(found := self.heard(**wanted)) < count:
                left = deadline - time.monotonic()
                assert left > 0 and self._process.poll() is None, f"waited for {count} of {wanted}: {self._heard}"
                self._more.wait(min(left, 0.5))
        return found

    def tell(self, order: Mapping[str, object]) -> None:
        """What it is to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            event = json.loads(line)
            with self._more:
                self._heard.append(event)
                self._more.notify_all()


class Smsc(Program):
    """An SMSC; `port` is where it listens on the loopback."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        super().__init__(command)
        self._sent = 0

    def __enter__(self) -> Self:
        super().__enter__()
        self.port = int(self.wait_for(1, event="listening")[0]["port"])
        return self

    def deliver(
        self,
        source: str,
        destination: str,
        octets: bytes,
        *,
        esm_class: int = 0,
        data_coding: int = 0,
        tlvs: Mapping[str, object] = {},
    ) -> str:
        """Have a deliver_sm sent; the tag by which its answer is told."""
        self._sent += 1
        order = {
            "tag": f"d{self._sent}",
            "source": source,
            "destination": destination,
            "esm_class": esm_class,
            "data_coding": data_coding,
            "hex": octets.hex(),
            "tlvs": dict(tlvs),
        }
        self.tell(order)
        return f"d{self._sent}"


def until(done: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
