"""Worker and schedule as threads of this process."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from celery import Celery
from celery.beat import EmbeddedService
from celery.exceptions import WorkerShutdown
from celery.platforms import EX_OK
from celery.worker import WorkController

from broadcaster.runtime import Runtime
from broadcaster.tasks.doors import START_DUE, SWEEP
from broadcaster.tasks.hints import CONTROL

#: enough that a gateway which keeps a thread busy does not hold up receipts and replies
THREADS = 6

#: how long a worker may take to finish what it holds
_STOP_WITHIN = 30
#: and to hear that it shall end
_HEARD_WITHIN = 5


@contextlib.contextmanager
def running(app: Celery, runtime: Runtime) -> Iterator[None]:
    """A real worker and a real schedule, as threads, for the length of the block."""
    # given by hand: the embedded service ignores the configured scheduler and would write a file where it stands
    schedule: Any = EmbeddedService(app, thread=True, max_interval=1, scheduler_cls="celery.beat:Scheduler")
    with _worker(app, runtime, "embedded", THREADS):
        schedule.start()
        # the schedule waits before its first turn; what the last process left behind need not
        for task in (START_DUE, SWEEP):
            app.send_task(task, queue=CONTROL)
        try:
            yield
        finally:
            runtime.stopping.set()
            schedule.stop()


def hearing(app: Celery, runtime: Runtime, queue: str, *, name: str) -> contextlib.AbstractContextManager[None]:
    """A worker that serves this queue of a broker, as a thread, for the length of the block."""
    return _worker(app, runtime, name, 1, [queue])


@contextlib.contextmanager
def _worker(
    app: Celery, runtime: Runtime, name: str, threads: int, queues: Sequence[str] | None = None
) -> Iterator[None]:
    worker = WorkController(
        app=app,
        pool="threads",
        concurrency=threads,
        queues=queues,
        without_mingle=True,
        without_gossip=True,
        without_heartbeat=True,
        hostname=f"{name}@{socket.gethostname()}",
    )
    thread = threading.Thread(target=worker.start, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        runtime.stopping.set()
        _ask_to_end(worker)
        thread.join(_HEARD_WITHIN)
        if thread.is_alive():
            # it waits for a broker that is away, and hears nobody; or it finishes what it holds, and this is no news
            threading.Thread(target=worker.stop, daemon=True).start()
            thread.join(_STOP_WITHIN)


def _ask_to_end(worker: Any) -> None:
    """In its own thread: two that read from one connection to RabbitMQ take each other's answers, and wait for ever."""
    if worker.use_eventloop and worker.hub is not None:
        worker.hub.call_soon(_leave)
    else:
        worker.stop()


def _leave() -> None:
    raise WorkerShutdown(EX_OK)
