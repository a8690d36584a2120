"""A carrier much faster than whatever is measured against it, in a process of its own, and what it can take at most."""

from __future__ import annotations

import contextlib
import mmap
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks._smsc import (
    ACKNOWLEDGED,
    BOUND,
    COUNTERS,
    FIRST_SUBMIT,
    HOLD,
    LAST_ACKNOWLEDGED,
    LAST_SUBMIT,
    SUBMITTED,
    TOLD,
)

HERE = Path(__file__).parent
SENDER = "10690000"
_HEAD = struct.Struct(">IIII")


@dataclass(frozen=True, slots=True)
class Carrier:
    """One that runs: where, and what it has counted. Instants are those of `time.monotonic`, in seconds."""

    port: int
    process: subprocess.Popen[str]
    counters: memoryview

    @property
    def bound(self) -> int:
        return self.counters[BOUND]

    @property
    def submitted(self) -> int:
        return self.counters[SUBMITTED]

    @property
    def acknowledged(self) -> int:
        """Receipts that the client said yes to."""
        return self.counters[ACKNOWLEDGED]

    @property
    def first_submit(self) -> float:
        return self.counters[FIRST_SUBMIT] / 1e9

    @property
    def last_submit(self) -> float:
        return self.counters[LAST_SUBMIT] / 1e9

    def hold_receipts(self, held: bool) -> None:
        """Keep them back, or let them go: a storm."""
        self.counters[HOLD] = held

    @property
    def last_acknowledged(self) -> float:
        return self.counters[LAST_ACKNOWLEDGED] / 1e9

    def wait(self, until: Callable[[], bool], seconds: float, what: str) -> None:
        """Raises `TimeoutError` with what was counted so far."""
        deadline = time.monotonic() + seconds
        while not until():
            if time.monotonic() > deadline:
                counted = f"{self.bound} binds, {self.submitted} parts, {self.acknowledged} receipts"
                raise TimeoutError(f"{what}: not after {seconds} s ({counted})")
            time.sleep(0.01)


@cache
def command(prefer: str = "") -> tuple[str, tuple[str, ...]]:
    """How it is started, and in which language it is written: C where there is a compiler. `prefer`: c or python."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if prefer != "python" and compiler:
        built = Path(tempfile.mkdtemp(prefix="smsc-")) / "smsc"
        made = subprocess.run(
            [compiler, "-O2", "-o", built, HERE / "_smsc.c"], stderr=subprocess.PIPE, check=False, text=True
        )
        if made.returncode == 0:
            return "C", (str(built),)
        print(f"the carrier in C was not built: {made.stderr.strip()[-300:]}", file=sys.stderr)
    return "Python", (sys.executable, str(HERE / "_smsc.py"))


@contextlib.contextmanager
def carrier(receipt_delay: float, prefer: str = "") -> Iterator[Carrier]:
    """`receipt_delay`: milliseconds between a part and its receipt."""
    with tempfile.NamedTemporaryFile() as file:
        file.truncate(COUNTERS * 8)
        counters = memoryview(mmap.mmap(file.fileno(), COUNTERS * 8)).cast("Q")
        started = [*command(prefer)[1], file.name, str(receipt_delay)]
        with subprocess.Popen(started, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
            assert process.stdout
            try:
                yield Carrier(int(process.stdout.readline()), process, counters)
            finally:
                process.kill()


def submit_pdus(texts: Sequence[bytes], count: int, *, esm_class: int = 0) -> list[bytes]:
    """PDUs of parts in UCS-2 to invented numbers, as SMPP 3.4 writes them; `texts` in turn."""
    made = []
    for number in range(count):
        text = texts[number % len(texts)]
        body = b"\0\0\0%b\0\1\1%d\0" % (SENDER.encode(), 8619900000000 + number // len(texts))
        body += bytes((esm_class, 0, 0, 0, 0, 1, 0, 8, 0, len(text))) + text
        made.append(_HEAD.pack(16 + len(body), 4, 0, 2 + number) + body)
    return made


def most(parts: int, receipt_delay: float, prefer: str = "") -> float:
    """Parts a second, with receipts, that it takes from a writer that keeps no window and made every octet before."""
    pdus = submit_pdus(["会".encode("utf-16-be") * 67], parts)
    submits = b"".join(pdus)
    # it counts its receipts from 1, so their acknowledgements are known before they come
    yes = b"".join(_HEAD.pack(17, 0x80000005, 0, number) + b"\0" for number in range(1, parts + 1))
    with carrier(receipt_delay, prefer) as there, socket.create_connection(("127.0.0.1", there.port)) as line:
        line.sendall(_HEAD.pack(23, 9, 0, 1) + b"\0\0\0\x34\0\0\0")
        while not there.bound:
            line.recv(1 << 16)
        line.setblocking(False)
        at = 0
        while there.acknowledged < parts:
            with contextlib.suppress(BlockingIOError):
                at += line.send(submits[at : at + (1 << 18)]) if at < len(submits) else 0
            with contextlib.suppress(BlockingIOError):
                while line.recv(1 << 20):
                    pass
            if yes and there.counters[TOLD] == parts:
                line.setblocking(True)
                line.sendall(yes)
                line.setblocking(False)
                yes = b""
        return parts / (there.last_acknowledged - there.first_submit)
