"""A receipt is applied once it has waited for a moment, however few hints there were."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from broadcaster.delivery import receipts
from broadcaster.delivery.models import ReceiptInbox, ReceiptOrphan, ReceiptWaiting
from broadcaster.runtime import Runtime
from broadcaster.tasks import doors
from broadcaster.tasks.doors import apply_what_came
from tests.databases import Clock
from tests.delivery.ledger import receipt
from tests.websites import make_house


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    made = make_house(database_url, tmp_path, clock)
    yield made
    made.close()


def come(house: Runtime, *names: str) -> None:
    with house.begin() as tx:
        receipts.record(tx.session, [receipt(name) for name in names], {}, now=tx.now)


def waiting(house: Runtime) -> int:
    with house.reading() as tx:
        return tx.session.scalar(select(func.count()).select_from(ReceiptWaiting)) or 0


def put_aside(house: Runtime) -> set[str]:
    with house.reading() as tx:
        looked_at = select(ReceiptInbox.provider_id).join(ReceiptOrphan, ReceiptOrphan.inbox_id == ReceiptInbox.id)
        return set(tx.session.scalars(looked_at))


def test_one_that_comes_while_others_wait_is_not_applied_with_them(house: Runtime) -> None:
    come(house, "early")
    with house.begin() as tx:
        up_to = receipts.newest(tx.session)
    come(house, "late")
    with house.begin() as tx:
        assert receipts.apply(tx.session, up_to=up_to, now=tx.now) == 1
    assert put_aside(house) == {"early"}
    assert waiting(house) == 1


def test_it_goes_on_until_none_waits(house: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came during the wait has no hint of its own: whoever tells of receipts keeps silent meanwhile."""
    monkeypatch.setattr(doors, "GATHER", 0.3)
    monkeypatch.setattr(receipts, "AT_ONCE", 2)
    come(house, "a", "b", "c", "d")
    worker = threading.Thread(target=apply_what_came, args=(house,))
    worker.start()
    time.sleep(0.1)
    come(house, "e")
    worker.join(20)
    assert put_aside(house) == {"a", "b", "c", "d", "e"}
    assert waiting(house) == 0


def test_where_none_waits_nobody_waits(house: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "GATHER", 3600.0)
    assert not apply_what_came(house)
