"""The Celery application of one process."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu import Queue

from broadcaster.access.readers import ASKED
from broadcaster.campaigns.counts import COUNT
from broadcaster.delivery.control import submit_queue
from broadcaster.delivery.receipts import APPLY
from broadcaster.replies.receive import ROUTE
from broadcaster.runtime import Runtime
from broadcaster.tasks import rounds
from broadcaster.tasks.doors import START_DUE, SWEEP, register
from broadcaster.tasks.hints import CONTROL, Hints
from subscribers.list_jobs import LISTS

#: seconds between two looks at the database for what is due, and for what no hint led to
TICK = 1.0


def make_app(runtime: Runtime) -> Celery:
    """A Celery application for this runtime; the runtime publishes its hints through it from now on."""
    app = Celery("broadsheet", broker=runtime.settings.queue.url or "memory://localhost/", set_as_current=False)
    # pool threads look the application up by thread; without a default they find another one and the task vanishes
    app.set_default()
    app.conf.update(_settings(runtime))
    register(app, runtime)
    rounds.register(app, runtime)
    runtime.publish = Hints(app).publish
    return app


def _settings(runtime: Runtime) -> dict[str, Any]:
    embedded = runtime.settings.embedded
    redis = runtime.settings.queue.url.startswith(("redis", "valkey"))
    names = [CONTROL, APPLY, ROUTE, COUNT, LISTS, ASKED, *(submit_queue(name) for name in runtime.gateways)]
    return {
        # results live in our tables
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        # harmless: every task looks into the database for what is left to do
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        # after a lost connection it is set anew from the threads of the pool, while another one reads the line: then
        # the worker may wait for ever for what it was told already
        "worker_enable_prefetch_count_reduction": False,
        # a batch that is half handed over is finished, not cut
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_soft_shutdown_timeout": 0 if embedded else 10,
        "worker_enable_soft_shutdown_on_idle": not embedded,
        "broker_connection_retry_on_startup": True,
        # the default gives up after a hundred tries
        "broker_connection_max_retries": None,
        "worker_enable_remote_control": False,
        "worker_hijack_root_logger": False,
        "worker_eta_task_limit": 1000,
        # a queue with a misspelt name fails instead of filling up
        "task_create_missing_queues": False,
        "task_queues": [Queue(name) for name in names],
        "task_default_queue": CONTROL,
        "timezone": "UTC",
        "beat_schedule": {
            task: {"task": task, "schedule": every, "options": {"expires": 2 * every, "queue": CONTROL}}
            for task, every in (
                (START_DUE, TICK),
                (SWEEP, TICK),
                (rounds.LOOK_UP, rounds.EVERY),
                (rounds.KEEP, rounds.EVERY),
            )
        },
        "broker_transport_options": _transport(embedded=embedded, redis=redis),
    }


def _transport(*, embedded: bool, redis: bool) -> dict[str, Any]:
    if embedded:
        # the default of one second between two looks makes 2 to 16 tasks a second
        return {"polling_interval": 0.02}
    if not redis:
        return {}
    return {
        # longer than the longest task: a shorter one makes tasks run twice
        "visibility_timeout": 300,
        # the defaults bring a dead worker's hints back after 100 seconds; the sweep is quicker anyway
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "unacked_restore_limit": 1000,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 25,
        "global_keyprefix": "broadsheet:",
    }
