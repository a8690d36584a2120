"""What receipts in lots say comes to the same as if each had come by itself."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from broadcaster.delivery import orphans, owners, receipts
from broadcaster.delivery.models import (
    Message,
    Part,
    ReceiptInbox,
    ReceiptLot,
    ReceiptWaiting,
    Tally,
)
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Accepted, OutcomeUnknown
from broadcaster.gateways.events import ReceiptState
from subscribers import consent
from subscribers.db import Tx
from subscribers.models import Number
from tests.at_once import at_once
from tests.databases import Transactions
from tests.delivery.ledger import (
    THREE_PARTS,
    accept,
    apply,
    inbox,
    look,
    must_claim,
    owner,
    part_states,
    receipt,
    receive,
    record,
    sending,
    sent,
    state_of,
    states,
)
from tests.delivery.test_lots import REASONS, keep, rows, sizes, strangers, told_of
from tests.factories import NOW

R = ReceiptState


def test_several_open_at_once(begin: Transactions, engine: Engine) -> None:
    """Each message moves once, though every lot names all of them, in an order of its own."""
    campaign, parts = sent(begin, 12, THREE_PARTS)
    for state in (R.DELIVERED, R.IN_NETWORK, R.DELIVERED):
        keep(begin, told_of(parts, state))
        keep(begin, told_of(parts[::-1], state))

    def some(tx: Tx) -> None:
        receipts.apply(tx.session, limit=40, now=tx.now)

    for _ in range(4):
        assert at_once(engine, begin, some, some, some) == []
    apply(begin)
    assert states(begin, campaign) == {"delivered": 12}
    assert part_states(begin) == {"delivered": 36}
    assert inbox(begin).keys() <= {"applied", "stale"}


def test_a_lot_of_several_kinds(begin: Transactions) -> None:
    campaign, parts = sent(begin, 60)
    told = {
        R.DELIVERED: parts[:20],
        R.FAILED: parts[20:30],
        R.EXPIRED: parts[30:35],
        R.REJECTED: parts[35:40],
        R.IN_NETWORK: parts[40:45],
        R.CARRIER_UNKNOWN: parts[45:50],
    }
    lot = [each for state, its in told.items() for each in told_of(its, state, code="UNDELIV", permanent=False)]
    receive(begin, *sorted(lot, key=lambda each: each.message_id))
    assert states(begin, campaign) == {
        "delivered": 20,
        "failed": 15,
        "expired": 5,
        "rejected": 5,
        "in_network": 5,
        "submitted": 10,
    }
    # nothing was left to be looked at by itself
    assert rows(begin) == 0
    keep(begin, told_of(parts[50:], R.FAILED, code="UNDELIV", permanent=False) + strangers("x"))
    apply(begin)
    with begin() as tx:
        failed = tx.session.scalars(select(Part).where(Part.id == parts[50].part_id)).one()
        message = tx.session.get_one(Message, failed.message_id)
    assert (failed.code, failed.permanent, failed.reason) == ("UNDELIV", False, REASONS["UNDELIV"].words[:200])
    assert (failed.final_at, message.state, message.reason) == (NOW, State.FAILED, failed.reason)


def test_a_repeat_in_another_lot_is_no_row_and_moves_nothing(begin: Transactions) -> None:
    campaign, parts = sent(begin, 30, THREE_PARTS)
    receive(begin, *told_of(parts))
    figures = look(begin, lambda s: s.scalar(select(func.count()).select_from(Tally)))
    begin.clock.advance(minutes=1)
    receive(begin, *told_of(parts))
    receive(begin, *told_of(parts[::-1], done_at=NOW + timedelta(seconds=1)))
    assert states(begin, campaign) == {"delivered": 30}
    assert (rows(begin), sizes(begin)) == (0, [90, 90, 90])
    assert look(begin, lambda s: s.scalar(select(func.count()).select_from(Tally))) == figures
    assert set(look(begin, lambda s: s.scalars(select(Part.final_at)).all())) == {NOW}


@pytest.mark.parametrize("text", ["{{ name }}", THREE_PARTS])
def test_a_repeat_in_the_same_lot(begin: Transactions, text: str) -> None:
    """As many receipts as a message has parts may be of one of its parts."""
    campaign, parts = sent(begin, 10, text)
    once = parts[:: len(parts) // 10]
    receive(begin, *told_of(once), *told_of(once), *told_of(once))
    assert part_states(begin) == Counter(delivered=10, submitted=len(parts) - 10)
    assert states(begin, campaign) == {"delivered" if len(parts) == 10 else "submitted": 10}
    # each was left over once
    assert inbox(begin) == {"applied": 10}


def test_what_contradicts_is_kept_as_a_row(begin: Transactions) -> None:
    campaign, parts = sent(begin, 25)
    receive(begin, *told_of(parts))
    receive(begin, *told_of(parts[:22], R.FAILED))
    receive(begin, *told_of(parts[:21], R.IN_NETWORK))
    assert states(begin, campaign) == {"delivered": 25}
    assert inbox(begin) == {"conflict": 22, "stale": 21}


def test_parts_of_a_message_in_two_lots(begin: Transactions) -> None:
    campaign, parts = sent(begin, 20, THREE_PARTS)
    receive(begin, *told_of(parts[::3]))
    assert states(begin, campaign) == {"submitted": 20}
    receive(begin, *told_of(parts[1::3]), *told_of(parts[2::3], R.FAILED))
    assert states(begin, campaign) == {"failed": 20}
    assert part_states(begin) == {"delivered": 40, "failed": 20}
    assert look(begin, lambda s: set(s.scalars(select(Message.delivered_parts)).all())) == {2}


def test_two_lots_that_are_opened_together(begin: Transactions) -> None:
    """On the way, then there: both waited."""
    campaign, parts = sent(begin, 30)
    keep(begin, told_of(parts, R.IN_NETWORK))
    keep(begin, told_of(parts))
    apply(begin)
    assert states(begin, campaign) == {"delivered": 30}
    assert not {"conflict", "orphan", "waiting"} & inbox(begin).keys()


def test_our_own_reference_tells_before_the_answer_does(begin: Transactions) -> None:
    campaign, _ = sending(begin, 25)
    turn = must_claim(begin, owner(begin))
    receive(
        begin,
        *[
            receipt(f"id-{part.part_id}", client_reference=part.client_reference, msisdn=part.msisdn)
            for part in turn.parts
        ],
    )
    assert states(begin, campaign) == {"delivered": 25}
    accept(begin, turn)
    assert states(begin, campaign) == {"delivered": 25}
    # a repeat is known by the id that the first has told
    receive(begin, *told_of(turn.parts))
    assert rows(begin) == 25


def test_those_that_overtake_their_answers(begin: Transactions) -> None:
    campaign, _ = sending(begin, 30)
    mine = owner(begin)
    known, late = must_claim(begin, mine, 15), must_claim(begin, mine, 15)
    accept(begin, known)
    receive(begin, *told_of([part for pair in zip(known.parts, late.parts, strict=True) for part in pair]))
    assert states(begin, campaign) == {"delivered": 15, "submitting": 15}
    assert inbox(begin) == {"orphan": 15}
    accept(begin, late)
    _retry(begin)
    assert states(begin, campaign) == {"delivered": 30}
    assert inbox(begin) == {"applied": 15}


def test_those_for_what_is_in_doubt(begin: Transactions) -> None:
    """By the number, where nothing else can be meant; of a dead sender's as well."""
    campaign, _ = sending(begin, 30)
    first, second = owner(begin), owner(begin)
    doubtful = must_claim(begin, first, 15)
    record(begin, doubtful, [OutcomeUnknown("?")] * 15)
    left = must_claim(begin, second, 15)
    told = [receipt(f"x-{part.part_id}", msisdn=part.msisdn) for part in (*doubtful.parts, *left.parts)]
    receive(begin, *told)
    assert inbox(begin) == {"orphan": 30}
    with begin() as tx:
        owners.bury(tx.session, second, None, now=tx.now)
    _retry(begin)
    assert states(begin, campaign) == {"delivered": 30}
    # they have told the ids: what comes again says no more
    receive(begin, *told)
    assert (rows(begin), inbox(begin)) == (30, {"applied": 30})


def _retry(begin: Transactions) -> None:
    with begin() as tx:
        orphans.retry(tx.session, now=tx.now)
    apply(begin)


def test_what_was_given_up_is_found_after_all(begin: Transactions) -> None:
    campaign, parts = sent(begin, 25)
    with begin() as tx:
        # as the sweep leaves them, days later
        held = receipts.holding.hold(tx.session, range(1, 100))
        moves = {part.id: receipts.Move(State.NO_RECEIPT) for part in held.parts.values()}
        receipts.transitions.move(tx.session, held, moves, now=tx.now)
    assert states(begin, campaign) == {"no_receipt": 25}
    receive(begin, *told_of(parts))
    assert states(begin, campaign) == {"delivered": 25}


def test_an_id_of_several_parts(begin: Transactions) -> None:
    """The number tells whose it is; without one, the newest is meant."""
    campaign, _ = sending(begin, 44)
    turn = must_claim(begin, owner(begin))
    names = [f"{n % 22}" for n in range(44)]
    record(begin, turn, [Accepted(name) for name in names])
    older, newer = turn.parts[:22], turn.parts[22:]
    receive(begin, *(receipt(f"{n}", msisdn=part.msisdn) for n, part in enumerate(older[:21])), receipt("21"))
    assert {state_of(begin, part.part_id) for part in older[:21]} == {State.DELIVERED}
    assert [state_of(begin, part.part_id).word for part in newer] == ["submitted"] * 21 + ["delivered"]
    assert states(begin, campaign) == {"delivered": 22, "submitted": 22}


def test_one_id_of_several_parts_holds_up_no_other(begin: Transactions) -> None:
    campaign, _ = sending(begin, 30)
    turn = must_claim(begin, owner(begin))
    names = ["twice", "twice", *(f"id-{part.part_id}" for part in turn.parts[2:])]
    record(begin, turn, [Accepted(name) for name in names])
    receive(begin, *(receipt(name, msisdn=part.msisdn) for name, part in zip(names, turn.parts, strict=True)))
    assert states(begin, campaign) == {"delivered": 30}


def test_another_gateways_lot_moves_nothing(begin: Transactions) -> None:
    campaign, parts = sent(begin, 25)
    receive(begin, *told_of(parts, gateway="other"))
    assert states(begin, campaign) == {"submitted": 25}
    assert inbox(begin) == {"orphan": 25}


def test_what_the_registry_is_told(begin: Transactions) -> None:
    """A number that was reached begins anew, one that nobody has counts, and whoever wants nothing gets nothing."""
    campaign, parts = sent(begin, 30)
    with begin() as tx:
        for number in tx.session.query(Number):
            number.unknown_in_a_row = 1
    reached, nobody, missed, refuses = parts[:10], parts[10:15], parts[15:20], parts[20:]
    lot = told_of(reached) + told_of(nobody, R.FAILED, code="EC") + told_of(missed, R.FAILED, code="UNDELIV")
    keep(begin, lot + told_of(refuses, R.REJECTED, code="STOP"))
    apply(begin)
    assert states(begin, campaign) == {"delivered": 10, "failed": 10, "rejected": 10}
    counted = look(begin, lambda s: {number.msisdn: number.unknown_in_a_row for number in s.query(Number)})
    assert [{counted[part.msisdn] for part in some} for some in (reached, nobody, missed, refuses)] == [
        {0},
        {2},
        {1},
        {1},
    ]
    with begin() as tx:
        assert [part for part in parts if not consent.is_reachable(tx.session, part.msisdn)] == refuses
    # a second time nobody counts again
    keep(begin, told_of(nobody, R.FAILED, code="EC") + strangers("x"))
    apply(begin)
    assert look(begin, lambda s: s.scalar(select(func.max(Number.unknown_in_a_row)))) == 2


@pytest.mark.parametrize("together", [True, False])
def test_the_first_final_word_stays(begin: Transactions, together: bool) -> None:
    """Whatever else the lots say, and in whatever order their kinds come."""
    campaign, parts = sent(begin, 30)
    first, others = parts[:5], parts[5:]
    keep(begin, [*told_of(others[:20]), *told_of(first, R.FAILED)])
    if not together:
        apply(begin)
    keep(begin, [*told_of(first), *told_of(others)])
    apply(begin)
    assert states(begin, campaign) == {"delivered": 25, "failed": 5}
    assert inbox(begin)["conflict"] == 5


def test_what_is_left_over_waits_where_it_stood(begin: Transactions) -> None:
    _, parts = sent(begin, 20)
    keep(begin, [*told_of(parts), *strangers("x", 3)])
    with begin() as tx:
        assert receipts.apply(tx.session, now=tx.now) == 23
    with begin() as tx:
        last = tx.session.scalars(select(ReceiptLot.id)).one()
        waiting = tx.session.scalars(select(ReceiptWaiting.inbox_id).order_by(ReceiptWaiting.inbox_id)).all()
        names = tx.session.scalars(select(ReceiptInbox.provider_id).order_by(ReceiptInbox.id)).all()
        assert receipts.newest(tx.session) == last
    assert waiting == [last - 2, last - 1, last]
    assert names == ["x-0", "x-1", "x-2"]
    with begin() as tx:
        assert receipts.apply(tx.session, now=tx.now) == 3
    with begin() as tx:
        assert receipts.apply(tx.session, now=tx.now) == 0


def test_the_carriers_clock_tells_what_was_first(begin: Transactions) -> None:
    """Of two last words in one lot the earlier one counts, though it came later."""
    _, parts = sent(begin, 20)
    earlier = NOW - timedelta(minutes=1)
    lot = [*told_of(parts), receipt(f"id-{parts[0].part_id}", R.FAILED, msisdn=parts[0].msisdn, done_at=earlier)]
    keep(begin, lot)
    apply(begin)
    assert state_of(begin, parts[0].part_id).word == "failed"
    assert inbox(begin)["conflict"] == 1
