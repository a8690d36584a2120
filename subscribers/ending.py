"""Being asked to end: what serves finishes what is in hand first."""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def asked_to_end() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, so that what is in hand is finished first."""
    ending = threading.Event()

    def end(*_: object) -> None:
        # by another thread: whom the signal has interrupted may hold the event's lock, and would never give it back.
        # Not by one of `threading`, which has a lock of its own for all that are starting
        _thread.start_new_thread(ending.set, ())

    before = {each: signal.signal(each, end) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ending
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def wait_for(ending: threading.Event) -> None:
    """Wait in the main thread until this process is asked to end."""
    # the system may tell any thread of a signal, and Python's handler runs when this one wakes next
    while not ending.wait(1.0):
        pass
