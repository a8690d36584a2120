"""A process that is asked to end hears of it, whichever of its threads the system tells."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, signal, threading, time
from subscribers.ending import asked_to_end, wait_for

def ask():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGTERM)

with asked_to_end() as ending:
    threading.Thread(target=ask).start()
    # so it is this other thread that is told, and nothing wakes the main one
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    wait_for(ending)
print("ended in order")
"""


def test_a_signal_that_another_thread_gets_is_heard() -> None:
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=20, check=False)
    assert found.stdout == "ended in order\n", found.stderr


BUSY = """
import os, signal, threading, time
from subscribers.ending import asked_to_end

for n in range(200):
    with asked_to_end() as ending:
        threading.Timer(0.001, os.kill, (os.getpid(), signal.SIGTERM)).start()
        # always at the event: so is whoever looks at it twice a second, for a moment
        while not ending.wait(0):
            pass
print("ended in order")
"""


def test_a_signal_that_comes_while_the_event_is_looked_at() -> None:
    """Whoever looks holds the event's lock, and goes on only when the handler of the signal has ended."""
    program = [sys.executable, "-c", BUSY]
    found = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert found.stdout == "ended in order\n", found.stderr
