"""A receipt whose answer was lost goes to a part in doubt only when nothing else can be meant."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from broadcaster.delivery import orphans, owners
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Accepted, OutboundPart, OutcomeUnknown
from broadcaster.gateways.events import ReceiptState
from tests.databases import Transactions
from tests.delivery.ledger import (
    THREE_PARTS,
    accept,
    apply,
    inbox,
    must_claim,
    owner,
    part_states,
    receipt,
    receive,
    record,
    sending,
    state_of,
    states,
)

pytestmark = pytest.mark.usefixtures("both_ways")


def _retry(begin: Transactions) -> None:
    with begin() as tx:
        orphans.retry(tx.session, now=tx.now)
    apply(begin)


def _in_doubt(begin: Transactions, text: str = "{{ name }}", count: int = 1) -> tuple[int, list[OutboundPart]]:
    campaign, _ = sending(begin, count, text)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [OutcomeUnknown("?")] * len(turn.parts))
    return campaign, list(turn.parts)


def test_one_receipt_and_one_part_in_doubt(begin: Transactions) -> None:
    campaign, [part] = _in_doubt(begin)
    receive(begin, receipt("x", ReceiptState.IN_NETWORK, msisdn=part.msisdn))
    receive(begin, receipt("x", msisdn=part.msisdn))
    _retry(begin)
    assert states(begin, campaign) == {"delivered": 1}
    assert inbox(begin) == {"applied": 2}


def test_the_doubt_may_come_after_the_receipt(begin: Transactions) -> None:
    campaign, members = sending(begin, 1)
    mine = owner(begin)
    must_claim(begin, mine)
    receive(begin, receipt("x", msisdn=members[0].msisdn))
    _retry(begin)
    assert inbox(begin) == {"orphan": 1}
    with begin() as tx:
        owners.bury(tx.session, mine, None, now=tx.now)
    _retry(begin)
    assert states(begin, campaign) == {"delivered": 1}


def test_all_parts_of_one_message_and_as_many_receipts(begin: Transactions) -> None:
    campaign, parts = _in_doubt(begin, THREE_PARTS)
    for n, part in enumerate(parts):
        assert states(begin, campaign) == {"unknown": 1}
        receive(begin, receipt(f"x{n}", msisdn=part.msisdn))
        _retry(begin)
    assert states(begin, campaign) == {"delivered": 1}


def test_fewer_receipts_than_parts_settle_nothing(begin: Transactions) -> None:
    campaign, parts = _in_doubt(begin, THREE_PARTS)
    receive(begin, receipt("x", msisdn=parts[0].msisdn))
    _retry(begin)
    assert states(begin, campaign) == {"unknown": 1}
    assert inbox(begin) == {"orphan": 1}


def test_two_receipts_for_one_part_settle_nothing(begin: Transactions) -> None:
    campaign, [part] = _in_doubt(begin)
    receive(begin, receipt("x", msisdn=part.msisdn), receipt("y", ReceiptState.FAILED, msisdn=part.msisdn))
    _retry(begin)
    assert states(begin, campaign) == {"unknown": 1}
    assert inbox(begin) == {"orphan": 2}


def test_what_cannot_be_decided_is_not_tried_again_and_again(begin: Transactions) -> None:
    _, [part] = _in_doubt(begin)
    receive(begin, receipt("x", msisdn=part.msisdn), receipt("y", msisdn=part.msisdn))
    begin.wakes.clear()
    for _ in range(3):
        with begin() as tx:
            orphans.retry(tx.session, now=tx.now)
    assert begin.wakes == []


def test_the_older_an_orphan_the_less_often_it_is_looked_at(begin: Transactions) -> None:
    campaign, _ = sending(begin, 1)
    turn = must_claim(begin, owner(begin))
    receive(begin, receipt("late"))
    begin.clock.advance(hours=1)
    _retry(begin)
    record(begin, turn, [Accepted("late")])
    _retry(begin)
    assert inbox(begin) == {"orphan": 1}
    begin.clock.advance(minutes=5)
    _retry(begin)
    assert inbox(begin) == {"applied": 1}
    assert states(begin, campaign) == {"delivered": 1}


def test_a_stranger_is_never_given_up(begin: Transactions) -> None:
    campaign, _ = sending(begin, 1)
    turn = must_claim(begin, owner(begin))
    receive(begin, receipt("late"))
    for _ in range(30):
        begin.clock.advance(days=1)
        _retry(begin)
    record(begin, turn, [Accepted("late")])
    begin.clock.advance(days=1)
    _retry(begin)
    assert states(begin, campaign) == {"delivered": 1}


def test_two_sweeps_at_once_take_an_orphan_once(begin: Transactions, engine: Engine) -> None:
    campaign, members = sending(begin, 40)
    turn = must_claim(begin, owner(begin), parts=50)
    receive(begin, *[receipt(f"id-{part.part_id}") for part in turn.parts])
    accept(begin, turn)
    assert inbox(begin) == {"orphan": len(turn.parts)}
    together = threading.Barrier(3)

    def sweep() -> None:
        own = Transactions(engine, begin.clock)
        together.wait()
        _retry(own)

    threads = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    apply(begin)
    assert inbox(begin) == {"applied": len(turn.parts)}
    assert states(begin, campaign) == {"delivered": len(members)}


def test_not_while_something_is_on_its_way_to_the_number(begin: Transactions) -> None:
    """The receipt may have overtaken the answer of the part that is being handed over."""
    _, [doubtful] = _in_doubt(begin)
    sending(begin, 1)
    mine = owner(begin)
    going = must_claim(begin, mine)
    while doubtful.msisdn not in {part.msisdn for part in going.parts}:
        going = must_claim(begin, mine)
    part = next(part for part in going.parts if part.msisdn == doubtful.msisdn)
    receive(begin, receipt("x", msisdn=doubtful.msisdn))
    _retry(begin)
    assert state_of(begin, doubtful.part_id) is State.UNKNOWN
    record(begin, going, [Accepted("x" if p == part else f"id-{p.part_id}") for p in going.parts])
    _retry(begin)
    assert state_of(begin, part.part_id) is State.DELIVERED
    assert state_of(begin, doubtful.part_id) is State.UNKNOWN


def test_not_far_apart_not_by_another_gateway_not_against_a_reference(begin: Transactions) -> None:
    campaign, [part] = _in_doubt(begin)
    receive(
        begin,
        receipt("x", msisdn=part.msisdn, gateway="other"),
        receipt("y", msisdn="+8619900099999"),
        receipt("z", msisdn=part.msisdn, client_reference="p999999"),
    )
    begin.clock.advance(seconds=(orphans.NEAR + timedelta(seconds=1)).total_seconds())
    receive(begin, receipt("w", msisdn=part.msisdn))
    _retry(begin)
    assert states(begin, campaign) == {"unknown": 1}
    assert part_states(begin) == {"unknown": 1}
    assert inbox(begin) == {"orphan": 4}
