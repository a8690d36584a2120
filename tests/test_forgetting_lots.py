"""Whoever is forgotten goes from receipts that came by the hundred, too; what is not theirs stays as it came."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, update

from broadcaster.delivery import lots, receipts
from broadcaster.delivery.models import Part, ReceiptInbox, ReceiptLot
from broadcaster.gateways.contract import OutcomeUnknown
from broadcaster.gateways.events import ReceiptState
from tests.databases import Clock, Transactions
from tests.delivery.ledger import (
    accept,
    apply,
    begin_sending,
    draft,
    look,
    must_claim,
    owner,
    part_states,
    receipt,
    receive,
    record,
)
from tests.factories import MadeMember, generated_msisdn, make_member
from tests.tallies import wrong
from tests.test_forgetting import NUMBER, crowded, forget, found

# SQLite does not tell what an index over an expression is, and a dump needs none
pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index")


def kept_in_lots(begin: Transactions) -> list[tuple[str, str | None, str]]:
    """Of each receipt in a lot: the carrier's id, the number, what came."""
    with begin() as tx:
        found = [
            zip(lot.provider_ids, lot.msisdns, lot.raw, strict=True)
            for lot in (
                lots.opened(*row)
                for row in tx.session.execute(
                    select(ReceiptLot.id, ReceiptLot.gateway, ReceiptLot.received_at, ReceiptLot.told).order_by(
                        ReceiptLot.id
                    )
                )
            )
        ]
    return [each for lot in found for each in lot]


def two_were_written_to(begin: Transactions) -> tuple[MadeMember, dict[str, int]]:
    """One who will be forgotten, and what the carrier has of them and of somebody else: parts by number."""
    with begin() as tx:
        member = make_member(tx.session, msisdn=NUMBER)
        make_member(tx.session, msisdn=generated_msisdn(1))
        begin_sending(tx.session, draft(tx.session, "{{ name }}"), now=tx.now)
    turn = must_claim(begin, owner(begin))
    accept(begin, turn)
    return member, {part.msisdn: part.part_id for part in turn.parts}


@pytest.mark.parametrize("is_opened", [True, False])
def test_their_receipts_in_a_lot_and_nobody_elses(begin: Transactions, is_opened: bool) -> None:
    member, parts = two_were_written_to(begin)
    theirs = [
        # by the carrier's id alone
        receipt(f"id-{parts[NUMBER]}", raw="canary-text"),
        receipt(f"id-{parts[NUMBER]}", ReceiptState.FAILED, raw="canary-text", gateway="other"),
        # by the number, in forms of the carrier's own
        receipt("stray-1", msisdn=NUMBER),
        receipt("stray-2", raw='{"to": "+8619977665544"}'),
        receipt("stray-3", raw="to=019977665544&\n\\"),
        receipt("stray-4", raw="到19977665544了"),
    ]
    not_theirs = [
        receipt(f"id-{parts[generated_msisdn(1)]}", msisdn=generated_msisdn(1), raw="1997766554"),
        receipt("stray-5", msisdn="+8619977665543", raw="1997766 5544"),
        receipt(f"id-{parts[NUMBER]}0", raw='"quoted", and {so} on\\'),
    ]
    with begin() as tx:
        told = crowded(*theirs[:1], *not_theirs, *theirs[2:])
        # the other carrier has given the same id to somebody else's
        told += [theirs[1], *(receipt(f"other-{n}", gateway="other") for n in range(lots.MANY))]
        receipts.record(tx.session, told, {}, now=tx.now)
    before = kept_in_lots(begin)
    if is_opened:
        apply(begin)
    forget(begin, member.id)
    after = kept_in_lots(begin)
    assert len(after) == len(before) == 2 * lots.MANY + 9
    changed = {was[0]: (was, now) for was, now in zip(before, after, strict=True) if was != now}
    assert changed.keys() == {f"id-{parts[NUMBER]}", "stray-1", "stray-2", "stray-3", "stray-4"}
    assert {now[1:] for _, now in changed.values()} == {(None, "")}
    # what the other carrier told is not theirs: only the id is the same
    assert [each[2] for each in after if each[0] == f"id-{parts[NUMBER]}"] == ["", "canary-text"]
    assert {canary for _, canary in found(begin)} == {"canary-text"}
    apply(begin)
    assert part_states(begin) == {"delivered": 2}
    assert look(begin, wrong) == []
    assert {canary for _, canary in found(begin)} == {"canary-text"}
    # a second time there is nothing left to do
    assert kept_in_lots(begin) == after


def test_a_lot_that_waited_still_knows_what_is_a_repeat(begin: Transactions) -> None:
    """What tells numbers apart stays, for the number itself goes."""
    member, _ = two_were_written_to(begin)
    lot = crowded(receipt("stray", msisdn=NUMBER))
    with begin() as tx:
        receipts.record(tx.session, lot, {}, now=tx.now)
    forget(begin, member.id)
    apply(begin)
    rows = look(begin, lambda s: s.scalar(select(func.count()).select_from(ReceiptInbox)))
    receive(begin, receipt("stray", msisdn=NUMBER))
    assert look(begin, lambda s: s.scalar(select(func.count()).select_from(ReceiptInbox))) == rows == len(lot)


@pytest.mark.parametrize("days", [-0.9, 6, -1.1, 8])
def test_ids_are_looked_for_near_the_hand_over(begin: Transactions, clock: Clock, days: float) -> None:
    """A carrier that counts anew gives an id to others in time."""
    member, parts = two_were_written_to(begin)
    clock.advance(days=days)
    receive(begin, *crowded(receipt(f"id-{parts[NUMBER]}", raw="canary-text")))
    assert found(begin) >= {("receipt_lot", "canary-text")}
    forget(begin, member.id)
    assert (("receipt_lot", "canary-text") in found(begin)) == (not -1 < days < 7)


def test_receipts_for_what_was_in_doubt_are_found_by_when_it_was(begin: Transactions, clock: Clock) -> None:
    with begin() as tx:
        member = make_member(tx.session, msisdn=NUMBER)
        begin_sending(tx.session, draft(tx.session, "{{ name }}"), now=tx.now)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [OutcomeUnknown("no answer")])
    reference = turn.parts[0].client_reference
    receive(begin, *crowded(receipt("mine", client_reference=reference, raw="canary-text")))
    assert part_states(begin) == {"delivered": 1}
    clock.advance(days=30)
    with begin() as tx:
        # it was applied late
        tx.session.execute(update(Part).values(final_at=tx.now))
    forget(begin, member.id)
    assert found(begin) == set()


def test_a_lot_that_was_emptied_stays_empty(begin: Transactions) -> None:
    member, parts = two_were_written_to(begin)
    receive(begin, *crowded(receipt(f"id-{parts[NUMBER]}", raw="canary-text")))
    with begin() as tx:
        tx.session.execute(update(ReceiptLot).values(told=""))
    forget(begin, member.id)
    assert look(begin, lambda s: s.scalars(select(ReceiptLot.told)).all()) == [""]


def test_who_is_forgotten_while_a_lot_is_opened_does_not_come_back(begin: Transactions) -> None:
    """What a lot leaves over is written as rows: whoever forgets waits for them, and finds them."""
    member, _ = two_were_written_to(begin)
    with begin() as tx:
        # nobody's part, so that nothing but the lot is in the way
        receipts.record(tx.session, crowded(receipt("stray-1", msisdn=NUMBER, raw="canary-text")), {}, now=tx.now)
    forgets = threading.Thread(target=forget, args=(begin, member.id))
    with begin() as tx:
        assert receipts.apply(tx.session, now=tx.now) == lots.MANY + 1
        forgets.start()
        # long enough for whoever would not wait
        forgets.join(1)
        assert forgets.is_alive()
    forgets.join(20)
    assert not forgets.is_alive()
    assert found(begin) == set()
    rows = look(begin, lambda s: s.scalars(select(ReceiptInbox.provider_id)).all())
    assert "stray-1" in rows, "it was left over, and is known from others of the same id"
