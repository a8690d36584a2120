"""What the threads of a process do with their processor time. Python runs this by itself, found on PYTHONPATH.

Each thread is profiled by its own processor clock, so waiting costs nothing. Calls are dearer than they are without
it: read the shares, not the sums. When the process ends, $PROFILE has a line of JSON per thread and function: thread,
file, line, name, calls, seconds by itself, seconds with what it calls. With $THREADS instead nothing is made dearer,
and the file has a line of JSON per thread: thread, seconds.
"""

import atexit
import cProfile
import json
import os
import threading
import time

_profiles: list[tuple[str, cProfile.Profile]] = []
_bootstrap = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]


def _profiled(thread: threading.Thread) -> None:
    profile = cProfile.Profile(time.thread_time)
    _profiles.append((thread.name, profile))
    profile.enable()
    try:
        _bootstrap(thread)
    finally:
        profile.disable()


def _tell(file: str) -> None:
    with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123
        for thread, profile in _profiles:
            for entry in profile.getstats():
                code = entry.code
                place = (
                    ("", 0, code) if isinstance(code, str) else (code.co_filename, code.co_firstlineno, code.co_name)
                )
                out.write(json.dumps([thread, *place, entry.callcount, entry.inlinetime, entry.totaltime]) + "\n")


_clocks: list[tuple[str, int]] = []
_ended: list[tuple[str, float]] = []


def _timed(thread: threading.Thread) -> None:
    clock = time.pthread_getcpuclockid(threading.get_ident())
    _clocks.append((thread.name, clock))
    try:
        _bootstrap(thread)
    finally:
        _clocks.remove((thread.name, clock))
        _ended.append((thread.name, time.thread_time()))


def _tell_times(file: str) -> None:
    living = [(name, time.clock_gettime(clock)) for name, clock in _clocks.copy()]
    with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123
        for line in [*_ended, *living, ("main", time.thread_time())]:
            out.write(json.dumps(line) + "\n")


if "THREADS" in os.environ:
    threading.Thread._bootstrap_inner = _timed  # type: ignore[attr-defined]
    atexit.register(_tell_times, os.environ.pop("THREADS"))
if "PROFILE" in os.environ:
    threading.Thread._bootstrap_inner = _profiled  # type: ignore[attr-defined]
    atexit.register(_tell, os.environ.pop("PROFILE"))
