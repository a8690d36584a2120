"""Receipts that come by the hundred: kept in one row, and as if each had come by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select

from broadcaster.delivery import lots, receipts
from broadcaster.delivery.lots import MANY, MOST, Kind, Lot, inbox_row
from broadcaster.delivery.models import (
    ReceiptInbox,
    ReceiptLot,
    ReceiptLotWaiting,
    ReceiptOrphan,
)
from broadcaster.gateways.contract import OutboundPart
from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from subscribers.db import Tx
from tests.at_once import at_once
from tests.databases import Transactions
from tests.delivery.ledger import (
    apply,
    inbox,
    look,
    receipt,
)
from tests.factories import NOW

R = ReceiptState
REASONS = {
    "EC": Reason(R.FAILED, True, "nobody has this number", unknown_number=True),
    "STOP": Reason(R.REJECTED, True, "wants nothing", opted_out=True),
    "UNDELIV": Reason(R.FAILED, False, "it did not arrive " + "x" * 300),
}


def keep(begin: Transactions, told: Sequence[Receipt]) -> int:
    with begin() as tx:
        return receipts.record(tx.session, told, REASONS, now=tx.now)


def told_of(parts: Sequence[OutboundPart], state: ReceiptState = R.DELIVERED, **more: Any) -> list[Receipt]:
    return [receipt(f"id-{part.part_id}", state, **more) for part in parts]


def strangers(name: str, count: int = MANY, **more: Any) -> list[Receipt]:
    return [receipt(f"{name}-{n}", **more) for n in range(count)]


def sizes(begin: Transactions) -> list[int]:
    """Of each lot, the oldest number first, how many receipts it holds."""
    sizes: list[int] = look(begin, lambda s: s.scalars(select(ReceiptLot.receipts).order_by(ReceiptLot.id)).all())
    return sizes


def rows(begin: Transactions) -> int:
    count: int = look(begin, lambda s: s.scalar(select(func.count()).select_from(ReceiptInbox)))
    return count


_TEXTS = st.one_of(
    st.sampled_from(
        ["", "a,b", '"', "\\", '\\"', "'", "\n\r\t", "NULL", "null", "{}", "[]", "%s", ":x", "好\n", "\x1f", "😀"]
    ),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)
_MOMENTS = st.none() | st.builds(
    lambda seconds, zone: (NOW + timedelta(seconds=seconds)).astimezone(zone),
    st.integers(0, 10**7),
    st.sampled_from([UTC, timezone(timedelta(hours=8))]),
)
_RECEIPTS = st.builds(
    Receipt,
    gateway=st.just("carrier"),
    message_id=_TEXTS,
    state=st.sampled_from(ReceiptState),
    code=st.sampled_from([*REASONS, ""]) | _TEXTS,
    permanent=st.none() | st.booleans(),
    msisdn=st.none() | _TEXTS,
    client_reference=st.none() | _TEXTS,
    done_at=_MOMENTS,
    raw=_TEXTS,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(_RECEIPTS, min_size=MANY, max_size=MANY + 8))
def test_what_goes_in_comes_out(begin: Transactions, told: list[Receipt]) -> None:
    assert keep(begin, told) == len(told)
    with begin() as tx:
        [lot] = lots.take(tx.session, 2**62, 1)
        tx.session.execute(delete(ReceiptLot))
    numbers = range(lot.id - len(told) + 1, lot.id + 1)
    assert [lot.row(n) for n in range(len(told))] == [
        {"id": number, **_as_a_row(each)} for number, each in zip(numbers, told, strict=True)
    ]
    assert len(set(lot.kinds)) == len(lot.kinds) <= len({(each.state, each.code, each.permanent) for each in told})


def _as_a_row(told: Receipt) -> dict[str, Any]:
    done = told.done_at.astimezone(UTC).isoformat() if told.done_at else ""
    return inbox_row(
        "carrier",
        Kind.of(told, REASONS.get(told.code)),
        told.message_id,
        done,
        told.msisdn or None,
        told.client_reference or None,
        told.raw,
        NOW,
    )


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(_RECEIPTS, min_size=MANY, max_size=MANY + 8))
def test_odd_words_are_strangers_like_any_other(begin: Transactions, told: list[Receipt]) -> None:
    """What nobody knows is left over, once for each, and goes through the database as a name."""
    keep(begin, told)
    apply(begin)
    with begin() as tx:
        found = {tuple(row) for row in tx.session.execute(select(ReceiptInbox.provider_id, ReceiptInbox.state))}
        for table in (ReceiptInbox, ReceiptLot, ReceiptOrphan):
            tx.session.execute(delete(table))
    assert found == {(each.message_id, each.state.value) for each in told}


def test_what_is_too_long_is_cut_as_in_a_row(begin: Transactions) -> None:
    long = receipt(
        "i" * 900, R.FAILED, code="c" * 500, client_reference="r" * 500, msisdn="+" + "1" * 90, raw="x" * 99_999
    )
    keep(begin, [long, *strangers("s")])
    apply(begin)
    with begin() as tx:
        row = tx.session.scalars(select(ReceiptInbox).where(ReceiptInbox.provider_id.startswith("ii"))).one()
    assert [len(text or "") for text in (row.provider_id, row.code, row.client_reference, row.msisdn, row.raw)] == [
        100,
        60,
        40,
        20,
        lots.RAW,
    ]


@pytest.mark.parametrize(
    ("state", "code", "reason", "unknown_number", "opted_out"),
    [
        (R.DELIVERED, "EC", None, False, False),
        (R.FAILED, "EC", "nobody has this number", True, False),
        (R.EXPIRED, "EC", "nobody has this number", False, False),
        (R.CARRIER_UNKNOWN, "EC", "carrier_unknown", False, False),
        (R.REJECTED, "STOP", "wants nothing", False, True),
        (R.FAILED, "STOP", "wants nothing", False, True),
        (R.EXPIRED, "STOP", "wants nothing", False, False),
        (R.FAILED, "UNDELIV", ("it did not arrive " + "x" * 300)[:200], False, False),
        (R.FAILED, "?", None, False, False),
    ],
)
def test_what_a_kind_says(
    state: ReceiptState, code: str, reason: str | None, unknown_number: bool, opted_out: bool
) -> None:
    kind = Kind.of(receipt("x", state, code=code, permanent=True), REASONS.get(code))
    assert kind == (state.value, code, reason, True, unknown_number, opted_out)


def test_few_are_rows_and_many_are_lots(begin: Transactions) -> None:
    assert keep(begin, []) == 0
    assert keep(begin, strangers("a", MANY - 1)) == MANY - 1
    assert (rows(begin), sizes(begin)) == (MANY - 1, [])
    assert keep(begin, strangers("b", MANY)) == MANY
    assert (rows(begin), sizes(begin)) == (MANY - 1, [MANY])
    assert inbox(begin) == {"waiting": 2 * MANY - 1}


def test_several_gateways_at_once(begin: Transactions) -> None:
    """Each by itself: the third has few."""
    told = [receipt(f"x-{n}", gateway=gateway) for n in range(MANY + 5) for gateway in ("carrier", "other")]
    told += strangers("y", 3, gateway="third")
    assert keep(begin, told) == len(told)
    kept = look(begin, lambda s: s.execute(select(ReceiptLot.gateway, ReceiptLot.receipts)).all())
    assert sorted(kept) == [("carrier", MANY + 5), ("other", MANY + 5)]
    assert rows(begin) == 3
    apply(begin)
    assert inbox(begin) == {"orphan": len(told)}
    by_gateway = select(ReceiptInbox.gateway, func.count()).group_by(ReceiptInbox.gateway)
    assert dict(look(begin, lambda s: s.execute(by_gateway).all())) == {
        "carrier": MANY + 5,
        "other": MANY + 5,
        "third": 3,
    }


def test_more_than_a_lot_holds(begin: Transactions) -> None:
    told = strangers("x", 2 * MOST + 1)
    assert keep(begin, told) == len(told)
    assert sizes(begin) == [MOST, MOST, 1]
    apply(begin)
    assert inbox(begin) == {"orphan": len(told)}


def test_no_number_is_given_twice(begin: Transactions, engine: Engine) -> None:
    """To rows and to lots, by several connections, before and after lots are opened."""

    def hear(name: str, count: int) -> Any:
        def heard(tx: Tx) -> None:
            receipts.record(tx.session, strangers(name, count), {}, now=tx.now)

        return heard

    for n, counts in enumerate([(3, MANY), (MANY + 1, 2), (MANY, MANY), (1, 1)]):
        assert at_once(engine, begin, *(hear(f"{n}-{m}", count) for m, count in enumerate(counts))) == []
        if n == 1:
            apply(begin)
    by_themselves = set(look(begin, lambda s: s.scalars(select(ReceiptInbox.id)).all()))
    in_lots = look(begin, lambda s: s.execute(select(ReceiptLot.id, ReceiptLot.receipts)).all())
    of_lots = [number for last, count in in_lots for number in range(last - count + 1, last + 1)]
    assert len(of_lots) == len(set(of_lots)) == sum(sizes(begin)) == 4 * MANY + 1
    # what a lot left over bears the number that it had there
    assert len(by_themselves & set(of_lots)) == 2 * MANY + 1
    assert len(by_themselves - set(of_lots)) == 3 + 2 + 1 + 1
    assert min(of_lots) > 0
    apply(begin)
    everyone = look(begin, lambda s: s.scalars(select(ReceiptInbox.id)).all())
    assert set(everyone) == by_themselves | set(of_lots)


@pytest.mark.parametrize(
    ("limit", "taken"),
    [
        (1, [25]),
        (24, [25]),
        (25, [25]),
        (49, [25]),
        (50, [25, 25]),
        (89, [25, 25]),
        (90, [25, 25, 40]),
        (999, [25, 25, 40]),
    ],
)
def test_so_many_are_opened_at_once(begin: Transactions, limit: int, taken: list[int]) -> None:
    for n, count in enumerate((25, 25, 40)):
        keep(begin, strangers(f"{n}", count))
    with begin() as tx:
        opened = lots.take(tx.session, 2**62, limit)
    assert [len(lot.of) for lot in opened] == taken
    assert [lot.id for lot in opened] == sorted(lot.id for lot in opened)
    left = look(begin, lambda s: s.scalars(select(ReceiptLotWaiting.receipts)).all())
    assert sum(left) == 90 - sum(taken)


def test_none_that_came_later(begin: Transactions) -> None:
    keep(begin, strangers("early"))
    up_to = look(begin, receipts.newest)
    keep(begin, strangers("late"))
    assert look(begin, receipts.newest) > up_to
    for _ in range(3):
        with begin() as tx:
            receipts.apply(tx.session, up_to=up_to, now=tx.now)
    assert inbox(begin) == {"orphan": MANY, "waiting": MANY}
    assert look(begin, lambda s: s.scalars(select(ReceiptLotWaiting.receipts)).all()) == [MANY]
    apply(begin)
    assert look(begin, receipts.newest) is None


@pytest.mark.postgresql
def test_what_somebody_has_in_hand_is_passed_over(on_postgresql: Transactions) -> None:
    begin = on_postgresql
    keep(begin, strangers("first"))
    keep(begin, strangers("second"))
    with begin() as mine:
        [one] = lots.take(mine.session, 2**62, 1)
        with begin() as other:
            [two] = lots.take(other.session, 2**62, 1)
            with begin() as third:
                assert lots.take(third.session, 2**62, 1) == []
        assert {one.provider_ids[0], two.provider_ids[0]} == {"first-0", "second-0"}
        mine.session.rollback()
    # what was not committed waits again
    assert [lot.provider_ids[0] for lot in _opened(begin)] == ["first-0"]


def _opened(begin: Transactions) -> list[Lot]:
    with begin() as tx:
        return lots.take(tx.session, 2**62, 1000)
