"""How Python itself divides its time in a process whose work is known."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seldom_collecting(after: int = 50_000) -> Iterator[None]:
    """Rows hold no cycles; Python's search for some at its usual pace takes a third of the time of an import.

    `after`: new containers, usually 700. Whoever works for days takes fewer than 50,000: what has cycles lies about.
    """
    usual = gc.get_threshold()
    gc.set_threshold(after, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def settled() -> Iterator[None]:
    """What this process has loaded is there to stay, and is passed over when Python looks for cycles.

    Every thread waits meanwhile: in a process that does everything a tenth of a second and more, a few times a minute.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def turns_of(seconds: float) -> Iterator[None]:
    """A thread that another one waits for keeps the interpreter for so long; usually 5 ms."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
