"""Figures are kept to the piece, whoever moves messages at the same time as whoever else."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import control, orphans, owners, receipts, reconcile, tally
from broadcaster.delivery.holding import hold
from broadcaster.delivery.models import Message, Part, Submission, Tally
from broadcaster.delivery.states import State
from broadcaster.delivery.transitions import Alike, Move, move_whole, withdraw
from broadcaster.gateways.contract import Accepted, OptedOut, Outcome, OutcomeUnknown, Refused, Throttled, Unreachable
from broadcaster.gateways.events import ReceiptState
from subscribers.actor import OPERATOR
from subscribers.db import Joined
from tests.databases import Transactions
from tests.delivery.ledger import (
    ONE_PART,
    THREE_PARTS,
    WAYS,
    claim,
    look,
    owner,
    receipt,
    record,
    sending,
    sent,
    states,
)
from tests.tallies import counted, kept, wrong

pytestmark = pytest.mark.usefixtures("both_ways")

#: what a carrier answers, as often as it stands here
ANSWERS = ["accepted"] * 12 + ["refused", "opted out", "unknown", "unknown", "throttled", "throttled", "unreachable"]
TOLD = [ReceiptState.DELIVERED] * 4 + [ReceiptState.FAILED, ReceiptState.IN_NETWORK, ReceiptState.EXPIRED]
TIMEOUTS = {"carrier": timedelta(0)}


def outcome(word: str, part_id: int) -> Outcome:
    match word:
        case "accepted":
            return Accepted(f"id-{part_id}")
        case "refused":
            return Refused("101", "no such number")
        case "opted out":
            return OptedOut("102", "on the list of refusals")
        case "unknown":
            return OutcomeUnknown("no answer")
        case "throttled":
            return Throttled(0)
    return Unreachable("link down")


def a_turn(begin: Transactions, owner_id: int, parts: int, dice: random.Random) -> bool:
    """Claim and hand over; what is told of some of it is written down before the rest is. Whether there was any."""
    turn = claim(begin, owner_id, parts)
    if turn is not None:
        record(begin, turn, [outcome(dice.choice(ANSWERS), part.part_id) for part in turn.parts])
    return turn is not None


def told(begin: Transactions, dice: random.Random) -> None:
    """Receipts for some of what was ever handed over, some of it twice, and for what nobody knows."""
    known = look(begin, lambda s: s.scalars(select(Submission.provider_id)).all())
    some = dice.sample(known, min(len(known), 40))
    with begin() as tx:
        news = [receipt(name, dice.choice(TOLD)) for name in [*some, *some[:5], f"stranger-{dice.random()}"]]
        receipts.record(tx.session, news, {}, now=tx.now)
    with begin() as tx:
        receipts.apply(tx.session, limit=30, now=tx.now)


def swept(begin: Transactions, dice: random.Random) -> None:
    with begin() as tx:
        orphans.retry(tx.session, now=tx.now)
        if dice.random() < 0.1:
            reconcile.expire(tx.session, TIMEOUTS, {}, now=tx.now)
    with begin() as tx:
        reconcile.finish(tx.session, {"carrier": timedelta(hours=1)}, now=tx.now)
    with begin() as tx:
        for campaign_id in tx.session.scalars(select(Campaign.id)).all():
            tally.fold(tx.session, campaign_id, many=5)


def stop(begin: Transactions, campaign_id: int, act: Callable[..., object]) -> None:
    with begin() as tx:
        act(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign_id), now=tx.now)


class Crowd:
    """Many at once, each again and again until the end; the first trouble of any is kept."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.trouble: list[BaseException] = []
        self.threads: list[threading.Thread] = []

    def join(self, act: Callable[[], object]) -> None:
        def again_and_again() -> None:
            try:
                while not self.over.is_set():
                    act()
            except BaseException as error:
                self.trouble.append(error)
                self.over.set()

        self.threads.append(threading.Thread(target=again_and_again))
        self.threads[-1].start()

    def disperse(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        if self.trouble:
            raise self.trouble[0]


@pytest.mark.postgresql
def test_many_at_once(on_postgresql: Transactions) -> None:
    """Nobody waits in a circle, and at every moment what is kept is what can be counted."""
    begin = on_postgresql
    first, _ = sending(begin, 150, THREE_PARTS)
    second, _ = sending(begin, 150)
    mine = [owner(begin) for _ in range(5)]
    dice = [random.Random(n) for n in range(9)]
    crowd = Crowd()
    try:
        for n in range(3):
            crowd.join(lambda n=n: a_turn(begin, mine[n], 20 + n, dice[n]) or crowd.over.wait(0.01))  # type: ignore[misc]
        crowd.join(lambda: told(begin, dice[3]))
        crowd.join(lambda: told(begin, dice[4]))
        crowd.join(lambda: swept(begin, dice[5]))
        seen = 0
        for step in range(30):
            with begin() as tx:
                # one snapshot for all that is read in it
                tx.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
                assert wrong(tx.session) == []
                seen += sum(kept(tx.session).values())
            if crowd.over.wait(0.05):
                break
            if step in (8, 12):
                stop(begin, second, control.pause if step == 8 else partial(control.resume, ways=WAYS))
            if step == 16:
                # it had claimed, and is taken for dead
                left = claim(begin, mine[4])
                with begin() as tx:
                    assert owners.bury(tx.session, mine[4], None, now=tx.now) == len(left.parts if left else ())
            if step == 24:
                stop(begin, first, control.abort)
        assert seen > 30 * 300
    finally:
        crowd.disperse()
    with begin() as tx:
        assert wrong(tx.session) == []
        assert len(counted(tx.session)) > 5
    assert not {"queued", "held"} & states(begin, first).keys()


STEPS = ("turn", "turn", "turn", "told", "told", "swept", "bury", "withdraw", "pause", "resume")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS), max_size=12), seed=st.integers(0, 1000), aborted=st.booleans())
def test_in_any_order(begin: Transactions, steps: list[str], seed: int, aborted: bool) -> None:
    dice = random.Random(seed)
    campaign, _ = sending(begin, 5, THREE_PARTS)
    mine = owner(begin)
    for step in steps:
        match step:
            case "turn":
                a_turn(begin, mine, 4, dice)
            case "told":
                told(begin, dice)
            case "swept":
                swept(begin, dice)
            case "bury":
                claim(begin, mine, 4)
                with begin() as tx:
                    owners.bury(tx.session, mine, None, now=tx.now)
                mine = owner(begin)
            case "withdraw":
                withdraw_one(begin, campaign, dice)
            case _:
                if look(begin, lambda s: s.get_one(Campaign, campaign).state) == (
                    "sending" if step == "pause" else "paused"
                ):
                    stop(begin, campaign, control.pause if step == "pause" else partial(control.resume, ways=WAYS))
        assert look(begin, wrong) == []
    if aborted and look(begin, lambda s: s.get_one(Campaign, campaign).state) in ("sending", "paused"):
        stop(begin, campaign, control.abort)
        assert look(begin, wrong) == []
        assert not {"queued", "held"} & states(begin, campaign).keys()


def withdraw_one(begin: Transactions, campaign: int, dice: random.Random) -> None:
    def some(session: Session) -> list[int]:
        return [cell_id for cell_id in hold(session, range(1, 200)).messages if dice.random() < 0.1]

    with begin() as tx:
        withdraw(tx.session, some(tx.session), State.SKIPPED, "opted_out", now=tx.now)


@pytest.mark.parametrize("text", [ONE_PART, THREE_PARTS])
@pytest.mark.parametrize("other", ["nothing", "attempt", "state", "gateway", "named twice", "not there"])
def test_messages_are_moved_as_a_whole_or_not_at_all(begin: Transactions, text: str, other: str) -> None:
    """Of the messages, and then of their parts, one is not what all are taken for."""
    campaign, parts = sent(begin, 4, text)
    each = len(parts) // 4
    for table in (Message, Part):
        with begin() as tx:
            all_of = {one: list(tx.session.scalars(select(one.id).order_by(one.id))) for one in (Message, Part)}
            ids = all_of[table]
            changed = {"attempt": {"attempt": 2}, "state": {"state": State.DELIVERED}, "gateway": {"gateway": "other"}}
            if other in changed:
                tx.session.execute(update(table).where(table.id == ids[1]).values(changed[other]))
            ids += {"named twice": ids[:1], "not there": [max(ids) + 1]}.get(other, [])
            before = rows_of(tx.session)
            alike = Alike(campaign, "carrier", State.SUBMITTED, each)
            given = (Joined.of(all_of[one]) for one in (Part, Message))
            assert move_whole(tx.session, alike, Move(State.FAILED), *given, now=tx.now) == (other == "nothing")
            assert (rows_of(tx.session) == before) == (other != "nothing")
            tx.session.rollback()


@pytest.mark.parametrize("text", [ONE_PART, THREE_PARTS])
def test_messages_in_a_later_attempt_are_moved_as_a_whole(begin: Transactions, text: str) -> None:
    campaign, parts = sent(begin, 4, text)
    with begin() as tx:
        message_ids = list(tx.session.scalars(select(Message.id)))
        tx.session.execute(update(Message).where(Message.id.in_(message_ids[:2])).values(attempt=2))
        tx.session.execute(update(Part).where(Part.message_id.in_(message_ids[:2])).values(attempt=2))
        part_ids = Joined.of([part.part_id for part in parts])
        alike = Alike(campaign, "carrier", State.SUBMITTED, len(parts) // 4)
        assert move_whole(tx.session, alike, Move(State.DELIVERED), part_ids, Joined.of(message_ids), now=tx.now)
    assert states(begin, campaign) == {"delivered": 4}
    assert look(begin, wrong) == []


def rows_of(session: Session) -> list[Any]:
    """All messages, parts and figures as they are."""
    return [session.execute(select(table.__table__).order_by(table.id)).all() for table in (Message, Part, Tally)]
