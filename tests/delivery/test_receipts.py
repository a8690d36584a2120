"""Receipts: stored before they are believed, applied once, forward only, to the gateway's own parts."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from broadcaster.campaigns.audience import Route, count_audience
from broadcaster.delivery import orphans, receipts
from broadcaster.delivery.models import Message, Part, Submission
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Accepted
from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from broadcaster.replies.receive import ROUTE
from subscribers import numbers
from subscribers.actor import OPERATOR
from subscribers.db import Tx
from subscribers.models import Number
from tests.at_once import at_once
from tests.databases import Transactions
from tests.delivery.ledger import (
    THREE_PARTS,
    accept,
    apply,
    begin_sending,
    draft,
    inbox,
    kept,
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
from tests.factories import NOW, make_member

pytestmark = pytest.mark.usefixtures("both_ways")

R = ReceiptState


def _retry(begin: Transactions) -> None:
    with begin() as tx:
        orphans.retry(tx.session, now=tx.now)
    apply(begin)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (R.DELIVERED, "delivered"),
        (R.FAILED, "failed"),
        (R.EXPIRED, "expired"),
        (R.REJECTED, "rejected"),
        (R.IN_NETWORK, "in_network"),
        (R.CARRIER_UNKNOWN, "failed"),
    ],
)
def test_what_a_receipt_says(begin: Transactions, told: ReceiptState, state: str) -> None:
    campaign, parts = sent(begin, 1)
    receive(begin, receipt(f"id-{parts[0].part_id}", told))
    assert states(begin, campaign) == {state: 1}
    part = look(begin, lambda s: s.scalars(select(Part)).one())
    assert (part.code, part.final_at is not None) == ("000", told is not R.IN_NETWORK)
    assert part.reason == ("carrier_unknown" if told is R.CARRIER_UNKNOWN else None)


def test_the_carriers_code_in_words(begin: Transactions) -> None:
    _, parts = sent(begin, 1)
    reasons = {"002": Reason(R.FAILED, False, "The phone is switched off")}
    with begin() as tx:
        told = receipt(f"id-{parts[0].part_id}", R.FAILED, code="002", permanent=False)
        receipts.record(tx.session, [told], reasons, now=tx.now)
    assert receipts.APPLY in {wake.queue for wake in begin.wakes}
    apply(begin)
    message = look(begin, lambda s: s.scalars(select(Message)).one())
    assert (message.state, message.reason) == (State.FAILED, "The phone is switched off")


def test_a_message_is_delivered_with_its_last_part(begin: Transactions) -> None:
    campaign, parts = sent(begin, 1, THREE_PARTS)
    for part in parts:
        assert states(begin, campaign) == {"submitted": 1}
        receive(begin, receipt(f"id-{part.part_id}"))
    assert states(begin, campaign) == {"delivered": 1}
    assert look(begin, lambda s: s.scalar(select(Message.delivered_parts))) == 3


def test_the_same_receipt_many_times_is_kept_once(begin: Transactions) -> None:
    _, parts = sent(begin, 1)
    for _ in range(5):
        receive(begin, *[receipt(f"id-{parts[0].part_id}")] * 20)
    assert inbox(begin) == {"applied": 1}


def test_what_is_known_never_goes_back(begin: Transactions) -> None:
    campaign, parts = sent(begin, 1)
    name = f"id-{parts[0].part_id}"
    receive(begin, receipt(name, R.DELIVERED))
    with capture_logs() as logged:
        receive(begin, receipt(name, R.IN_NETWORK))
        assert not logged
        receive(begin, receipt(name, R.FAILED))
    assert [(line["event"], line["receipts"]) for line in logged] == [
        ("receipts that contradict what was told before", 1)
    ]
    assert states(begin, campaign) == {"delivered": 1}
    # what a lot has moved is no row
    assert inbox(begin) - Counter(applied=1) == {"stale": 1, "conflict": 1}


def test_a_receipt_for_nothing_we_know_is_kept(begin: Transactions) -> None:
    campaign, _ = sent(begin, 2)
    receive(begin, receipt("stranger"))
    _retry(begin)
    assert inbox(begin) == {"orphan": 1}
    assert states(begin, campaign) == {"submitted": 2}


def test_another_gateways_receipt_moves_nothing(begin: Transactions) -> None:
    campaign, parts = sent(begin, 1)
    reference = parts[0].client_reference
    receive(
        begin,
        receipt(f"id-{parts[0].part_id}", gateway="other"),
        receipt("x", gateway="other", client_reference=reference, msisdn=parts[0].msisdn),
    )
    _retry(begin)
    assert states(begin, campaign) == {"submitted": 1}
    assert inbox(begin) == {"orphan": 2}


def test_whoever_reads_the_log_is_told_of_another_gateways_receipts(begin: Transactions) -> None:
    _, parts = sent(begin, 2)
    told = [receipt(f"id-{part.part_id}", gateway="other", msisdn=part.msisdn) for part in parts]
    # the same id may be somebody else's at the other carrier
    strangers = [receipt("id-1", gateway="third", msisdn="+8619999999999"), receipt("x", gateway="third")]
    with capture_logs() as logged:
        receive(begin, *told, *strangers)
    assert [(line["gateway"], line["of"], line["receipts"]) for line in logged] == [("other", "carrier", 2)]
    assert "Compare the addresses" in logged[0]["hint"]
    assert parts[0].msisdn[4:] not in str(logged)


def test_one_id_one_state_and_one_minute_for_two_numbers(begin: Transactions) -> None:
    campaign, _ = sending(begin, 3)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [Accepted("1"), Accepted("1"), Accepted("2")])
    told = [receipt("1", msisdn=part.msisdn) for part in turn.parts[:2]]
    receive(begin, told[1], told[0], told[1])
    receive(begin, *told)
    assert (states(begin, campaign), inbox(begin)) == ({"delivered": 2, "submitted": 1}, {"applied": 2})
    receive(begin, *[receipt("2", msisdn=turn.parts[2].msisdn, done_at=None)] * 2)
    assert (states(begin, campaign), inbox(begin)) == ({"delivered": 3}, {"applied": 3})


def test_a_receipt_before_its_answer_is_applied_when_the_answer_is_known(begin: Transactions) -> None:
    campaign, _ = sending(begin, 1)
    turn = must_claim(begin, owner(begin))
    receive(begin, receipt("late"))
    assert inbox(begin) == {"orphan": 1}
    record(begin, turn, [Accepted("late")])
    _retry(begin)
    assert states(begin, campaign) == {"delivered": 1}
    assert look(begin, lambda s: s.scalar(select(Part.submitted_at))) is not None


def test_our_own_reference_tells_before_the_answer_does(begin: Transactions) -> None:
    campaign, _ = sending(begin, 1)
    turn = must_claim(begin, owner(begin))
    part = turn.parts[0]
    receive(begin, receipt("id", client_reference=part.client_reference, msisdn=part.msisdn))
    assert states(begin, campaign) == {"delivered": 1}
    # the answer that comes afterwards changes nothing, but the time of the hand-over is kept
    record(begin, turn, [Accepted("id")])
    assert states(begin, campaign) == {"delivered": 1}
    assert look(begin, lambda s: s.scalar(select(Part.submitted_at))) is not None


@pytest.mark.parametrize("reference", ["p999999999999999999999999", "p", "p-1", "p1; DROP", "x1", "p１", "p0", ""])
def test_an_odd_reference_names_nothing(begin: Transactions, reference: str) -> None:
    campaign, _ = sent(begin, 2)
    receive(begin, receipt("stranger", client_reference=reference))
    assert states(begin, campaign) == {"submitted": 2}
    assert inbox(begin) == {"orphan": 1}


def test_a_reference_of_an_older_database_is_not_ours(begin: Transactions) -> None:
    campaign, parts = sent(begin, 1)
    reference = parts[0].client_reference
    receive(
        begin,
        # the same number of a part, but the carrier knows ours by another id
        receipt("old-1", client_reference=reference, msisdn=parts[0].msisdn),
        # or it went to somebody else
        receipt("old-2", client_reference=reference, msisdn="+8619999999999"),
    )
    assert states(begin, campaign) == {"submitted": 1}


@pytest.mark.parametrize("wrong", [{"gateway": "other"}, {"msisdn": "+8619999999999"}])
def test_a_reference_alone_is_not_enough(begin: Transactions, wrong: dict[str, str]) -> None:
    """Before the answer there is no id to compare: the gateway and the number have to be the part's own."""
    campaign, _ = sending(begin, 1)
    part = must_claim(begin, owner(begin)).parts[0]
    told = {"client_reference": part.client_reference, "msisdn": part.msisdn} | wrong
    receive(begin, receipt("id", **told))
    assert states(begin, campaign) == {"submitting": 1}
    assert inbox(begin) == {"orphan": 1}


def test_an_id_that_the_carrier_gives_again_means_the_newest_part(begin: Transactions) -> None:
    sending(begin, 2)
    mine = owner(begin)
    first, second = must_claim(begin, mine, 1), must_claim(begin, mine, 1)
    record(begin, first, [Accepted("7")])
    record(begin, second, [Accepted("7")])
    receive(begin, receipt("7"))
    assert state_of(begin, first.parts[0].part_id) is State.SUBMITTED
    assert state_of(begin, second.parts[0].part_id) is State.DELIVERED


def test_one_id_on_two_connections_goes_by_the_number(begin: Transactions) -> None:
    """A carrier that counts anew on each connection: the newest part is not meant, the number says."""
    sending(begin, 2)
    mine = owner(begin)
    first, second = must_claim(begin, mine, 1), must_claim(begin, mine, 1)
    record(begin, first, [Accepted("7")])
    record(begin, second, [Accepted("7")])
    with capture_logs() as logged:
        receive(begin, receipt("7", msisdn=first.parts[0].msisdn))
    assert state_of(begin, first.parts[0].part_id) is State.DELIVERED
    assert state_of(begin, second.parts[0].part_id) is State.SUBMITTED
    assert "Ask the carrier for ids" in logged[0]["hint"]
    with capture_logs() as logged:
        receive(begin, receipt("7", R.FAILED, msisdn=second.parts[0].msisdn))
    assert state_of(begin, second.parts[0].part_id) is State.FAILED
    assert logged == []


def test_long_and_odd_words_are_kept_as_far_as_there_is_room(begin: Transactions) -> None:
    _, parts = sent(begin, 1)
    told = receipt(
        f"id-{parts[0].part_id}", code="c" * 500, client_reference="r" * 500, msisdn="+" + "1" * 90, raw="x" * 99_999
    )
    receive(begin, told, receipt("i" * 900))
    assert part_states(begin) == {"delivered": 1}


def test_parts_of_one_message_at_the_same_time(begin: Transactions, engine: Engine) -> None:
    """Each transaction sees only its own part as delivered; the message must follow both."""
    campaign, parts = sent(begin, 12, THREE_PARTS)
    barrier = threading.Barrier(3)

    def work(offset: int) -> None:
        own = Transactions(engine, begin.clock)
        barrier.wait()
        for part in parts[offset::3]:
            with own() as tx:
                receipts.record(tx.session, [receipt(f"id-{part.part_id}")], {}, now=tx.now)
                receipts.apply(tx.session, now=tx.now)
            with own() as tx:
                receipts.apply(tx.session, now=tx.now)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    apply(begin)
    assert part_states(begin) == {"delivered": 36}
    assert states(begin, campaign) == {"delivered": 12}


def test_a_storm(begin: Transactions, engine: Engine) -> None:
    """A fifth twice, a tenth early, a tenth out of order, a hundredth for nobody: each applied once, by several."""
    chance = random.Random(5)
    campaign, members = sending(begin, 400)
    mine = owner(begin)
    turns = [must_claim(begin, mine) for _ in range(8)]
    parts = [part for turn in turns for part in turn.parts]
    early = [receipt(f"id-{part.part_id}") for part in parts[:40]]
    receive(begin, *early)
    for turn in turns:
        accept(begin, turn)
    storm = [receipt(f"id-{part.part_id}") for part in parts]
    storm += [receipt(f"id-{part.part_id}", R.IN_NETWORK, done_at=None) for part in parts[:200]]
    storm += chance.sample(storm, 80)
    storm += [receipt(f"stranger-{n}") for n in range(4)]
    storm += [receipt(f"id-{part.part_id}", gateway="other") for part in parts[:4]]
    chance.shuffle(storm)
    lots = [storm[start : start + 50] for start in range(0, len(storm), 50)]

    def work(offset: int) -> None:
        own = Transactions(engine, begin.clock)
        for lot in lots[offset::3]:
            receive(own, *lot)

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _retry(begin)
    assert states(begin, campaign) == {"delivered": len(members)}
    found = inbox(begin)
    assert found["orphan"] == 8
    assert found["conflict"] == 0
    assert found["waiting"] == 0
    assert kept(begin) == {(told.gateway, told.message_id, told.state) for told in [*early, *storm]}
    assert look(begin, lambda s: len(s.scalars(select(Submission.part_id)).all())) == 400


def test_what_waits_is_hinted_at_again(begin: Transactions) -> None:
    sent(begin, 1)
    with begin() as tx:
        receipts.record(tx.session, [receipt("x")], {}, now=NOW)
    begin.wakes.clear()
    with begin() as tx:
        orphans.retry(tx.session, now=tx.now)
    assert [wake.queue for wake in begin.wakes] == [receipts.APPLY]
    assert receipts.APPLY != ROUTE


GONE = {"001": Reason(R.FAILED, True, "There is no such number", unknown_number=True)}


def _nobody_has_it(begin: Transactions, part_id: int) -> None:
    with begin() as tx:
        told = receipt(f"id-{part_id}", R.FAILED, code="001", permanent=True)
        receipts.record(tx.session, [told], GONE, now=tx.now)
    apply(begin)


def test_a_number_that_nobody_has_is_suspended_after_three_messages(begin: Transactions) -> None:
    with begin() as tx:
        reader = make_member(tx.session)
    mine = owner(begin)
    for n in (1, 2, 3):
        with begin() as tx:
            assert not numbers.to_verify(tx.session, OPERATOR)
            begin_sending(tx.session, draft(tx.session, THREE_PARTS), now=tx.now)
        turn = must_claim(begin, mine)
        accept(begin, turn)
        # a message of three parts counts once, and a receipt that comes twice does not count again
        for part in [*turn.parts, *turn.parts]:
            _nobody_has_it(begin, part.part_id)
        counted = look(begin, lambda s: s.scalar(select(Number.unknown_in_a_row)))
        assert counted == n
    [waiting] = look(begin, lambda s: numbers.to_verify(s, OPERATOR))
    assert waiting.member_id == reader.id
    with begin() as tx:
        campaign = draft(tx.session)
        skipped = count_audience(tx.session, campaign, Route("carrier"), on=tx.now.date()).skipped
    assert skipped == {"suspended": 1}


def test_a_number_that_is_reached_begins_anew(begin: Transactions) -> None:
    _, parts = sent(begin, 1)
    _nobody_has_it(begin, parts[0].part_id)
    assert look(begin, lambda s: s.scalar(select(Number.unknown_in_a_row))) == 1
    with begin() as tx:
        begin_sending(tx.session, draft(tx.session), now=tx.now)
    turn = must_claim(begin, owner(begin))
    accept(begin, turn)
    receive(begin, receipt(f"id-{turn.parts[0].part_id}"))
    assert look(begin, lambda s: s.scalar(select(Number.unknown_in_a_row))) == 0


def test_another_failure_is_no_reason_to_doubt_a_number(begin: Transactions) -> None:
    _, parts = sent(begin, 1)
    receive(begin, receipt(f"id-{parts[0].part_id}", R.FAILED, code="002"))
    assert look(begin, lambda s: s.scalar(select(Number.unknown_in_a_row))) == 0


def test_the_same_receipts_by_two_connections_at_once(begin: Transactions, engine: Engine) -> None:
    """A carrier may repeat what nobody acknowledged over another bind, in an order of its own."""
    told = [receipt(f"id-{n}") for n in range(2000)]

    def hear(lot: list[Receipt]) -> Callable[[Tx], None]:
        return lambda tx: receipts.record(tx.session, lot, {}, now=tx.now)

    assert at_once(engine, begin, hear(told), hear(told[::-1])) == []
    apply(begin)
    assert inbox(begin) == {"orphan": len(told)}
