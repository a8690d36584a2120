"""One person's message, part by part, down to what the carrier said of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from broadcaster import forgetting
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import again, lots, owners, reconcile
from broadcaster.delivery.models import Message, Part, ReceiptInbox, Submission
from broadcaster.gateways.contract import OutboundPart, OutcomeUnknown
from broadcaster.gateways.events import ReceiptState
from broadcaster.reports.trace import InDoubt, Trace, trace
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import NotFound
from tests.databases import Transactions
from tests.delivery.ledger import (
    THREE_PARTS,
    WAYS,
    accept,
    look,
    must_claim,
    owner,
    receipt,
    receive,
    record,
    sending,
    sent,
)
from tests.factories import NOW, make_member, make_organisation

pytestmark = pytest.mark.usefixtures("both_ways")


def traced(begin: Transactions, campaign: int, member: int) -> Trace:
    with begin() as tx:
        return trace(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), member, now=tx.now)


def reader_of(begin: Transactions, part: OutboundPart) -> int:
    its = select(Message.member_id).join(Part, Part.message_id == Message.id).where(Part.id == part.part_id)
    return look(begin, lambda s: s.scalar(its)) or 0


def names(begin: Transactions, parts: Sequence[OutboundPart]) -> list[str]:
    """What the carrier calls them."""
    known = dict(look(begin, lambda s: s.execute(select(Submission.part_id, Submission.provider_id)).all()))
    return [known[part.part_id] for part in parts]


def test_each_part_with_what_was_told_of_it(begin: Transactions) -> None:
    campaign, parts = sent(begin, 4, THREE_PARTS)
    reader = reader_of(begin, parts[0])
    mine, others = names(begin, parts[:3]), names(begin, parts[3:])
    receive(
        begin,
        receipt(mine[0], raw="first", done_at=NOW + timedelta(minutes=3)),
        receipt(mine[1], ReceiptState.FAILED, code="27", raw="second"),
        # of others, and of one whose name begins as theirs do
        *(receipt(name) for name in [*others, f"{mine[0]}0"]),
    )
    told = traced(begin, campaign, reader)
    assert (told.state, told.attempt, told.msisdn) == ("failed", 1, parts[0].msisdn)
    assert [(part.number, part.provider_id, part.state, part.text) for part in told.parts] == [
        (1, mine[0], "delivered", parts[0].text),
        (2, mine[1], "failed", parts[1].text),
        (3, mine[2], "submitted", parts[2].text),
    ]
    assert [[(one.state, one.code, one.done, one.raw) for one in part.receipts] for part in told.parts] == [
        [("delivered", "000", (NOW + timedelta(minutes=3)).isoformat(), "first")],
        [("failed", "27", NOW.isoformat(), "second")],
        [],
    ]
    assert told.parts[0].submitted_at is not None and told.parts[0].final_at is not None
    assert told.parts[2].final_at is None


def test_what_contradicts_and_what_comes_again_is_told_once_for_each_time(begin: Transactions) -> None:
    """What a lot cannot move becomes a row of its own: still one receipt."""
    campaign, parts = sent(begin, 2)
    (name,) = names(begin, parts[:1])
    receive(begin, receipt(name))
    receive(begin, receipt(name, ReceiptState.FAILED, code="27"))
    (part,) = traced(begin, campaign, reader_of(begin, parts[0])).parts
    assert part.state == "delivered"
    assert [one.state for one in part.receipts] == ["delivered", "failed"]


@pytest.mark.parametrize("name", ['a"b', "a%", "a_", "a\\", "号"])
def test_a_name_is_a_name_whatever_is_in_it(begin: Transactions, name: str) -> None:
    campaign, parts = sent(begin, 2)
    with begin() as tx:
        of_it = Submission.part_id == parts[0].part_id
        tx.session.execute(update(Submission).where(of_it).values(provider_id=name))
    receive(begin, receipt(name, raw="mine"), receipt("axx"), receipt("a"))
    (part,) = traced(begin, campaign, reader_of(begin, parts[0])).parts
    assert [one.raw for one in part.receipts] == ["mine"]


def test_an_earlier_attempt_stays_to_be_seen(begin: Transactions) -> None:
    campaign, parts = sent(begin, 1)
    receive(begin, receipt(names(begin, parts)[0], ReceiptState.FAILED, code="27"))
    with begin() as tx:
        again.resend_failed(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), 1, WAYS, now=tx.now)
    turn = must_claim(begin, owner(begin))
    accept(begin, turn)
    receive(begin, receipt(names(begin, turn.parts)[0]))
    told = traced(begin, campaign, reader_of(begin, parts[0]))
    assert told.state == "delivered"
    states = [(part.attempt, part.state, [one.state for one in part.receipts]) for part in told.parts]
    assert states == [(1, "failed", ["failed"]), (2, "delivered", ["delivered"])]


def in_doubt(begin: Transactions) -> tuple[int, OutboundPart]:
    """One campaign, and its only part, whose answer did not come."""
    campaign, _ = sending(begin, 1)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [OutcomeUnknown("cut")])
    return campaign, turn.parts[0]


def test_a_doubt_says_since_when_and_who_counted_it_as_sent(begin: Transactions) -> None:
    campaign, part = in_doubt(begin)
    reader = reader_of(begin, part)
    (told,) = traced(begin, campaign, reader).parts
    assert (told.doubt, told.submitted_at, told.state) == (InDoubt(NOW, None, ""), None, "unknown")
    begin.clock.advance(hours=2)
    with begin() as tx:
        again.settle_as_sent(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), 1, now=tx.now)
    (told,) = traced(begin, campaign, reader).parts
    assert told.doubt == InDoubt(NOW, NOW + timedelta(hours=2), OPERATOR.name)
    # it left then, and not when somebody decided so
    assert (told.submitted_at, told.state) == (NOW, "submitted")


def test_a_doubt_that_a_receipt_settled(begin: Transactions) -> None:
    campaign, part = in_doubt(begin)
    begin.clock.advance(minutes=3)
    receive(begin, receipt("x7", raw="late", msisdn=part.msisdn, client_reference=f"p{part.part_id}"))
    (told,) = traced(begin, campaign, reader_of(begin, part)).parts
    assert told.doubt == InDoubt(NOW, NOW + timedelta(minutes=3), "receipt")
    assert (told.submitted_at, told.state, told.provider_id) == (NOW, "delivered", "x7")
    assert [one.raw for one in told.receipts] == ["late"]


def test_what_a_receipt_told_before_its_sender_died_is_dated_too(begin: Transactions) -> None:
    """No doubt was ever noted: the part was moved on before anybody looked for its answer."""
    campaign, _ = sending(begin, 1)
    mine = owner(begin)
    (part,) = must_claim(begin, mine).parts
    begin.clock.advance(minutes=1)
    receive(begin, receipt("x9", ReceiptState.IN_NETWORK, msisdn=part.msisdn, client_reference=f"p{part.part_id}"))
    with begin() as tx:
        owners.bury(tx.session, mine, None, now=tx.now)
    (told,) = traced(begin, campaign, reader_of(begin, part)).parts
    assert (told.doubt, told.state, told.submitted_at) == (None, "in_network", NOW + timedelta(minutes=1))
    begin.clock.advance(days=4)
    with begin() as tx:
        # else it would be awaited for ever, and its campaign with it
        assert reconcile.expire(tx.session, {"carrier": timedelta(days=3)}, {}, now=tx.now) == 1


def test_who_is_forgotten_is_nobody_here_either(begin: Transactions) -> None:
    campaign, parts = sent(begin, 2)
    reader = reader_of(begin, parts[0])
    receive(begin, receipt(names(begin, parts[:1])[0], raw="to them", msisdn=parts[0].msisdn))
    with begin() as tx:
        forgetting.forget(tx.session, OPERATOR, reader, key=b"k" * 32, on=tx.now.date(), now=tx.now)
    told = traced(begin, campaign, reader)
    assert (told.msisdn, told.state, [part.text for part in told.parts]) == ("", "delivered", [""])
    assert parts[0].msisdn not in repr(told) and "to them" not in repr(told)


def test_whom_it_was_not_meant_for(begin: Transactions) -> None:
    campaign, _ = sent(begin, 2)
    with begin() as tx:
        stranger = make_member(tx.session).id
    with pytest.raises(NotFound, match=f"Campaign {campaign} was not meant for member {stranger}"):
        traced(begin, campaign, stranger)


def test_both_ways_are_both_ways(begin: Transactions) -> None:
    """Else half of these tests would be the other half again."""
    _, parts = sent(begin, 2)
    receive(begin, *(receipt(name) for name in names(begin, parts)))
    rows = look(begin, lambda s: len(s.scalars(select(ReceiptInbox.id)).all()))
    assert rows == (0 if lots.MANY <= 2 else 2)


def test_what_another_carrier_calls_so_is_not_theirs(begin: Transactions) -> None:
    campaign, parts = sent(begin, 2)
    (name,) = names(begin, parts[:1])
    receive(begin, receipt(name, raw="mine"), receipt(name, raw="not mine", gateway="other"))
    (part,) = traced(begin, campaign, reader_of(begin, parts[0])).parts
    assert [one.raw for one in part.receipts] == ["mine"]


def test_what_names_another_number_is_not_theirs(begin: Transactions) -> None:
    """A carrier that begins to count anew gives an id again, to a part for somebody else."""
    campaign, parts = sent(begin, 2)
    (name,) = names(begin, parts[:1])
    somebody = parts[1].msisdn
    receive(begin, receipt(name, raw="mine", msisdn=parts[0].msisdn), receipt(name, raw="not mine", msisdn=somebody))
    receive(begin, receipt(name, ReceiptState.FAILED, raw="nor this", msisdn=somebody))
    (part,) = traced(begin, campaign, reader_of(begin, parts[0])).parts
    assert [one.raw for one in part.receipts] == ["mine"]


def test_long_before_and_long_after(begin: Transactions) -> None:
    """One that overtakes its answer, and one that says something else hours after the last word."""
    campaign, parts = sent(begin, 2)
    (name,) = names(begin, parts[:1])
    with begin() as tx:
        handed_over = tx.now + timedelta(minutes=30)
        of_it = Part.id == parts[0].part_id
        tx.session.execute(update(Part).where(of_it).values(submitted_at=handed_over))
    receive(begin, receipt(name, raw="early"))
    begin.clock.advance(hours=20)
    receive(begin, receipt(name, ReceiptState.FAILED, raw="late"))
    (part,) = traced(begin, campaign, reader_of(begin, parts[0])).parts
    assert [one.raw for one in part.receipts] == ["early", "late"]


def test_nobody_is_followed_outside_of_ones_own_part_of_the_tree(begin: Transactions) -> None:
    campaign, parts = sent(begin, 2)
    reader = reader_of(begin, parts[0])
    with begin() as tx:
        west = Actor("west", frozenset({Right.SEE}), under=make_organisation(tx.session, "West City").path)
        mine = tx.session.get_one(Campaign, campaign)
        with pytest.raises(NotFound, match="was not meant for member"):
            trace(tx.session, west, mine, reader, now=tx.now)
