"""How Python itself divides its time in a process whose work is known."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: new containers after which Python looks for cycles among them, while thousands of rows are made and given up again
_COLLECT_AFTER = 50_000


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Rows hold no cycles; Python's search for some at its usual pace takes a third of the time of an import."""
    usual = gc.get_threshold()
    gc.set_threshold(_COLLECT_AFTER, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def turns_of(seconds: float) -> Iterator[None]:
    """A thread that another one waits for keeps the interpreter for so long; usually 5 ms."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
