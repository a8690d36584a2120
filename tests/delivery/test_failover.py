"""What waits at a gateway that fails goes on by the next one; what may have left does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import control, failover, leases
from broadcaster.delivery.models import Batch, Lease, Message, Outage
from broadcaster.delivery.pieces import Sender
from broadcaster.delivery.reconcile import finish
from broadcaster.gateways.contract import Accepted, OutcomeUnknown, Throttled, Unreachable
from subscribers.actor import OPERATOR
from tests import tallies
from tests.databases import Transactions
from tests.delivery.ledger import (
    CAN,
    THREE_PARTS,
    accept,
    claim,
    living,
    locks_of,
    look,
    must_claim,
    owner,
    part_states,
    record,
    sending,
    states,
)

ROUTE = Route("carrier", then=("other",))
OTHER = Sender("other", "10690000", CAN, rehearses=False)
AFTER = timedelta(minutes=2)


def sweep(begin: Transactions, route: Route = ROUTE) -> int:
    with begin() as tx:
        outages = failover.watch(tx.session, locks_of(begin), now=tx.now)
        return failover.move_on(tx.session, lambda _: route, outages, after=AFTER, now=tx.now)


def nobody_sends(begin: Transactions) -> None:
    with begin() as tx:
        tx.session.execute(delete(Lease))


def fail(begin: Transactions, route: Route = ROUTE) -> int:
    """Nobody sends for it, for longer than it is waited for."""
    begin.clock.advance(seconds=6)
    assert sweep(begin, route) == 0
    begin.clock.advance(minutes=3)
    return sweep(begin, route)


def gateways(begin: Transactions, campaign: int) -> dict[str | None, int]:
    query = select(Message.gateway, func.count()).where(Message.campaign_id == campaign).group_by(Message.gateway)
    with begin() as tx:
        return dict(tx.session.execute(query).all())


def figures_are_true(begin: Transactions) -> None:
    """What is kept is what can be counted."""
    assert look(begin, tallies.wrong) == []


def test_what_waits_goes_on_by_the_next_one(begin: Transactions) -> None:
    campaign, _ = sending(begin, 3)
    assert fail(begin) == 3
    assert gateways(begin, campaign) == {"other": 3}
    assert claim(begin, owner(begin)) is None
    turn = must_claim(begin, owner(begin), sender=OTHER)
    assert len(turn.parts) == 3
    accept(begin, turn)
    assert states(begin, campaign) == {"submitted": 3}
    figures_are_true(begin)
    with begin() as tx:
        finish(tx.session, {}, now=tx.now)
        found = tx.session.get_one(Campaign, campaign)
        assert found.state == "sent"
        assert found.note == failover.NOTE
        assert found.note_fields == {"gateway": "carrier", "other": "other"}


def test_it_is_waited_for(begin: Transactions) -> None:
    """One that is back in time keeps what is its own."""
    campaign, _ = sending(begin, 3)
    begin.clock.advance(seconds=6)
    sweep(begin)
    begin.clock.advance(seconds=100)
    assert sweep(begin) == 0
    with living(begin) as mine:
        with begin() as tx:
            leases.bound(tx.session, "carrier", mine, now=tx.now)
        assert sweep(begin) == 0
        assert look(begin, lambda session: session.scalar(select(func.count()).select_from(Outage))) == 0
    begin.clock.advance(seconds=60)
    assert sweep(begin) == 0
    assert gateways(begin, campaign) == {"carrier": 3}


@pytest.mark.parametrize("route", [Route("carrier"), Route("carrier", {"unicom": "other"})])
def test_where_there_is_no_next_one_it_waits(begin: Transactions, route: Route) -> None:
    campaign, _ = sending(begin, 2)
    assert fail(begin, route) == 0
    assert gateways(begin, campaign) == {"carrier": 2}
    assert must_claim(begin, owner(begin)).parts


def test_what_is_in_doubt_never_moves(begin: Transactions) -> None:
    campaign, _ = sending(begin, 3)
    mine = owner(begin)
    turn = must_claim(begin, mine, 1)
    record(begin, turn, [OutcomeUnknown("?")])
    nobody_sends(begin)
    assert fail(begin) == 2
    assert states(begin, campaign) == {"unknown": 1, "queued": 2}
    assert gateways(begin, campaign) == {"carrier": 1, "other": 2}
    assert len(must_claim(begin, mine, sender=OTHER).parts) == 2
    figures_are_true(begin)


def test_what_was_certainly_not_taken_is_written_anew(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    mine = owner(begin)
    turn = must_claim(begin, mine)
    record(begin, turn, [Unreachable("no route"), Throttled(1)])
    nobody_sends(begin)
    assert fail(begin) == 2
    again = must_claim(begin, mine, sender=OTHER)
    assert [part.text for part in again.parts] == [part.text for part in turn.parts]
    assert not {part.part_id for part in again.parts} & {part.part_id for part in turn.parts}
    accept(begin, again)
    assert states(begin, campaign) == {"submitted": 2}
    assert part_states(begin) == {"cancelled": 2, "submitted": 2}
    figures_are_true(begin)


def test_the_rest_of_a_text_stays_where_its_first_part_has_left(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2, THREE_PARTS)
    mine = owner(begin)
    turn = must_claim(begin, mine, 3)
    assert len(turn.parts) == 3
    record(begin, turn, [Accepted("x"), Unreachable("no route"), Unreachable("no route")])
    nobody_sends(begin)
    assert fail(begin) == 1
    assert gateways(begin, campaign) == {"carrier": 1, "other": 1}
    # nor does the next sweep, or any other
    assert sweep(begin) == 0
    begin.clock.advance(minutes=3)
    rest = must_claim(begin, mine)
    assert [part.number for part in rest.parts] == [part.number for part in turn.parts[1:]]
    figures_are_true(begin)


def test_what_two_batches_cover_moves_once(begin: Transactions) -> None:
    """What a carrier puts off gets a batch from its first to its last message, whatever lies between."""
    campaign, _ = sending(begin, 4)
    with begin() as tx:
        there = tx.session.scalars(select(Batch)).one()
        tx.session.add(
            Batch(campaign_id=campaign, gateway="carrier", lane=there.lane, low=1, high=there.high, cursor=1)
        )
    assert fail(begin) == 4
    assert gateways(begin, campaign) == {"other": 4}
    figures_are_true(begin)


def test_a_large_campaign_moves_in_pieces(begin: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "AT_ONCE", 4)
    campaign, _ = sending(begin, 10)
    assert fail(begin) == 4
    assert sweep(begin) == 4
    assert sweep(begin) == 2
    assert sweep(begin) == 0
    assert gateways(begin, campaign) == {"other": 10}
    mine = owner(begin)
    sent = []
    while (turn := claim(begin, mine, sender=OTHER)) is not None:
        sent += turn.parts
        accept(begin, turn)
    assert len({part.msisdn for part in sent}) == len(sent) == 10
    figures_are_true(begin)


def test_when_the_other_one_fails_too_it_goes_back_to_one_that_does_not(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    assert fail(begin) == 2
    begin.clock.advance(seconds=1)
    # nobody sends for the other either
    assert sweep(begin) == 0
    begin.clock.advance(minutes=3)
    assert sweep(begin) == 2
    assert gateways(begin, campaign) == {"carrier": 2}


def test_paused_ones_and_answers_stay(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    begin.clock.advance(seconds=6)
    sweep(begin)
    with begin() as tx:
        control.pause(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), now=tx.now)
        tx.session.add(Batch(gateway="carrier", lane=0, low=1, high=1, cursor=1))
    begin.clock.advance(minutes=3)
    assert sweep(begin) == 0
    assert gateways(begin, campaign) == {"carrier": 2}
