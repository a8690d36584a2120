"""Codes for readers are sent by a worker: whatever hint was lost, and never late."""

from __future__ import annotations

from datetime import timedelta

import httpx2

from broadcaster.access import readers
from broadcaster.runtime import Runtime
from broadcaster.tasks import make_app
from tests.databases import Clock
from tests.pages.test_readers import MINE, asked, house, publish, texts  # noqa: F401


def test_a_worker_knows_how_and_a_lost_hint_is_given_again(house: Runtime, site: httpx2.Client) -> None:  # noqa: F811
    publish(house, "retired")
    app = make_app(house)
    house.publish = None
    asked(site, MINE)
    hints: list[str] = []
    house.publish = lambda wakes: hints.extend(wake.queue for wake in wakes)
    app.tasks["sweep"]()
    assert readers.ASKED in hints
    app.tasks[readers.ASKED]()
    assert len(texts(house)) == 1


def test_what_waited_too_long_is_not_sent(house: Runtime, site: httpx2.Client, clock: Clock) -> None:  # noqa: F811
    publish(house, "retired")
    asked(site, MINE)
    clock.now += readers.LASTS + timedelta(seconds=1)
    assert not texts(house)
