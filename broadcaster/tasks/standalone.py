"""Worker and schedule as processes of their own, over a broker that several hosts share."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Sequence

from celery import Celery
from celery.apps.beat import Beat
from celery.beat import Service
from celery.platforms import EX_FAILURE

from broadcaster.logs import get
from broadcaster.runtime import Runtime
from broadcaster.tasks.hints import CONTROL
from broadcaster.tasks.unprompted import looking_around
from subscribers.interpreter import seldom_collecting

log = get(__name__)

#: seconds
RESTART_PAUSE = 1.0


def work(app: Celery, runtime: Runtime, queues: Sequence[str], *, threads: int, name: str) -> None:
    """Serve these queues until the process is asked to end (SIGTERM: what is held is finished first)."""
    with contextlib.ExitStack() as beside:
        # only here does something come every second
        if CONTROL in queues:
            beside.enter_context(looking_around(app, runtime))
        _serve(app, runtime, queues, threads=threads, name=name)


def _serve(app: Celery, runtime: Runtime, queues: Sequence[str], *, threads: int, name: str) -> None:
    try:
        while not runtime.stopping.is_set():
            worker = app.Worker(
                pool="threads",
                concurrency=threads,
                queues=list(queues),
                hostname=f"{name}@%h",
                without_mingle=True,
                without_gossip=True,
                loglevel="WARNING",
            )
            with seldom_collecting(10_000):
                worker.start()
            if worker.exitcode != EX_FAILURE:
                return
            # what broke it, a message that is no JSON for example, has left the queue with it
            log.error("the worker broke down and is started again", name=name)
            runtime.stopping.wait(RESTART_PAUSE)
    finally:
        runtime.stopping.set()


class _Beat(Beat):
    """Ends when it is asked to, at whatever moment that is."""

    def install_sync_handler(self, service: Service) -> None:
        """What SIGTERM and SIGINT do."""

        def end(_signum: int, _frame: object) -> None:
            # what is raised in the middle of a publish may be lost there, with the driver's own trouble in its place:
            # then this was the last tick
            service.stop()
            raise SystemExit

        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, end)


def beat(app: Celery) -> None:
    """Give the ticks, until the process is asked to end. Two of these do no harm; without any, nothing is started."""
    # no schedule file: the only entry repeats every second
    _Beat(app=app, scheduler_cls="celery.beat:Scheduler", max_interval=1, loglevel="WARNING").run()
