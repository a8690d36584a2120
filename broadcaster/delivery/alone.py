"""Work that one thread of a process does at a time, and does once more if it was asked for meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator


class Alone:
    """Knows who is at what, by its name. Safe for threads."""

    def __init__(self) -> None:
        self._busy: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._wanted: defaultdict[str, threading.Event] = defaultdict(threading.Event)

    def do(self, what: str, work: Callable[[], bool], *, stopping: Callable[[], bool]) -> bool:
        """Do it, unless another thread is at it: then that one looks again. Nothing is begun once `stopping`.

        Returns what `work` returned last; False if another thread is at it.
        """
        more = False
        self._wanted[what].set()
        while self._wanted[what].is_set() and not stopping():
            if not self._busy[what].acquire(blocking=False):
                return False
            try:
                self._wanted[what].clear()
                more = work()
            finally:
                self._busy[what].release()
        return more

    def ask(self, what: str) -> None:
        """Ask for it; whoever waits in `asked` does it."""
        self._wanted[what].set()

    def asked(self, what: str, seconds: float) -> bool:
        """Wait until somebody asks for it, or the time is over. Whether somebody did."""
        was_asked = self._wanted[what].wait(seconds)
        self._wanted[what].clear()
        return was_asked

    @contextlib.contextmanager
    def nobody_at(self, what: str) -> Iterator[None]:
        """Nobody is at it for the length of the block."""
        with self._busy[what]:
            yield
