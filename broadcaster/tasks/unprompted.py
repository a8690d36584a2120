"""A worker that hears nothing looks for work by itself: the database is the queue, a broker only hurries.

The broker may be away, emptied, or speak to a connection that this process does not listen to any more; or nobody gives
the ticks.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from celery import Celery
from celery.signals import task_prerun

from broadcaster.logs import get
from broadcaster.runtime import Runtime
from broadcaster.tasks.doors import START_DUE, SWEEP
from broadcaster.tasks.hints import task_for
from subscribers.clock import monotonic
from subscribers.db import Wake

log = get(__name__)

#: seconds without any task after which it begins; ticks come every second
SILENCE = 5.0
#: seconds between two looks
LOOK_AROUND = 1.0


@contextlib.contextmanager
def looking_around(app: Celery, runtime: Runtime) -> Iterator[None]:
    """For the length of the block, in a thread of its own."""
    heard = [monotonic()]
    ending = threading.Event()

    def hear(**_: Any) -> None:
        heard[0] = monotonic()

    def look() -> None:
        while not ending.wait(LOOK_AROUND):
            if monotonic() - heard[0] >= SILENCE:
                log.warning("no task has come; this worker looks for work by itself", seconds=SILENCE)
                _work(app, runtime, lambda: ending.is_set() or monotonic() - heard[0] < SILENCE)

    task_prerun.connect(hear, weak=False)
    thread = threading.Thread(target=look, name="unprompted", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        task_prerun.disconnect(hear)
        thread.join()


def _work(app: Celery, runtime: Runtime, over: Callable[[], bool]) -> None:
    hints: SimpleQueue[Wake] = SimpleQueue()
    publish = runtime.publish

    def keep(wakes: Sequence[Wake]) -> None:
        for one in dict.fromkeys(wakes):
            hints.put(one)

    # what they hint at is done here; others may be as deaf
    runtime.publish = keep
    try:
        while not over():
            for name in (START_DUE, SWEEP):
                _do(app, name, [])
            with contextlib.suppress(Empty):
                while not over():
                    name, args, _ = task_for(hints.get(timeout=LOOK_AROUND))
                    _do(app, name, args)
    finally:
        runtime.publish = publish


def _do(app: Celery, name: str, args: Sequence[Any]) -> None:
    try:
        # called, not sent: no signal says that it was heard
        app.tasks[name](*args)
    except Exception as error:
        log.warning("a task failed", task=name, reason=str(error))
