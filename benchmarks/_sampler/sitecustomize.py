"""Where the threads of a process spend their processor time. Python runs this by itself, found on PYTHONPATH.

It looks at them every few milliseconds. Each look gives what a thread has used since the last one to the stack on which
it is found. When the process ends, $SAMPLES has a line of JSON per stack: thread, seconds, and the frames from the
outermost to the innermost.
"""

import atexit
import collections
import json
import os
import sys
import threading
import time
from types import FrameType

#: seconds between two looks; each costs some 100 us
EVERY = 0.005

_Stack = tuple[str, tuple[str, ...]]


def _look(into: collections.defaultdict[_Stack, float], used: dict[int, float], names: dict[int, str]) -> None:
    names |= {thread.ident: thread.name for thread in threading.enumerate() if thread.ident is not None}
    for ident, top in sys._current_frames().items():
        if ident == threading.get_ident():
            continue
        try:
            now = time.clock_gettime(time.pthread_getcpuclockid(ident))
        except OSError:
            continue
        spent = now - used.get(ident, now)
        used[ident] = now
        if spent < 1e-5:
            continue
        stack = []
        frame: FrameType | None = top
        while frame is not None:
            stack.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}:{frame.f_lineno}")
            frame = frame.f_back
        into[names.get(ident, str(ident)), tuple(reversed(stack))] += spent


def _watch(into: collections.defaultdict[_Stack, float]) -> None:
    used: dict[int, float] = {}
    names: dict[int, str] = {}
    while True:
        time.sleep(EVERY)
        _look(into, used, names)


def _tell(into: collections.defaultdict[_Stack, float], file: str) -> None:
    with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123
        for (thread, stack), seconds in into.copy().items():
            out.write(json.dumps([thread, round(seconds, 6), stack]) + "\n")


if "SAMPLES" in os.environ:
    # else it would only get to look where the others let go of the interpreter by themselves: when they wait
    sys.setswitchinterval(0.0002)
    _found: collections.defaultdict[_Stack, float] = collections.defaultdict(float)
    threading.Thread(target=_watch, args=(_found,), name="sampler", daemon=True).start()
    atexit.register(_tell, _found, os.environ.pop("SAMPLES"))
