"""What nobody was told of is found: the dead, the overdue, the stranded, the finished."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import control, owners, reconcile
from broadcaster.delivery.locks import Locks, locks_for
from broadcaster.delivery.models import Batch, Doubt, Message, Owner, Part, Tally
from broadcaster.gateways.contract import Accepted, OutcomeUnknown, Refused, Throttled
from broadcaster.gateways.events import ReceiptState
from subscribers.actor import OPERATOR
from tests.databases import Transactions
from tests.delivery.ledger import (
    THREE_PARTS,
    accept,
    campaign_state,
    look,
    must_claim,
    owner,
    part_states,
    receipt,
    receive,
    record,
    sending,
    sent,
    states,
)

HOLD = """
import os, sys, time
from pathlib import Path
from subscribers.db import make_engine
from broadcaster.delivery.locks import locks_for
held = locks_for(make_engine(sys.argv[1]), Path(sys.argv[2])).take(int(sys.argv[3]))
"""
PROMISE = """
print(held is not None, flush=True)
time.sleep(30)
"""
HOUR = {"carrier": timedelta(hours=1), "other": timedelta(hours=1)}


def _sweep(begin: Transactions) -> list[int]:
    with begin() as tx:
        reconcile.expire(tx.session, HOUR, {}, now=tx.now)
        return reconcile.finish(tx.session, HOUR, now=tx.now)


def test_only_who_let_go_of_the_lock_is_buried(begin: Transactions, engine: Engine, tmp_path: Path) -> None:
    campaign, _ = sending(begin, 6)
    locks, journals = locks_for(engine, tmp_path / "locks"), tmp_path / "journals"

    def take_over() -> int:
        with begin() as tx:
            return reconcile.take_over(tx.session, locks, journals, now=tx.now)

    with begin() as tx:
        living = owners.register(tx.session, locks, journals, now=tx.now)
        dead = owners.register(tx.session, locks, journals, now=tx.now)
    must_claim(begin, living.id, 2)
    turn = must_claim(begin, dead.id, 3)
    for part in turn.parts:
        dead.journal.wrote(turn.id, part.part_id)
    assert take_over() == 0
    dead.held.release()
    assert living.valid()
    assert _taken_over(begin, locks, journals) == 3
    assert states(begin, campaign) == {"submitting": 2, "unknown": 3, "queued": 1}
    assert [each.id for each in look(begin, owners.living)] == [living.id]
    assert len(look(begin, lambda s: s.scalars(select(Doubt)).all())) == 3
    assert take_over() == 0
    with begin() as tx:
        assert not owners.is_ended(tx.session, living.id, hold=True)
        assert owners.is_ended(tx.session, dead.id, hold=True)
    living.held.release()


def _taken_over(
    begin: Transactions, locks: Locks, journals: Path, may_bury: Callable[[Owner], bool] = lambda _: True
) -> int:
    """A server needs a moment to see that a session is gone, and gives its lock to others."""
    for _ in range(500):
        with begin() as tx:
            if doubtful := reconcile.take_over(tx.session, locks, journals, may_bury, now=tx.now):
                return doubtful
        time.sleep(0.02)
    return 0


def test_what_the_journal_of_the_dead_tells(begin: Transactions, engine: Engine, tmp_path: Path) -> None:
    """What never left is sent by others, what was answered stands, and only the rest is in doubt."""
    campaign, _ = sending(begin, 6)
    locks, journals = locks_for(engine, tmp_path / "locks"), tmp_path / "journals"
    with begin() as tx:
        dead = owners.register(tx.session, locks, journals, now=tx.now)
    turn = must_claim(begin, dead.id, 5)
    outcomes = [Accepted("a"), Refused("1", "no"), Throttled(3)]
    for part in turn.parts[:4]:
        dead.journal.wrote(turn.id, part.part_id)
    for part, outcome in zip(turn.parts, outcomes, strict=False):
        dead.journal.answered(turn.id, part.part_id, outcome)
    dead.journal.abandon()
    dead.held.release()
    assert _taken_over(begin, locks, journals) == 1
    assert states(begin, campaign) == {"submitted": 1, "rejected": 1, "unknown": 1, "queued": 3}
    begin.clock.advance(seconds=5)
    other = owner(begin)
    taken = {part.part_id for _ in range(2) for part in must_claim(begin, other).parts}
    assert taken & {part.part_id for part in turn.parts} == {turn.parts[2].part_id, turn.parts[4].part_id}
    receive(begin, receipt("a"))
    assert states(begin, campaign)["delivered"] == 1


def test_who_lost_its_lock_and_lives_is_not_believed(begin: Transactions, engine: Engine, tmp_path: Path) -> None:
    """It may be writing to the carrier at this moment: what its journal does not name yet may be gone the next."""
    campaign, _ = sending(begin, 3)
    locks, journals = locks_for(engine, tmp_path / "locks"), tmp_path / "journals"
    with begin() as tx:
        zombie = owners.register(tx.session, locks, journals, now=tx.now)
    turn = must_claim(begin, zombie.id)
    zombie.held.release()
    assert _taken_over(begin, locks, journals) == 3
    assert states(begin, campaign) == {"unknown": 3}
    record(begin, turn, [Accepted("a"), Accepted("b"), Accepted("c")])
    assert states(begin, campaign) == {"submitted": 3}


def test_the_dead_of_another_machine_are_left_to_it(begin: Transactions, engine: Engine, tmp_path: Path) -> None:
    campaign, _ = sending(begin, 3)
    locks = locks_for(engine, tmp_path / "locks")
    with begin() as tx:
        dead = owners.register(tx.session, locks, tmp_path / "there", now=tx.now)
        tx.session.get_one(Owner, dead.id).host = "another machine"
    must_claim(begin, dead.id)
    dead.held.release()
    asked: list[int] = []

    def is_left(there: Owner) -> bool:
        asked.append(there.id)
        return len(asked) > 2

    assert _taken_over(begin, locks, tmp_path / "here", is_left) == 3
    assert asked == [dead.id] * 3
    assert states(begin, campaign) == {"unknown": 3}


@pytest.mark.parametrize("child", ["", "if not os.fork(): time.sleep(30)"])
def test_a_process_that_is_killed_lets_go(
    begin: Transactions, engine: Engine, database_url: str, tmp_path: Path, child: str
) -> None:
    """Also when it has left a child behind, which inherits every open file."""
    mine = owner(begin)
    sending(begin, 2)
    must_claim(begin, mine)
    folder = tmp_path / "locks"
    command = [sys.executable, "-c", HOLD + child + PROMISE, database_url, str(folder), str(mine)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        locks = locks_for(engine, folder)
        with begin() as tx:
            assert reconcile.take_over(tx.session, locks, tmp_path / "journals", now=tx.now) == 0
        process.kill()
        process.wait()
        doubtful = _taken_over(begin, locks, tmp_path / "journals")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert doubtful == 2


def test_an_owner_with_an_open_turn_does_not_sign_off(begin: Transactions) -> None:
    sending(begin, 2)
    busy, idle = owner(begin), owner(begin)
    must_claim(begin, busy)
    with begin() as tx:
        owners.sign_off(tx.session, busy, now=tx.now)
        owners.sign_off(tx.session, idle, now=tx.now)
    assert [each.id for each in look(begin, owners.living)] == [busy]


def test_from_sending_to_closed(begin: Transactions) -> None:
    campaign, parts = sent(begin, 2)
    assert _sweep(begin) == [campaign]
    assert campaign_state(begin, campaign) == "sent"
    assert _sweep(begin) == []
    receive(begin, *(receipt(f"id-{part.part_id}") for part in parts))
    assert _sweep(begin) == [campaign]
    closed = look(begin, lambda s: s.get(Campaign, campaign))
    assert (closed.state, closed.closed_at) == ("closed", begin.clock.now)
    assert _sweep(begin) == []


def test_what_is_being_handed_over_keeps_it_open(begin: Transactions) -> None:
    campaign, _ = sending(begin, 1)
    turn = must_claim(begin, owner(begin))
    with begin() as tx:
        tx.session.execute(update(Batch).values(done=True))
    assert _sweep(begin) == []
    accept(begin, turn)
    assert _sweep(begin) == [campaign]


def test_the_deadline_and_the_receipt_that_comes_after_it(begin: Transactions) -> None:
    campaign, parts = sent(begin, 3, THREE_PARTS)
    receive(begin, *(receipt(f"id-{part.part_id}") for part in parts[:4]))
    receive(begin, receipt(f"id-{parts[4].part_id}", ReceiptState.IN_NETWORK))
    _sweep(begin)
    begin.clock.advance(minutes=59)
    assert _sweep(begin) == []
    begin.clock.advance(minutes=1)
    assert _sweep(begin) == [campaign]
    assert campaign_state(begin, campaign) == "closed"
    assert part_states(begin) == {"delivered": 4, "no_receipt": 5}
    assert states(begin, campaign) == {"delivered": 1, "no_receipt": 2}
    receive(begin, *(receipt(f"id-{part.part_id}") for part in parts[3:6]))
    receive(begin, receipt(f"id-{parts[6].part_id}", ReceiptState.FAILED))
    assert states(begin, campaign) == {"delivered": 2, "failed": 1}


def test_an_answer_has_a_deadline_too(begin: Transactions) -> None:
    sent(begin, 1)
    with begin() as tx:
        tx.session.execute(update(Message).values(campaign_id=None))
        tx.session.execute(delete(Tally))
    begin.clock.advance(hours=2)
    with begin() as tx:
        assert reconcile.expire(tx.session, HOUR, {}, now=tx.now) == 1
    assert states(begin, None) == {"no_receipt": 1}


def _overdue(begin: Transactions, parts: int) -> int:
    """A campaign, all receipts of which are overdue."""
    campaign, _ = sent(begin, parts)
    with begin() as tx:
        tx.session.execute(update(Part).values(submitted_at=tx.now - timedelta(hours=2)))
        tx.session.execute(update(Campaign).values(started_at=tx.now - timedelta(hours=2)))
    return campaign


def test_overdue_receipts_are_looked_for_now_and_then(begin: Transactions) -> None:
    """A look goes through all that a campaign has sent. Each of these goes to those before, too."""
    looked: dict[tuple[str, int | None], datetime] = {}

    def found() -> int:
        with begin() as tx:
            return reconcile.expire(tx.session, HOUR, looked, now=tx.now)

    first = _overdue(begin, 2)
    assert found() == 2
    assert looked["carrier", first] == begin.clock.now
    second = _overdue(begin, 1)
    looked["carrier", second] = begin.clock.now
    begin.clock.advance(seconds=30)
    assert found() == 0
    begin.clock.advance(seconds=10)
    assert found() == 3
    third = _overdue(begin, 1)
    # a clock that was set back
    looked["carrier", third] = begin.clock.now + timedelta(hours=1)
    assert found() == 4


def test_many_overdue_ones_are_moved_in_pieces(begin: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "OVERDUE", 2)
    _overdue(begin, 5)
    looked: dict[tuple[str, int | None], datetime] = {}
    for moved in (2, 2, 1, 0):
        with begin() as tx:
            assert reconcile.expire(tx.session, HOUR, looked, now=tx.now) == moved
    assert part_states(begin) == {"no_receipt": 5}


def test_doubt_holds_a_campaign_open_only_as_long_as_a_receipt_may_come(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    record(begin, must_claim(begin, owner(begin)), [OutcomeUnknown("?"), Accepted("a")])
    receive(begin, receipt("a"))
    with begin() as tx:
        tx.session.execute(update(Batch).values(done=True))
    assert _sweep(begin) == [campaign]
    begin.clock.advance(minutes=59)
    assert _sweep(begin) == []
    begin.clock.advance(minutes=2)
    assert _sweep(begin) == [campaign]
    assert states(begin, campaign) == {"delivered": 1, "unknown": 1}


def test_the_stranded_get_a_batch_again(begin: Transactions) -> None:
    campaign, _ = sending(begin, 5)
    mine = owner(begin)
    accept(begin, must_claim(begin, mine, 2))
    with begin() as tx:
        tx.session.execute(delete(Batch))
    assert _sweep(begin) == []
    accept(begin, must_claim(begin, mine))
    assert states(begin, campaign) == {"submitted": 5}


def test_hints_for_what_is_due(begin: Transactions) -> None:
    going, _ = sending(begin, 2)
    paused, _ = sending(begin, 2, gateway="other")
    with begin() as tx:
        control.pause(tx.session, OPERATOR, tx.session.get_one(Campaign, paused), now=tx.now)
    begin.wakes.clear()

    def hinted() -> list[str]:
        with begin() as tx:
            reconcile.wake_forgotten(tx.session, now=tx.now)
        queues = [wake.queue for wake in begin.wakes]
        begin.wakes.clear()
        return queues

    assert hinted() == ["submit.carrier"]
    with begin() as tx:
        tx.session.execute(update(Batch).values(not_before=tx.now + timedelta(seconds=5)))
    assert hinted() == []
    begin.clock.advance(seconds=5)
    assert hinted() == ["submit.carrier"]
    with begin() as tx:
        control.abort(tx.session, OPERATOR, tx.session.get_one(Campaign, going), now=tx.now)
    assert hinted() == []


@pytest.mark.parametrize("taken", [0, 4])
def test_abort_in_figures(begin: Transactions, taken: int) -> None:
    campaign, _ = sending(begin, 10)
    mine = owner(begin)
    if taken:
        accept(begin, must_claim(begin, mine, taken))
        must_claim(begin, mine, 3)
    with begin() as tx:
        stopped = control.abort(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), now=tx.now)
    expected = ("aborted", 3, 3) if taken else ("cancelled", 0, 10)
    assert (stopped.state, stopped.in_flight, stopped.cancelled) == expected
    left = {"submitted": 4, "submitting": 3, "cancelled": 3} if taken else {"cancelled": 10}
    assert states(begin, campaign) == left


def test_an_aborted_campaign_closes_when_its_receipts_are_in(begin: Transactions) -> None:
    campaign, _ = sending(begin, 4)
    mine = owner(begin)
    turn = must_claim(begin, mine, 2)
    accept(begin, turn)
    with begin() as tx:
        control.abort(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), now=tx.now)
    assert _sweep(begin) == []
    receive(begin, *(receipt(f"id-{part.part_id}") for part in turn.parts))
    assert _sweep(begin) == [campaign]
    assert campaign_state(begin, campaign) == "aborted"
    assert look(begin, lambda s: s.get(Campaign, campaign)).closed_at == begin.clock.now


def test_the_row_of_a_buried_owner_stays(begin: Transactions) -> None:
    mine = owner(begin)
    with begin() as tx:
        owners.bury(tx.session, mine, None, now=tx.now)
    assert look(begin, lambda s: s.get(Owner, mine)).ended_at == begin.clock.now
