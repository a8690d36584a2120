"""What the gateway said is written down once, and nothing it said for certain is lost."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import func, select

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import control, holding, owners, recording, transitions
from broadcaster.delivery.models import Batch, Doubt, Message, Part, Submission, Turn
from broadcaster.delivery.states import State
from broadcaster.delivery.transitions import Move
from broadcaster.gateways.contract import (
    Accepted,
    OptedOut,
    Outcome,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unreachable,
    settled,
)
from subscribers import consent
from subscribers.actor import OPERATOR
from subscribers.models import Consent
from tests import tallies
from tests.databases import Transactions
from tests.delivery.ledger import (
    THREE_PARTS,
    WAYS,
    accept,
    claim,
    look,
    must_claim,
    owner,
    part_states,
    record,
    sending,
    states,
)

ALL: list[Outcome] = [
    Accepted("a"),
    Refused("101", "no such number"),
    OptedOut("102", "on the list of refusals"),
    OutcomeUnknown("no answer"),
    Throttled(3),
    Unreachable("link down"),
]


def test_every_outcome(begin: Transactions) -> None:
    campaign, _ = sending(begin, 6)
    turn = must_claim(begin, owner(begin))
    told = record(begin, turn, ALL)
    assert (told.accepted, told.refused, told.unknown, told.requeued, told.pause) == (1, 2, 1, 2, 3)
    assert states(begin, campaign) == {"submitted": 1, "rejected": 2, "unknown": 1, "queued": 2}
    parts = look(begin, lambda s: s.scalars(select(Part).order_by(Part.id)).all())
    assert [(p.code, p.permanent) for p in parts[1:3]] == [("101", True), ("102", True)]
    assert parts[0].submitted_at == begin.clock.now
    assert [p.final_at is not None for p in parts] == [False, True, True, False, False, False]
    assert look(begin, lambda s: s.scalar(select(Submission.provider_id))) == "a"
    assert look(begin, lambda s: s.scalar(select(func.count()).select_from(Turn))) == 0
    assert look(begin, lambda s: s.scalars(select(Doubt.part_id)).all()) == [parts[3].id]
    assert not look(begin, lambda s: consent.is_reachable(s, turn.parts[2].msisdn))
    evidence = look(begin, lambda s: s.scalars(select(Consent).where(Consent.source == "carrier")).one())
    assert evidence.wording == "102"


def test_twice_is_once(begin: Transactions) -> None:
    campaign, _ = sending(begin, 6)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, ALL)
    again = record(begin, turn, ALL)
    assert (again.requeued, again.pause) == (0, 0)
    assert states(begin, campaign) == {"submitted": 1, "rejected": 2, "unknown": 1, "queued": 2}
    assert look(begin, lambda s: s.scalar(select(func.count()).select_from(Doubt))) == 1


def test_a_second_record_does_not_free_what_others_have_claimed_since(begin: Transactions) -> None:
    """The commit stood, its answer was lost, and somebody took the part while we tried again."""
    sending(begin, 1)
    first, second, third = owner(begin), owner(begin), owner(begin)
    turn = must_claim(begin, first)
    record(begin, turn, [Throttled(0)])
    assert must_claim(begin, second).parts == turn.parts
    record(begin, turn, [Throttled(0)])
    assert part_states(begin) == {"submitting": 1}
    assert claim(begin, third) is None


def test_the_late_answer_settles_what_was_in_doubt(begin: Transactions) -> None:
    campaign, _ = sending(begin, 4)
    mine = owner(begin)
    turn = must_claim(begin, mine)
    with begin() as tx:
        assert owners.bury(tx.session, mine, None, now=tx.now) == 4
    assert states(begin, campaign) == {"unknown": 4}
    record(begin, turn, [Accepted("a"), Refused("1", "no"), OutcomeUnknown("?"), Throttled(0)])
    # "too fast" comes too late to be acted on: somebody may have settled it otherwise
    assert states(begin, campaign) == {"submitted": 1, "rejected": 1, "unknown": 2}
    settled = look(begin, lambda s: s.scalars(select(Doubt.settled_by).order_by(Doubt.part_id)).all())
    assert settled == ["answer", "answer", None, None]


@pytest.mark.parametrize(("act", "end"), [(control.pause, "queued"), (control.abort, "cancelled")])
def test_what_comes_back_to_a_stopped_campaign(begin: Transactions, act: object, end: str) -> None:
    campaign, _ = sending(begin, 3)
    mine = owner(begin)
    turn = must_claim(begin, mine, 2)
    with begin() as tx:
        stopped = act(tx.session, OPERATOR, tx.session.get(Campaign, campaign), now=tx.now)  # type: ignore[operator]
        assert stopped.in_flight == 2
    record(begin, turn, [Accepted("a"), Unreachable("down")])
    assert states(begin, campaign) == {"submitted": 1, end: 2}
    begin.clock.advance(seconds=10)
    assert claim(begin, mine) is None
    if act is control.pause:
        with begin() as tx:
            control.resume(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), WAYS, now=tx.now)
        assert len(must_claim(begin, mine).parts) + len(must_claim(begin, mine).parts) == 2


def test_a_message_is_its_worst_part_and_says_why(begin: Transactions) -> None:
    sending(begin, 1, THREE_PARTS)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [Accepted("a"), Refused("101", "no such number"), Accepted("c")])
    message = look(begin, lambda s: s.scalars(select(Message)).one())
    assert (message.state, message.parts, message.reason) == (State.REJECTED, 3, "no such number")


def test_a_message_with_a_new_attempt_is_not_moved_by_the_old_one(begin: Transactions) -> None:
    sending(begin, 1)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [Accepted("a")])
    with begin() as tx:
        held = holding.hold(tx.session, turn.message_ids)
        transitions.try_again(tx.session, held.messages.values())
    with begin() as tx:
        held = holding.hold(tx.session, turn.message_ids)
        to = Move(State.FAILED, "5", "switched off", False)
        assert transitions.move(tx.session, held, {turn.parts[0].part_id: to}, now=tx.now)
    assert look(begin, lambda s: s.scalar(select(Message.state))) is State.QUEUED


def test_a_carriers_odd_words_do_not_stop_the_record(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [Accepted("i" * 300 + "\0"), Refused("c\0" * 99, "r\ud83d" * 300)])
    assert states(begin, campaign) == {"submitted": 1, "rejected": 1}


def test_what_is_put_back_gets_a_batch_of_its_own(begin: Transactions) -> None:
    sending(begin, 5)
    turn = must_claim(begin, owner(begin), 3)
    record(begin, turn, [Throttled(2), Accepted("b"), Throttled(4)])
    batches = look(begin, lambda s: s.scalars(select(Batch).order_by(Batch.id)).all())
    assert len(batches) == 2
    assert (batches[1].low, batches[1].high) == (turn.message_ids[0], turn.message_ids[2])
    assert Counter(turn.message_ids) == Counter(set(turn.message_ids))


def test_late_and_other_answers_together_settle_a_doubt(begin: Transactions) -> None:
    """Of a message in its first attempt that is on its way, one of several parts may be in doubt all the same."""
    campaign, _ = sending(begin, 1, THREE_PARTS)
    turn = must_claim(begin, owner(begin))
    with begin() as tx:
        unknown = settled(turn.parts[:1], [OutcomeUnknown("?")])
        recording.record(tx.session, turn, unknown, closes=False, now=tx.now)
    accept(begin, turn)
    assert states(begin, campaign) == {"submitted": 1}
    assert look(begin, lambda s: s.scalar(select(Doubt.settled_by))) == "answer"
    assert look(begin, tallies.wrong) == []
