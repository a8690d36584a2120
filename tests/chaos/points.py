"""What can be broken in a process: a place where it dies by `kill -9`, or a mistake that the judge must see.

breaks("claimed:3")            # it dies when its third claim has been committed
breaks("note_after_the_write") # it is a mutant
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from broadcaster import binds, runtime
from broadcaster.delivery import batches, journal, preparing, recording
from broadcaster.delivery.journal import Evidence, Journal
from subscribers.clock import utc_now
from tests.journeys import sending

#: where a process can die: what is called there, and whether it dies before that or behind it
POINTS: dict[str, tuple[Any, str, bool]] = {
    # K1: claimed, not committed
    "claiming": (batches, "claim", False),
    # K2: committed, nothing written
    "claimed": (runtime.Runtime, "_mark", True),
    # K3: noted, the octets not given to the kernel
    "writing": (Journal, "wrote", False),
    # K4: read, and not noted; noted, and not in the database; there, and not committed
    "answered": (Journal, "answered", True),
    "recording": (recording, "record", True),
    "recorded": (recording, "record", False),
    # K5: read; stored, not committed
    "receipt_read": (binds.ingest, "accept", True),
    "receipt_stored": (binds.ingest, "accept", False),
    # K6: committed, not acknowledged
    "receipt_kept": (binds, "_accept", False),
    # K7: some of the audience is written down, and not committed
    "expanding": (preparing, "prepare", False),
}


def breaks(what: str) -> None:
    """Break this process: "" not at all, "POINT:N" it dies there the n-th time, else a mutant or a place of its own."""
    point, _, passes = what.partition(":")
    if passes:
        _die_at(*POINTS[point], int(passes))
    elif what:
        (MUTANTS | PLACES)[what]()


def _die_at(owner: Any, name: str, before: bool, passes: int) -> None:
    called = getattr(owner, name)
    turn = itertools.count(1)

    def die() -> None:
        if next(turn) == passes:
            os.kill(os.getpid(), signal.SIGKILL)

    def then_die(*args: Any, **named: Any) -> Any:
        if before:
            die()
        result = called(*args, **named)
        # a claim that found nothing is none
        if not before and (result is not None or name != "claim"):
            die()
        return result

    setattr(owner, name, then_die)


def _note_after_the_write() -> None:
    """The journal learns of a part when it is answered, not before it leaves."""

    def wrote(self: Journal, turn_id: int, part_id: int) -> None:
        self._slot_of[turn_id, part_id] = self._free.pop()

    Journal.wrote = wrote  # type: ignore[method-assign]


def _believe_the_living() -> None:
    """Who lost its place in the database is taken for dead, although it is writing to the carrier."""

    def read(path: Path, token: str) -> Evidence | None:
        return journal.evidence_in(path.read_bytes(), token) if path.exists() else None

    journal.read = read


MUTANTS: dict[str, Callable[[], None]] = {
    **sending.MUTANTS,
    "note_after_the_write": _note_after_the_write,
    "believe_the_living": _believe_the_living,
}


def _let_the_clock_jump() -> None:
    """An hour on, an hour back, a day on, and as it was: a quarter of a second each."""
    began = time.monotonic()
    jumps = (timedelta(), timedelta(hours=1), timedelta(hours=-1), timedelta(days=1))

    def jumping() -> datetime:
        return utc_now() + jumps[int((time.monotonic() - began) * 4) % len(jumps)]

    for makes in (runtime.assemble, runtime.make_runtime):
        makes.__kwdefaults__["clock"] = jumping  # type: ignore[attr-defined]


def _be_elsewhere() -> None:
    """Another host: its name is another, and the dead of other hosts are left to these for a second."""
    socket.gethostname = lambda: "elsewhere"
    runtime.LEFT_TO_ITS_MACHINE = 1.0


PLACES: dict[str, Callable[[], None]] = {"clock": _let_the_clock_jump, "elsewhere": _be_elsewhere}
