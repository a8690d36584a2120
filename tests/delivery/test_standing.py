"""How late receipts are and when the last one came, whether they came one by one or by the hundred."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, update

from broadcaster.delivery import lots, standing
from broadcaster.delivery.models import ReceiptLot
from broadcaster.delivery.standing import Receipts, receipts_of
from broadcaster.gateways.contract import OutboundPart
from broadcaster.gateways.events import ReceiptState
from tests.databases import Clock, Transactions
from tests.delivery.ledger import accept, claim, inbox, look, must_claim, owner, receipt, receive, sending
from tests.factories import NOW


def seen(begin: Transactions, gateway: str = "carrier") -> Receipts:
    found: Receipts = look(begin, lambda session: receipts_of(session, gateway))
    return found


def taken(begin: Transactions, count: int) -> list[OutboundPart]:
    """So many that the carrier has taken at this moment."""
    sending(begin, count)
    mine = owner(begin)
    parts = []
    while (turn := claim(begin, mine)) is not None:
        accept(begin, turn)
        parts += turn.parts
    return parts


def told(begin: Transactions, parts: list[OutboundPart], **more: Any) -> None:
    receive(begin, *[receipt(f"id-{part.part_id}", **more) for part in parts])


def test_nothing_yet(begin: Transactions) -> None:
    assert seen(begin) == Receipts()


@pytest.mark.parametrize("count", [lots.MANY - 1, lots.MANY, 130])
def test_how_late_they_are(begin: Transactions, clock: Clock, count: int) -> None:
    parts = taken(begin, count)
    clock.advance(seconds=30)
    told(begin, parts)
    assert seen(begin) == Receipts(30, NOW + timedelta(seconds=30))
    assert seen(begin, "other") == Receipts(None, None)


def test_the_newest_tell_in_lots_and_by_themselves(
    begin: Transactions, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "_TELLING", 30)
    parts = taken(begin, 60)
    for seconds, some in ((10, parts[:25]), (20, parts[25:35]), (40, parts[35:55]), (50, parts[55:56])):
        clock.now = NOW + timedelta(seconds=seconds)
        told(begin, some)
    # one of the last moment, a lot, and nine of ten
    assert seen(begin) == Receipts(40, NOW + timedelta(seconds=50))
    monkeypatch.setattr(standing, "_TELLING", 43)
    # twelve of the first lot as well
    assert seen(begin) == Receipts(20, NOW + timedelta(seconds=50))


def test_what_a_lot_leaves_over_counts_once(begin: Transactions, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "_TELLING", 50)
    parts = taken(begin, 60)
    clock.advance(seconds=10)
    told(begin, parts[:30])
    clock.advance(seconds=10)
    # what says more than the first of two is looked at by itself, and stands in the inbox, too
    both = (ReceiptState.IN_NETWORK, ReceiptState.DELIVERED)
    receive(begin, *(receipt(f"id-{part.part_id}", state) for state in both for part in parts[30:41]))
    assert inbox(begin) == {"applied": 11}
    clock.advance(seconds=10)
    assert seen(begin) == Receipts(10, NOW + timedelta(seconds=20))


def test_a_lot_that_was_emptied_still_came(begin: Transactions, clock: Clock) -> None:
    told(begin, taken(begin, 30))
    with begin() as tx:
        tx.session.execute(update(ReceiptLot).values(told=""))
    assert seen(begin) == Receipts(None, NOW)
    told(begin, taken(begin, 1))
    clock.advance(seconds=5)
    told(begin, taken(begin, 1))
    assert seen(begin) == Receipts(0, NOW + timedelta(seconds=5))


def test_silence_is_counted_from_the_first_hand_over_after_the_last_lot(begin: Transactions, clock: Clock) -> None:
    told(begin, taken(begin, 30))
    assert seen(begin).silent_since is None
    for _ in range(2):
        clock.advance(minutes=1)
        taken(begin, 2)
    assert seen(begin) == Receipts(0, NOW, NOW + timedelta(minutes=1))


def test_a_long_lot_is_the_only_one_that_is_opened(begin: Transactions) -> None:
    for n in range(3):
        receive(begin, *[receipt(f"stranger-{n}-{m}") for m in range(120)])
    opened: list[str] = []

    def note(*given: Any) -> None:
        if "receipt_lot.told" in given[2]:
            opened.append(given[2])

    event.listen(begin.engine, "before_cursor_execute", note)
    assert seen(begin).last_at == NOW
    assert len(opened) == 1
    event.remove(begin.engine, "before_cursor_execute", note)


def test_lots_of_another_gateway_tell_nothing(begin: Transactions, clock: Clock) -> None:
    sending(begin, 30)
    turn = must_claim(begin, owner(begin))
    accept(begin, turn)
    clock.advance(seconds=7)
    told(begin, list(turn.parts), gateway="other")
    assert seen(begin) == Receipts(None, None, NOW)
    # the ids are nobody's there
    assert seen(begin, "other") == Receipts(None, NOW + timedelta(seconds=7))
