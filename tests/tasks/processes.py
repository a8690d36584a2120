"""The processes of a scaled-out installation."""

from __future__ import annotations

import contextlib
import os
import signal
from multiprocessing.process import BaseProcess

from celery.signals import before_task_publish

from broadcaster import tasks
from broadcaster.binds import holding
from broadcaster.runtime import make_runtime
from broadcaster.settings import Settings
from broadcaster.tasks import make_app
from tests.journeys.forks import FORKS


def start_worker(settings: Settings, name: str, *, listens: bool) -> BaseProcess:
    """A worker for every queue; one of them hears what the carrier tells."""
    return _started(work, settings, name, listens)


def start_beat(settings: Settings) -> BaseProcess:
    """Who gives the ticks."""
    return _started(beat, settings)


def start_beat_that_is_ended_in_a_publish(settings: Settings) -> BaseProcess:
    """It is asked to end in the middle of its first tick, and what is raised there gets lost, as in Redis' driver."""
    return _started(_end_in_a_publish, settings)


def _end_in_a_publish(settings: Settings) -> None:
    @before_task_publish.connect(weak=False)
    def end(**_: object) -> None:
        with contextlib.suppress(SystemExit):
            os.kill(os.getpid(), signal.SIGTERM)

    beat(settings)


def work(settings: Settings, name: str, listens: bool) -> None:
    runtime = make_runtime(settings)
    app = make_app(runtime)
    for gateway in runtime.gateways.values():
        gateway.open()
    queues = [queue.name for queue in app.conf.task_queues]
    with holding(runtime, None if listens else []):
        tasks.work(app, runtime, queues, threads=4, name=name)
    runtime.close()


def beat(settings: Settings) -> None:
    runtime = make_runtime(settings)
    tasks.beat(make_app(runtime))
    runtime.close()


def _started(target: object, *args: object) -> BaseProcess:
    process = FORKS.Process(target=target, args=args)  # type: ignore[arg-type]
    process.start()
    return process
