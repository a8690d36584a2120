"""Whom a carrier is asked about, and what its answers settle."""

from __future__ import annotations

from datetime import timedelta

from broadcaster.delivery import asking
from broadcaster.delivery.asking import Asked
from broadcaster.gateways.contract import Accepted, OutcomeUnknown
from broadcaster.gateways.events import Receipt, ReceiptState
from tests.databases import Transactions
from tests.delivery.ledger import (
    apply,
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
)
from tests.factories import NOW

LATER = NOW + timedelta(minutes=31)


def ask(
    begin: Transactions, after: int = 0, limit: int = 100, *, in_: timedelta = timedelta(minutes=31)
) -> list[Asked]:
    with begin() as tx:
        return asking.questions(tx.session, "carrier", after=after, limit=limit, now=tx.now + in_)


def answer(begin: Transactions, asked: list[Asked], *told: Receipt) -> int:
    with begin() as tx:
        kept = asking.settle(tx.session, "carrier", asked, told, {}, now=tx.now)
    apply(begin)
    return kept


def in_doubt(begin: Transactions, count: int = 1) -> list[int]:
    sending(begin, count)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [OutcomeUnknown("no answer")] * len(turn.parts))
    return [part.part_id for part in turn.parts]


def test_parts_without_an_end_are_asked_about_after_half_an_hour(begin: Transactions) -> None:
    _, parts = sent(begin)
    assert ask(begin, in_=timedelta(minutes=29)) == []
    receive(begin, receipt(f"id-{parts[0].part_id}"), receipt(f"id-{parts[1].part_id}", ReceiptState.IN_NETWORK))
    asked = ask(begin)
    assert [(each.part_id, each.question.message_id) for each in asked] == [
        (part.part_id, f"id-{part.part_id}") for part in parts[1:]
    ]
    assert asked[0].question.msisdn == parts[1].msisdn
    assert asked[0].question.text == parts[1].text


def test_round_by_round(begin: Transactions) -> None:
    _, parts = sent(begin, 5)
    ids = [part.part_id for part in parts]
    assert [each.part_id for each in ask(begin, limit=2)] == ids[:2]
    assert [each.part_id for each in ask(begin, after=ids[1], limit=2)] == ids[2:4]
    assert [each.part_id for each in ask(begin, after=ids[4])] == []


def test_another_gateways_parts_are_not_asked_about(begin: Transactions) -> None:
    sent(begin)
    in_doubt(begin)
    with begin() as tx:
        assert asking.questions(tx.session, "other", now=tx.now + timedelta(hours=1)) == []


def test_an_answer_is_a_receipt(begin: Transactions) -> None:
    _, parts = sent(begin)
    asked = ask(begin)
    told = [
        receipt(f"id-{part.part_id}", state, client_reference=f"p{part.part_id}")
        for part, state in zip(
            parts, [ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.IN_NETWORK], strict=True
        )
    ]
    assert answer(begin, asked, *told) == 3
    assert part_states(begin) == {"delivered": 1, "failed": 1, "in_network": 1}


def test_parts_in_doubt_are_looked_for_after_a_minute_and_for_three_days(begin: Transactions) -> None:
    (part,) = in_doubt(begin)
    assert ask(begin, in_=timedelta(seconds=59)) == []
    assert [(each.part_id, each.question.message_id) for each in ask(begin, in_=timedelta(minutes=1))] == [(part, None)]
    assert ask(begin, in_=timedelta(days=4)) == []


def test_the_only_candidate_settles_a_doubt(begin: Transactions) -> None:
    (part,) = in_doubt(begin)
    asked = ask(begin)
    assert answer(begin, asked, receipt("x-1", client_reference=f"p{part}", msisdn=asked[0].question.msisdn)) == 1
    assert state_of(begin, part).word == "delivered"
    assert ask(begin) == []


def test_of_two_candidates_none_is_taken(begin: Transactions) -> None:
    (part,) = in_doubt(begin)
    told = [receipt(f"x-{n}", client_reference=f"p{part}") for n in (1, 2)]
    assert answer(begin, ask(begin), *told) == 0
    assert state_of(begin, part).word == "unknown"


def test_what_is_another_parts_is_no_candidate(begin: Transactions) -> None:
    _, parts = sent(begin, 1)
    # the member of the first campaign is a reader of the second as well
    _, part = in_doubt(begin)
    told = [receipt(message_id, client_reference=f"p{part}") for message_id in (f"id-{parts[0].part_id}", "x-1")]
    assert answer(begin, ask(begin), *told) == 1
    assert state_of(begin, part).word == "delivered"
    assert state_of(begin, parts[0].part_id).word == "submitted"


def test_one_candidate_for_two_parts_is_nobodys(begin: Transactions) -> None:
    first, second = in_doubt(begin, 2)
    told = [receipt("x-1", client_reference=f"p{part}") for part in (first, second)]
    assert answer(begin, ask(begin), *told) == 0


def test_a_message_that_is_not_there_leaves_the_doubt(begin: Transactions) -> None:
    (part,) = in_doubt(begin)
    assert answer(begin, ask(begin)) == 0
    assert state_of(begin, part).word == "unknown"
    assert look(begin, lambda session: asking.questions(session, "carrier", now=LATER)) != []


def test_accepted_is_no_question_for_whom_the_carrier_refused(begin: Transactions) -> None:
    sending(begin, 1)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [Accepted("x-9")])
    receive(begin, receipt("x-9", ReceiptState.REJECTED))
    assert ask(begin) == []
