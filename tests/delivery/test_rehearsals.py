"""What was confirmed as a rehearsal never reaches a phone, whatever its gateway has become since."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from broadcaster.campaigns import schedule
from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.check import Way
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.rehearsals import is_held_back
from broadcaster.delivery import again, control, failover, press
from broadcaster.delivery.batches import CannotGoOn
from broadcaster.delivery.journal import Journal
from broadcaster.delivery.owners import Ownership
from broadcaster.gateways.contract import Accepted, OutcomeUnknown
from broadcaster.gateways.events import ReceiptState
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict
from tests.databases import Transactions
from tests.delivery.ledger import (
    ROUTE,
    SENDER,
    WAYS,
    ZONE,
    accept,
    begin_sending,
    campaign_state,
    claim,
    draft,
    look,
    must_claim,
    owner,
    receipt,
    receive,
    record,
    states,
)
from tests.delivery.scripted import Lock, ScriptedGateway, press_for
from tests.factories import make_members

REHEARSING = {name: replace(way, rehearses=True) for name, way in WAYS.items()}
ONLY_THE_FIRST = REHEARSING | {"other": WAYS["other"]}
REHEARSER = replace(SENDER, rehearses=True)
HELD = "was confirmed as a rehearsal, when nothing reached a phone. carrier is no gateway for rehearsing any more"


@pytest.fixture
def me(begin: Transactions, tmp_path: Path) -> Ownership:
    id_ = owner(begin)
    return Ownership(id_, os.getpid(), Lock(), Journal(tmp_path / "mine", "token", slots=64))


def rehearsal(begin: Transactions, count: int = 5, route: Route = ROUTE, ways: dict[str, Way] = REHEARSING) -> int:
    with begin() as tx:
        make_members(tx.session, count)
        campaign = draft(tx.session)
        begin_sending(tx.session, campaign, route, now=tx.now, ways=ways)
        return campaign.id


def act(begin: Transactions, campaign: int, what: Callable[..., object], *given: object) -> None:
    with begin() as tx:
        what(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), *given, now=tx.now)


def note(begin: Transactions, campaign: int) -> str:
    row = look(begin, lambda s: s.get_one(Campaign, campaign))
    return str(row.note).format(**row.note_fields)


def test_a_gateway_that_has_become_a_real_one_takes_nothing_of_it(begin: Transactions, me: Ownership) -> None:
    campaign = rehearsal(begin)
    mine = owner(begin)
    accept(begin, must_claim(begin, mine, 2, sender=REHEARSER))
    with pytest.raises(CannotGoOn):
        claim(begin, mine)
    now_real = ScriptedGateway()
    assert not now_real.rehearses
    assert not press.run(press_for(begin, me, now_real))
    assert now_real.handed == []
    assert campaign_state(begin, campaign) == "failed"
    assert HELD in note(begin, campaign)
    assert states(begin, campaign) == {"submitted": 2, "queued": 3}
    with pytest.raises(Conflict, match=HELD) as refused:
        act(begin, campaign, control.resume, WAYS)
    assert "campaigns abort {id}" in refused.value.hint
    act(begin, campaign, control.abort)
    assert states(begin, campaign) == {"submitted": 2, "cancelled": 3}


def test_others_are_not_kept_waiting_by_it(begin: Transactions, me: Ownership) -> None:
    held = rehearsal(begin, 2)
    with begin() as tx:
        real = draft(tx.session)
        begin_sending(tx.session, real, now=tx.now)
        number = real.id
    now_real = ScriptedGateway()
    press.run(press_for(begin, me, now_real))
    assert len(now_real.handed) == 2
    assert states(begin, number) == {"submitted": 2}
    assert states(begin, held) == {"queued": 2}


@pytest.mark.parametrize("written_down", [True, False])
def test_a_paused_rehearsal_is_resumed_as_a_rehearsal_only(begin: Transactions, written_down: bool) -> None:
    campaign = rehearsal(begin)
    act(begin, campaign, control.pause)
    if not written_down:
        with begin() as tx:
            tx.session.get_one(Campaign, campaign).prepared_at = None
    for ways in (WAYS, {}, {"other": REHEARSING["other"]}):
        with pytest.raises(Conflict, match=HELD):
            act(begin, campaign, control.resume, ways)
        assert campaign_state(begin, campaign) == "paused"
    act(begin, campaign, control.resume, REHEARSING)
    assert campaign_state(begin, campaign) == ("sending" if written_down else "preparing")


def test_what_was_confirmed_for_real_goes_on(begin: Transactions) -> None:
    campaign = rehearsal(begin, ways=WAYS)
    mine = owner(begin)
    act(begin, campaign, control.pause)
    act(begin, campaign, control.resume, WAYS)
    assert len(must_claim(begin, mine).parts) == 5


def test_of_before_nobody_knows(begin: Transactions) -> None:
    """It is kept since then only; what was open on that day goes on."""
    campaign = rehearsal(begin)
    with begin() as tx:
        tx.session.get_one(Campaign, campaign).rehearsed = None
    act(begin, campaign, control.pause)
    act(begin, campaign, control.resume, WAYS)
    assert len(must_claim(begin, owner(begin)).parts) == 5


def test_it_is_not_sent_again_for_real(begin: Transactions) -> None:
    campaign = rehearsal(begin, 3)
    mine = owner(begin)
    turn = must_claim(begin, mine, sender=REHEARSER)
    taken = [Accepted(f"id-{part.part_id}") for part in turn.parts[:2]]
    record(begin, turn, [*taken, OutcomeUnknown("it died")])
    receive(begin, receipt(f"id-{turn.parts[0].part_id}", ReceiptState.FAILED))
    assert states(begin, campaign) == {"failed": 1, "submitted": 1, "unknown": 1}
    for what in (again.resend_failed, again.settle_by_resending):
        with pytest.raises(Conflict, match=HELD):
            act(begin, campaign, what, 1, WAYS)
    assert states(begin, campaign) == {"failed": 1, "submitted": 1, "unknown": 1}
    act(begin, campaign, again.settle_by_resending, 1, REHEARSING)
    assert states(begin, campaign) == {"failed": 1, "submitted": 1, "queued": 1}


def test_it_does_not_go_on_by_a_real_gateway_that_came_later(begin: Transactions) -> None:
    campaign = rehearsal(begin)
    owner(begin)
    with begin() as tx:
        later = Route("carrier", then=("other",))
        assert failover.move_on(tx.session, lambda _: later, {"carrier": tx.now}, after=timedelta(0), now=tx.now) == 5
    with pytest.raises(CannotGoOn):
        claim(begin, owner(begin), sender=replace(SENDER, gateway="other"))
    assert states(begin, campaign) == {"queued": 5}


def test_a_real_gateway_that_was_confirmed_beside_it_takes_its_own(begin: Transactions) -> None:
    route = Route("carrier", then=("other",))
    campaign = rehearsal(begin, route=route, ways=ONLY_THE_FIRST)
    assert look(begin, lambda s: s.get_one(Campaign, campaign).rehearsed) == {"carrier": True, "other": False}
    with begin() as tx:
        failover.move_on(tx.session, lambda _: route, {"carrier": tx.now}, after=timedelta(0), now=tx.now)
    turn = claim(begin, owner(begin), sender=replace(SENDER, gateway="other"))
    assert turn is not None
    assert len(turn.parts) == 5


@pytest.mark.parametrize(
    ("kept", "gateway", "held"),
    [
        (None, "a", False),
        ({"a": True}, "a", True),
        ({"a": False}, "a", False),
        ({"a": True}, "new", True),
        ({"a": True, "b": False}, "a", True),
        ({"a": True, "b": False}, "b", False),
        ({"a": True, "b": False}, "new", False),
    ],
)
def test_by_which_gateway(kept: dict[str, bool] | None, gateway: str, held: bool) -> None:
    assert is_held_back(kept, gateway, rehearses=False) is held
    assert not is_held_back(kept, gateway, rehearses=True)


def due_as_a_rehearsal(begin: Transactions) -> int:
    """A campaign that was scheduled while nothing reached a phone, and is due now."""
    with begin() as tx:
        make_members(tx.session, 3)
        row = draft(tx.session)
        at = tx.now + timedelta(hours=1)
        schedule.schedule(tx.session, OPERATOR, row, at, ROUTE, REHEARSING, zone=ZONE, now=tx.now)
    begin.clock.advance(hours=1)
    return row.id


def test_scheduled_as_a_rehearsal_it_waits_for_somebody_who_means_it(begin: Transactions) -> None:
    campaign = due_as_a_rehearsal(begin)
    with begin() as tx:
        (due,) = schedule.claim_due(tx.session, now=tx.now)
        schedule.start_due(tx.session, due, ROUTE, WAYS, zone=ZONE, now=tx.now)
    assert campaign_state(begin, campaign) == "missed"
    assert HELD in note(begin, campaign)
    with begin() as tx:
        row = tx.session.get_one(Campaign, campaign)
        schedule.start(tx.session, OPERATOR, row, 3, ROUTE, WAYS, zone=ZONE, now=tx.now)
    assert campaign_state(begin, campaign) == "preparing"
    assert note(begin, campaign) == ""
    assert look(begin, lambda s: s.get_one(Campaign, campaign).rehearsed) == {"carrier": False}


def test_scheduled_as_a_rehearsal_it_is_rehearsed(begin: Transactions) -> None:
    due_as_a_rehearsal(begin)
    with begin() as tx:
        (due,) = schedule.claim_due(tx.session, now=tx.now)
        schedule.start_due(tx.session, due, ROUTE, REHEARSING, zone=ZONE, now=tx.now)
        assert due.state == "preparing"
