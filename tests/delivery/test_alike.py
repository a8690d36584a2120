"""A lot of receipts, applied as far as possible without being read, comes to what they say one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

import pytest

from broadcaster.delivery import alike, lots, receipts
from broadcaster.delivery.models import ReceiptWaiting
from broadcaster.gateways.contract import Accepted, OutboundPart
from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from subscribers.db import Joined
from subscribers.models import Number
from tests import tallies
from tests.databases import Transactions
from tests.delivery.ledger import (
    THREE_PARTS,
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
from tests.factories import NOW

pytestmark = pytest.mark.usefixtures("both_ways")

R = ReceiptState
LATER = NOW + timedelta(minutes=1)


def _of(message: Sequence[OutboundPart], *told: ReceiptState) -> list[Receipt]:
    return [receipt(f"id-{part.part_id}", state) for part, state in zip(message, told, strict=True)]


def _messages(begin: Transactions, count: int) -> tuple[int, list[list[OutboundPart]]]:
    campaign, parts = sent(begin, count, THREE_PARTS)
    by_number: dict[str, list[OutboundPart]] = defaultdict(list)
    for part in parts:
        by_number[part.msisdn].append(part)
    return campaign, list(by_number.values())


def test_a_lot_of_all_kinds(begin: Transactions) -> None:
    campaign, messages = _messages(begin, 8)
    whole, another, mixed, half, twice, advanced, other_code, silent = messages
    repeated = _of(twice[:2], R.DELIVERED, R.DELIVERED)
    lot = [
        *_of(whole, R.DELIVERED, R.DELIVERED, R.DELIVERED),
        *_of(another, R.DELIVERED, R.DELIVERED, R.DELIVERED),
        # each of these three is as many receipts as the message has parts
        *_of(mixed, R.DELIVERED, R.FAILED, R.DELIVERED),
        *repeated,
        receipt(f"id-{twice[0].part_id}", done_at=LATER),
        *_of(advanced, R.IN_NETWORK, R.IN_NETWORK, R.IN_NETWORK),
        *_of(advanced, R.DELIVERED, R.DELIVERED, R.DELIVERED),
        *_of(half[:1], R.DELIVERED),
        *(receipt(f"id-{part.part_id}", R.FAILED, code=f"{n}") for n, part in enumerate(other_code)),
        receipt("stranger"),
    ]
    receive(begin, *lot)
    assert states(begin, campaign) == {"delivered": 3, "failed": 2, "submitted": 3}
    assert part_states(begin) == {"delivered": 3 * 3 + 2 + 1 + 2, "failed": 1 + 3, "submitted": 1 + 2 + 3}
    assert state_of(begin, twice[2].part_id).word == "submitted"
    assert {state_of(begin, part.part_id).word for part in silent} == {"submitted"}
    assert inbox(begin)["orphan"] == 1
    assert look(begin, tallies.wrong) == []
    assert look(begin, lambda session: session.query(ReceiptWaiting).count()) == 0


@pytest.mark.parametrize("odd", ["one part", "one part twice", "two states", "two codes", "on its way, then there"])
def test_beside_one_that_goes_as_a_whole(begin: Transactions, odd: str) -> None:
    campaign, (whole, its) = _messages(begin, 2)
    lot, state, parts = {
        "one part": (_of(its[:1], R.DELIVERED), "submitted", ["delivered", "submitted", "submitted"]),
        "one part twice": (
            [*_of(its[:2], R.DELIVERED, R.DELIVERED), receipt(f"id-{its[0].part_id}", done_at=LATER)],
            "submitted",
            ["delivered", "delivered", "submitted"],
        ),
        "two states": (_of(its, R.DELIVERED, R.FAILED, R.DELIVERED), "failed", ["delivered", "failed", "delivered"]),
        "two codes": (
            [receipt(f"id-{part.part_id}", code=f"{n}") for n, part in enumerate(its)],
            "delivered",
            ["delivered"] * 3,
        ),
        "on its way, then there": (
            [*_of(its, *[R.IN_NETWORK] * 3), *_of(its, *[R.DELIVERED] * 3)],
            "delivered",
            ["delivered"] * 3,
        ),
    }[odd]
    receive(begin, *lot, *_of(whole, R.DELIVERED, R.DELIVERED, R.DELIVERED))
    assert [state_of(begin, part.part_id).word for part in its] == parts
    assert states(begin, campaign) == Counter(["delivered", state])
    assert look(begin, tallies.wrong) == []


def test_most_are_not_read(begin: Transactions) -> None:
    """What is left to be read one by one is only what is special, or not the same for the whole message."""
    campaign, messages = _messages(begin, 6)
    lot = [each for message in messages[:4] for each in _of(message, R.DELIVERED, R.DELIVERED, R.DELIVERED)]
    lot += _of(messages[4], R.FAILED, R.FAILED, R.FAILED)
    odd = [*_of(messages[5], R.DELIVERED, R.FAILED, R.DELIVERED), receipt("stranger")]
    with begin() as tx:
        receipts.record(tx.session, lot + odd, {}, now=tx.now)
    if lots.MANY == 1:
        with begin() as tx:
            receipts.apply(tx.session, now=tx.now)
    with begin() as tx:
        ids = [row.inbox_id for row in tx.session.query(ReceiptWaiting)]
        found = alike.find(tx.session, Joined.of(ids))
    if lots.MANY != 1:
        of_state = {(told.is_whole, told.state): told for told in found}
        assert of_state[True, "delivered"].receipts.count == of_state[True, "delivered"].parts.count == 12
        assert sorted(of_state[True, "delivered"].msisdns) == sorted(message[0].msisdn for message in messages[:4])
        assert of_state[True, "failed"].messages.count == 1
    assert sum(told.receipts.count for told in found if not told.is_whole) == len(odd)
    # of a lot, nothing else waits by itself
    assert len(ids) == len(odd) + (0 if lots.MANY == 1 else len(lot))
    apply(begin)
    assert states(begin, campaign) == {"delivered": 4, "failed": 2}


def test_an_id_of_several_parts_among_others(begin: Transactions) -> None:
    """Nobody is mistaken for the one who had the id before, and the others do not wait for that."""
    campaign, _ = sending(begin, 6)
    mine = owner(begin)
    turns = [must_claim(begin, mine, 1) for _ in range(6)]
    for turn, name in zip(turns, ("7", "7", "8", "9", "10", "11"), strict=True):
        record(begin, turn, [Accepted(name)])
    first, second, *others = [turn.parts[0] for turn in turns]
    receive(begin, *(receipt(name, msisdn=None) for name in ("8", "9", "10")), receipt("7", msisdn=first.msisdn))
    assert state_of(begin, first.part_id).word == "delivered"
    assert state_of(begin, second.part_id).word == "submitted"
    assert [state_of(begin, part.part_id).word for part in others] == ["delivered"] * 3 + ["submitted"]
    assert states(begin, campaign) == {"delivered": 4, "submitted": 2}
    assert look(begin, tallies.wrong) == []


@pytest.mark.parametrize("parts", [1, 3])
def test_what_the_registry_is_told(begin: Transactions, parts: int) -> None:
    """A number that was reached begins anew, one that nobody has counts, and both may come in one lot."""
    _, messages = _messages(begin, 3) if parts > 1 else (0, [[part] for part in sent(begin, 3)[1]])
    reached, nobody, missed = messages
    with begin() as tx:
        for number in tx.session.query(Number):
            number.unknown_in_a_row = 1
    nobody_has_it = {"EC": Reason(R.FAILED, True, "nobody has this number", unknown_number=True)}
    with begin() as tx:
        lot = _of(reached, *[R.DELIVERED] * parts) + _of(missed, *[R.FAILED] * parts)
        lot += [receipt(f"id-{part.part_id}", R.FAILED, code="EC") for part in nobody]
        receipts.record(tx.session, lot, nobody_has_it, now=tx.now)
    apply(begin)
    counted = look(begin, lambda s: {number.msisdn: number.unknown_in_a_row for number in s.query(Number)})
    assert counted == {reached[0].msisdn: 0, nobody[0].msisdn: 2, missed[0].msisdn: 1}
