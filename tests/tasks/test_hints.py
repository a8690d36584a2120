"""Hints as they stand in a broker's queues."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import Celery

from broadcaster.delivery.receipts import APPLY
from broadcaster.replies.receive import ROUTE
from broadcaster.tasks import hints
from broadcaster.tasks.hints import GATHER, SILENCE, Hints
from subscribers.db import Wake


class Time:
    """Goes on only when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    monkeypatch.setattr(hints, "monotonic", Time())
    return hints.monotonic  # type: ignore[return-value]


@pytest.fixture
def app() -> Iterator[Celery]:
    app = Celery("hints", broker="memory://hints/", set_as_current=False)
    # the queues of this broker outlive the application
    with app.connection_for_write() as connection, connection.channel() as channel:
        for queue in (APPLY, ROUTE):
            channel.queue_declare(queue)
            channel.queue_purge(queue)
    yield app
    app.close()


def _waiting(app: Celery, queue: str) -> int:
    with app.connection_for_read() as connection, connection.channel() as channel:
        size: int = channel._size(queue)
        return size


def test_receipts_of_one_moment_are_hinted_at_once(app: Celery, time: Time) -> None:
    """Who gets the hint waits for more to come before they look: a second one meanwhile says nothing new."""
    to = Hints(app)
    for _ in range(5):
        to.publish([Wake(APPLY), Wake(ROUTE)])
        time.now += GATHER / 6
    assert _waiting(app, APPLY) == 1
    assert _waiting(app, ROUTE) == 5
    time.now += GATHER
    to.publish([Wake(APPLY)])
    assert _waiting(app, APPLY) == 2


def test_a_hint_that_did_not_arrive_was_none(app: Celery, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    to = Hints(app)
    with monkeypatch.context() as broken:
        broken.setattr(hints, "SILENCE", 0.0)
        broken.setattr(app, "send_task", lambda *_, **__: 1 / 0)
        to.publish([Wake(APPLY)])
    to.publish([Wake(APPLY)])
    assert _waiting(app, APPLY) == 1
    assert SILENCE > GATHER
