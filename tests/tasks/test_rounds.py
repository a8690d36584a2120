"""The rounds that have time: what is old is emptied a little every minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from broadcaster.delivery.models import ReceiptInbox
from broadcaster.keeping import emptying
from broadcaster.newspaper import pictures
from broadcaster.runtime import Runtime
from broadcaster.settings import Keeping
from broadcaster.tasks import make_app, rounds
from subscribers.actor import OPERATOR
from tests.databases import Clock
from tests.pictures import shrunk
from tests.websites import make_house


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    made = make_house(database_url, tmp_path, clock)
    yield made
    made.close()


def old_receipts(house: Runtime, count: int) -> None:
    with house.begin() as tx:
        tx.session.execute(
            insert(ReceiptInbox),
            [
                {
                    "gateway": "carrier",
                    "provider_id": f"id-{n}",
                    "state": "delivered",
                    "raw": "as it came",
                    "received_at": tx.now - timedelta(days=200),
                    "outcome": 1,
                }
                for n in range(count)
            ],
        )


def still_raw(house: Runtime) -> int:
    with house.reading() as tx:
        return tx.session.scalar(select(func.count()).where(ReceiptInbox.raw != "")) or 0


def test_the_schedule_calls_it(house: Runtime) -> None:
    app = make_app(house)
    old_receipts(house, 3)
    due = [entry for entry in app.conf.beat_schedule.values() if entry["task"] == rounds.KEEP]
    assert [entry["schedule"] for entry in due] == [rounds.EVERY]
    app.tasks[rounds.KEEP]()
    assert still_raw(house) == 0


def test_a_round_is_bounded(house: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    old_receipts(house, 10)
    monkeypatch.setattr(rounds, "PORTIONS", 3)
    monkeypatch.setitem(emptying.empty.__kwdefaults__, "portion", 2)
    rounds.keep(house)
    assert still_raw(house) == 4
    rounds.keep(house)
    assert still_raw(house) == 0


def test_a_process_that_ends_begins_no_portion(house: Runtime) -> None:
    old_receipts(house, 2)
    house.stopping.set()
    rounds.keep(house)
    assert still_raw(house) == 2


def test_as_long_as_the_settings_say(house: Runtime) -> None:
    kept = house.settings.model_copy(update={"keeping": Keeping(receipts=365)})
    house.settings = kept
    old_receipts(house, 2)
    rounds.keep(house)
    assert still_raw(house) == 2


def test_pictures_that_nothing_names_go(house: Runtime, clock: Clock) -> None:
    with house.begin() as tx:
        picture = pictures.keep(tx.session, OPERATOR, shrunk(), now=tx.now)
    rounds.keep(house)
    clock.now += pictures.KEPT + timedelta(seconds=1)
    with house.reading() as tx:
        assert pictures.facts(tx.session, OPERATOR, picture)
    rounds.keep(house)
    with house.reading() as tx:
        assert pictures.facts(tx.session, OPERATOR, picture) is None
