"""Worker and schedule as threads of this process, over a queue in its memory."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from celery import Celery
from celery.beat import EmbeddedService
from celery.worker import WorkController

from broadcaster.runtime import Runtime
from broadcaster.tasks.doors import START_DUE, SWEEP
from broadcaster.tasks.hints import CONTROL

#: enough that a gateway which keeps a thread busy does not hold up receipts and replies
THREADS = 6

#: how long a worker may take to finish what it holds
_STOP_WITHIN = 30


@contextlib.contextmanager
def running(app: Celery, runtime: Runtime) -> Iterator[None]:
    """A real worker and a real schedule, as threads, for the length of the block."""
    worker = WorkController(
        app=app,
        pool="threads",
        concurrency=THREADS,
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
        hostname="embedded@localhost",
    )
    # given by hand: the embedded service ignores the configured scheduler and would write a file where it stands
    schedule: Any = EmbeddedService(app, thread=True, max_interval=1, scheduler_cls="celery.beat:Scheduler")
    thread = threading.Thread(target=worker.start, name="worker", daemon=True)
    thread.start()
    schedule.start()
    # the schedule waits before its first turn; what the last process left behind need not
    for task in (START_DUE, SWEEP):
        app.send_task(task, queue=CONTROL)
    try:
        yield
    finally:
        runtime.stopping.set()
        schedule.stop()
        worker.stop()
        thread.join(_STOP_WITHIN)
