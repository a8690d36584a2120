"""Publishing hints: never in anybody's way, since what they hint at stands in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import Celery
from kombu import pools

from broadcaster.access.readers import ASKED
from broadcaster.campaigns.counts import COUNT
from broadcaster.campaigns.schedule import PREPARE
from broadcaster.delivery.control import submit_queue
from broadcaster.delivery.receipts import APPLY
from broadcaster.logs import get
from broadcaster.replies.receive import ROUTE
from subscribers.clock import monotonic
from subscribers.db import Wake
from subscribers.list_jobs import LISTS

log = get(__name__)

#: for what must not wait behind a broadcast
CONTROL = "control"

#: seconds for which a broker that did not answer is not asked again, so that it costs one request a wait and not all
SILENCE = 5.0

#: seconds that a receipt waits until it is applied: more come that go with it, and the answer to its part, which it may
#: have overtaken, is written down
GATHER = 0.2

#: whoever publishes has a person or a carrier waiting; a worker may be more patient with its broker
_IMPATIENT = {
    "socket_timeout": 2,
    # the next two are RabbitMQ's, which stops reading from publishers while it is short of memory
    "write_timeout": 2,
    "connect_timeout": 1,
    "socket_connect_timeout": 1,
    "connect_retries_timeout": 1,
    "max_retries": 1,
    "interval_start": 0,
}


class Hints:
    """Sends the hints of a process through its application."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._receipts_told = -GATHER
        self._producers: Any = pools.producers[app.connection_for_write(transport_options=_IMPATIENT)]
        self._silent_until = 0.0

    def publish(self, wakes: Sequence[Wake]) -> None:
        """Send hints, each once. A broker that is away costs nothing but time: the next sweep finds the work."""
        if monotonic() < self._silent_until:
            return
        try:
            with self._producers.acquire(block=True, timeout=2) as producer:
                for wake in dict.fromkeys(wakes):
                    if wake.queue == APPLY and not self._is_news():
                        continue
                    name, args, queue = task_for(wake)
                    self._app.send_task(name, args=args, queue=queue, producer=producer, retry=False, expires=60)
        # the transaction has been committed: whatever a broker's client raises, its work is not undone
        except Exception as error:
            self._silent_until = monotonic() + SILENCE
            self._receipts_told = -GATHER
            log.warning("the queue does not answer; the sweep will find the work", detail=type(error).__name__)

    def _is_news(self) -> bool:
        """Whether receipts have to be hinted at: whoever got the last hint looks only once `GATHER` has passed."""
        now = monotonic()
        if 0 <= now - self._receipts_told < GATHER:
            return False
        self._receipts_told = now
        return True


def task_for(wake: Wake) -> tuple[str, list[Any], str]:
    """The task that a hint is for, its arguments, and its queue."""
    if wake.queue == PREPARE:
        return "prepare", [list(wake.ids)], CONTROL
    if wake.queue in (APPLY, ROUTE, COUNT, LISTS, ASKED):
        return wake.queue, [], wake.queue
    return "submit", [wake.queue.removeprefix(submit_queue(""))], wake.queue
