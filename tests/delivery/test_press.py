"""The loop: commit, hand over, record; whatever the gateway and the database do."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import control, owners, press, trial
from broadcaster.delivery.journal import Journal
from broadcaster.delivery.models import Turn
from broadcaster.delivery.owners import Ownership
from broadcaster.delivery.states import State
from broadcaster.delivery.throttle import Throttle
from broadcaster.gateways.contract import OutboundPart, Outcome, Throttled, Unreachable
from broadcaster.gateways.errors import Misconfigured
from broadcaster.sms import split
from subscribers.actor import OPERATOR
from subscribers.db import Tx
from subscribers.errors import Unavailable
from subscribers.models import Member
from tests.databases import Transactions
from tests.delivery.ledger import (
    THREE_PARTS,
    WAYS,
    begin_sending,
    campaign_state,
    draft,
    look,
    owner,
    part_states,
    sending,
    states,
)
from tests.delivery.scripted import Lock, ScriptedGateway, press_for, take_all
from tests.factories import make_members

Me = Callable[..., Ownership]


@pytest.fixture
def me(begin: Transactions, tmp_path: Path) -> Me:
    """Makes this process an owner."""

    def make(pid: int = 0) -> Ownership:
        id_ = owner(begin)
        return Ownership(id_, pid or os.getpid(), Lock(), Journal(tmp_path / str(id_), "token", slots=600))

    return make


def test_everything_due_is_handed_over_once(begin: Transactions, me: Me) -> None:
    campaign, _ = sending(begin, 20, THREE_PARTS)
    gateway = ScriptedGateway(window=7)
    assert not press.run(press_for(begin, me(), gateway))
    assert states(begin, campaign) == {"submitted": 20}
    assert set(Counter(part.part_id for part in gateway.handed).values()) == {1}


def test_the_limit_says_that_there_may_be_more(begin: Transactions, me: Me) -> None:
    sending(begin, 6)
    gateway = ScriptedGateway(window=2)
    mine = press_for(begin, me(), gateway)
    assert press.run(mine, limit=2)
    assert len(gateway.handed) == 4
    assert not press.run(mine, limit=2)


def test_it_is_committed_before_the_first_byte_and_no_transaction_is_open(begin: Transactions, me: Me) -> None:
    campaign, _ = sending(begin, 3)
    seen: list[Any] = []

    def submit(parts: Sequence[OutboundPart]) -> list[Outcome]:
        # another connection sees the claim; on SQLite it could not even begin if a transaction were open
        seen.append((states(begin, campaign), len(look(begin, lambda s: s.scalars(select(Turn.id)).all()))))
        return take_all(parts)

    press.run(press_for(begin, me(), ScriptedGateway(submit)))
    assert seen == [({"submitting": 3}, 1)]


def test_a_gateway_that_a_person_must_mend_stops_its_campaigns(begin: Transactions, me: Me) -> None:
    """Nothing of it left; it waits, with the reason, and goes on once somebody has mended the gateway."""
    campaign, _ = sending(begin, 5)
    mended: list[bool] = []

    def submit(parts: Sequence[OutboundPart]) -> list[Outcome]:
        if not mended:
            raise Misconfigured("The password of {gateway} is wrong.", gateway="carrier")
        return take_all(parts)

    mine = press_for(begin, me(), ScriptedGateway(submit, window=2))
    assert not press.run(mine)
    assert campaign_state(begin, campaign) == "failed"
    assert states(begin, campaign) == {"queued": 5}
    reason = look(begin, lambda s: s.get_one(Campaign, campaign).note)
    assert reason == "The password of {gateway} is wrong."
    mended.append(True)
    with begin() as tx:
        control.resume(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), WAYS, now=tx.now)
    begin.clock.advance(seconds=5)
    press.run(mine)
    assert states(begin, campaign) == {"submitted": 5}


def test_an_answer_that_waits_for_a_person_is_told_in_the_log(begin: Transactions, me: Me) -> None:
    """No campaign can be stopped for it, so nobody would ever know why it does not leave."""

    def submit(parts: Sequence[OutboundPart]) -> list[Outcome]:
        raise Misconfigured("The password of {name} is wrong.", hint="Compare it with the sheet.", name="carrier")

    told: list[Misconfigured] = []
    mine = replace(press_for(begin, me(), ScriptedGateway(submit)), on_turned_away=told.append)
    with begin() as tx:
        queued = trial.queue(tx.session, OPERATOR, mine.sender, "+8619900000001", split("好"), now=tx.now)
    with capture_logs() as logged:
        press.run(mine, limit=1)
    assert [(line["log_level"], line["reason"], line["hint"]) for line in logged] == [
        ("error", "The password of carrier is wrong.", "Compare it with the sheet.")
    ]
    assert len(told) == 1
    with begin() as tx:
        assert trial.fate(tx.session, queued).state is State.QUEUED


@pytest.mark.parametrize("broken", ["raises", "too few", "too many"])
def test_a_gateway_that_breaks_its_contract_leaves_doubt(begin: Transactions, me: Me, broken: str) -> None:
    campaign, _ = sending(begin, 3)

    def submit(parts: Sequence[OutboundPart]) -> list[Outcome]:
        if broken == "raises":
            raise ZeroDivisionError
        return take_all(parts)[1:] if broken == "too few" else take_all(parts) * 2

    gateway = ScriptedGateway(submit)
    press.run(press_for(begin, me(), gateway))
    assert states(begin, campaign) == {"unknown": 3}
    assert len(gateway.handed) == 3


def test_the_outcomes_wait_for_the_database(begin: Transactions, me: Me) -> None:
    """It fails before the commit, then when its answer is lost: the outcome is written down once."""
    campaign, _ = sending(begin, 3)
    trouble = iter(["ok", "before", "after", "before"])
    slept: list[float] = []

    @contextlib.contextmanager
    def shaky() -> Iterator[Tx]:
        what = next(trouble, "ok")
        with begin() as tx:
            yield tx
            if what == "before":
                raise _lost()
        if what == "after":
            raise _lost()

    gateway = ScriptedGateway()
    press.run(press_for(shaky, me(), gateway, sleep=slept.append), limit=1)
    assert states(begin, campaign) == {"submitted": 3}
    assert len(gateway.handed) == 3
    assert slept.count(press.RECORD_PAUSE) == 3


@pytest.mark.parametrize("stands", [True, False])
def test_a_claim_whose_commit_was_not_confirmed_is_not_handed_over(begin: Transactions, me: Me, stands: bool) -> None:
    campaign, _ = sending(begin, 3)
    trouble = iter([True])

    @contextlib.contextmanager
    def shaky() -> Iterator[Tx]:
        lost = next(trouble, False)
        with begin() as tx:
            yield tx
            if lost and not stands:
                raise _lost()
        if lost:
            raise _lost()

    gateway = ScriptedGateway()
    mine = press_for(shaky, me(), gateway)
    with pytest.raises(OperationalError):
        press.run(mine)
    assert gateway.handed == []
    assert states(begin, campaign) == {"queued": 3}
    assert look(begin, lambda s: s.scalars(select(Turn.id)).all()) == []
    begin.clock.advance(seconds=5)
    press.run(mine)
    assert states(begin, campaign) == {"submitted": 3}
    assert len(gateway.handed) == 3


def test_who_was_taken_for_dead_claims_nothing(begin: Transactions, me: Me) -> None:
    campaign, _ = sending(begin, 3)
    dead = me()
    with begin() as tx:
        owners.end(tx.session, dead.id, now=tx.now)
    gateway = ScriptedGateway()
    with pytest.raises(Unavailable):
        press.run(press_for(begin, dead, gateway))
    other = me()
    other.held.release()
    with pytest.raises(Unavailable):
        press.run(press_for(begin, other, gateway))
    fork = me(os.getpid() + 1)
    with pytest.raises(Unavailable):
        press.run(press_for(begin, fork, gateway))
    assert gateway.handed == []
    assert states(begin, campaign) == {"queued": 3}


def test_one_campaign_that_cannot_be_printed_stops_only_itself(begin: Transactions, me: Me) -> None:
    with begin() as tx:
        members = make_members(tx.session, 2, fields={"seat": "A1"})
        broken = draft(tx.session, "{{ name }}：{{ seat }}")
        begin_sending(tx.session, broken)
        number = broken.id
        member = tx.session.get_one(Member, members[0].id)
        member.fields = {"seat": "x" * 5000}
    going, _ = sending(begin, 3)
    gateway = ScriptedGateway()
    press.run(press_for(begin, me(), gateway))
    assert campaign_state(begin, number) == "failed"
    assert states(begin, number) == {"queued": 2}
    assert states(begin, going)["submitted"] >= 3
    stopped = look(begin, lambda s: s.get(Campaign, number))
    assert "4000" in stopped.note.format(**stopped.note_fields)
    with begin() as tx:
        tx.session.get_one(Member, members[0].id).fields = {"seat": "A1"}
        control.resume(tx.session, OPERATOR, tx.session.get_one(Campaign, number), WAYS, now=tx.now)
    press.run(press_for(begin, me(), gateway))
    assert states(begin, number) == {"submitted": 2}


def test_the_connector_slows_as_a_whole(begin: Transactions, me: Me) -> None:
    campaign, _ = sending(begin, 4)
    throttle = Throttle(0)
    answers = iter([lambda parts: [Throttled(7)] * len(parts), take_all])
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        begin.clock.advance(seconds=seconds)

    gateway = ScriptedGateway(lambda parts: next(answers)(parts), window=2)
    press.run(press_for(begin, me(), gateway, throttle=throttle, sleep=sleep), limit=2)
    assert max(slept) == pytest.approx(7, abs=0.5)
    assert states(begin, campaign) == {"submitted": 2, "queued": 2}


def test_a_message_larger_than_the_rate_goes_in_steps(begin: Transactions, me: Me) -> None:
    sending(begin, 1, THREE_PARTS)
    now = [0.0]
    handed: list[tuple[float, int]] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def submit(parts: Sequence[OutboundPart]) -> list[Outcome]:
        handed.append((now[0], len(parts)))
        return take_all(parts)

    throttle = Throttle(1, clock=lambda: now[0])
    press.run(press_for(begin, me(), ScriptedGateway(submit), throttle=throttle, sleep=sleep))
    assert [n for _, n in handed] == [1, 1, 1]
    assert [b - a for (a, _), (b, _) in pairwise(handed)] == pytest.approx([1, 1])
    assert part_states(begin) == {"submitted": 3}


def test_an_end_between_claim_and_hand_over_leaves_no_doubt(begin: Transactions, me: Me) -> None:
    campaign, _ = sending(begin, 3)
    asked = iter([False, True, True])
    gateway = ScriptedGateway()
    press.run(press_for(begin, me(), gateway, stopping=lambda: next(asked, True)))
    assert gateway.handed == []
    assert states(begin, campaign) == {"queued": 3}


def test_a_message_that_has_begun_to_leave_is_finished(begin: Transactions, me: Me) -> None:
    """Otherwise an abort would leave half a message on a phone and call it not sent."""
    sending(begin, 2, THREE_PARTS)
    ending: list[bool] = []

    def submit(parts: Sequence[OutboundPart]) -> list[Outcome]:
        ending.append(True)
        return take_all(parts)

    # fast, and yet one part at a time
    gateway = ScriptedGateway(submit, window=1)
    press.run(press_for(begin, me(), gateway, stopping=lambda: bool(ending)))
    assert [part.number for part in gateway.handed] == [1, 2, 3]
    assert part_states(begin) == {"submitted": 3}


def test_pause_and_resume_fifty_times(begin: Transactions, me: Me) -> None:
    """Nobody is passed over, nobody gets two."""
    campaign, members = sending(begin, 80)

    def submit(parts: Sequence[OutboundPart]) -> list[Outcome]:
        # some are put back in the middle of all this
        return [Unreachable("x") if len(gateway.handed) % 11 == 0 else o for o in take_all(parts)]

    gateway = ScriptedGateway(submit, window=2)
    mine = press_for(begin, me(), gateway)
    for _ in range(50):
        press.run(mine, limit=1)
        with begin() as tx:
            row = tx.session.get_one(Campaign, campaign)
            assert control.pause(tx.session, OPERATOR, row, now=tx.now).in_flight == 0
        before = len(gateway.handed)
        press.run(mine)
        assert len(gateway.handed) == before
        with begin() as tx:
            control.resume(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), WAYS, now=tx.now)
        begin.clock.advance(seconds=1)
    begin.clock.advance(seconds=5)
    while press.run(mine, limit=100) or states(begin, campaign) != {"submitted": 80}:
        begin.clock.advance(seconds=5)
    accepted = look(begin, lambda s: s.execute(select(Turn.id)).all())
    assert accepted == []
    assert {part.msisdn for part in gateway.handed} == {m.msisdn for m in members}


def _lost() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))
