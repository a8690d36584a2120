"""The audience is written down once, whatever interrupts it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError

from broadcaster.campaigns import schedule
from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.check import check
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.schedule import PREPARE
from broadcaster.delivery import batches, control, preparing, reconcile, snapshot
from broadcaster.delivery.models import Batch, Message
from subscribers import lists
from subscribers.actor import OPERATOR
from subscribers.models import Number
from tests.databases import Transactions
from tests.delivery import ledger
from tests.delivery.ledger import (
    ROUTE,
    SENDER,
    WAYS,
    ZONE,
    accept,
    campaign_state,
    claim,
    draft,
    look,
    must_claim,
    owner,
    states,
)
from tests.factories import generated_msisdn, make_member, make_members

Act = Callable[..., control.Stopped]


class Killed(Exception):
    pass


def _start(begin: Transactions, rule: str = "everyone", route: Route = ROUTE) -> int:
    with begin() as tx:
        campaign = draft(tx.session, rule=rule)
        checked = check(tx.session, OPERATOR, campaign, route, WAYS, zone=ZONE, now=tx.now)
        schedule.start(tx.session, OPERATOR, campaign, checked.recipients, route, WAYS, zone=ZONE, now=tx.now)
        return campaign.id


def _prepare(begin: Transactions, campaign_id: int, *, killed: bool = False) -> bool:
    with begin() as tx:
        more = preparing.prepare(tx.session, campaign_id, lambda _: ROUTE, now=tx.now, piece=3)
        if killed:
            raise Killed
        return more


def test_a_snapshot_that_is_cut_off_goes_on_where_it_was(begin: Transactions) -> None:
    shared = generated_msisdn()
    with begin() as tx:
        # the same handset in the first piece and in a later one
        make_member(tx.session, msisdn=shared)
        make_members(tx.session, 7)
        make_member(tx.session, msisdn=shared)
        make_member(tx.session, subscribed=False)
    campaign = _start(begin)
    more, step = True, 0
    while more:
        step += 1
        if step % 2:
            with pytest.raises(Killed):
                _prepare(begin, campaign, killed=True)
        else:
            more = _prepare(begin, campaign)
    assert campaign_state(begin, campaign) == "sending"
    assert states(begin, campaign) == {"queued": 8, "skipped": 2}
    reasons = look(begin, lambda s: s.scalars(select(Message.reason).where(Message.reason.is_not(None))).all())
    assert sorted(reasons) == ["duplicate_handset", "opted_out"]
    assert not _prepare(begin, campaign)
    assert states(begin, campaign) == {"queued": 8, "skipped": 2}


def test_a_number_that_changes_hands_meanwhile_gets_one_copy(begin: Transactions) -> None:
    number = generated_msisdn()
    with begin() as tx:
        first = make_member(tx.session, msisdn=number)
        make_members(tx.session, 7)
        heir = make_member(tx.session, msisdn=generated_msisdn())
    campaign = _start(begin)
    assert _prepare(begin, campaign)
    with begin() as tx:
        # nothing says that it is shared, and by now it is not
        tx.session.execute(update(Number).where(Number.member_id == first.id).values(msisdn=generated_msisdn()))
        tx.session.execute(update(Number).where(Number.member_id == heir.id).values(msisdn=number))
    while _prepare(begin, campaign):
        pass
    assert states(begin, campaign) == {"queued": 8, "skipped": 1}
    skipped = select(Message.member_id, Message.reason).where(Message.msisdn.is_(None))
    assert look(begin, lambda s: s.execute(skipped).all()) == [(heir.id, "duplicate_handset")]


def test_who_comes_or_goes_after_the_start_changes_nothing(begin: Transactions) -> None:
    with begin() as tx:
        make_members(tx.session, 5)
    campaign = _start(begin)
    _prepare(begin, campaign)
    with begin() as tx:
        make_members(tx.session, 2, joined_on=tx.now.date().replace(day=30))
        # on the list today, but not yet when the number of recipients was typed
        make_members(tx.session, 2)
    while _prepare(begin, campaign):
        pass
    assert states(begin, campaign) == {"queued": 5}


def test_batches_hold_one_gateway_and_a_bearable_number(begin: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "BATCH", 4)
    with begin() as tx:
        make_members(tx.session, 6, operator="mobile")
        make_members(tx.session, 5, operator="unicom")
    route = Route("carrier", {"unicom": "other"})
    with begin() as tx:
        campaign = draft(tx.session)
        ledger.begin_sending(tx.session, campaign, route)
        number = campaign.id
    rows = look(begin, lambda s: s.scalars(select(Batch).order_by(Batch.gateway, Batch.low)).all())
    assert [(b.gateway, b.high - b.low + 1, b.cursor == b.low) for b in rows] == [
        ("carrier", 4, True),
        ("carrier", 2, True),
        ("other", 4, True),
        ("other", 1, True),
    ]
    assert states(begin, number) == {"queued": 11}


def test_a_list_that_is_gone_stops_one_campaign_with_the_reason(begin: Transactions) -> None:
    with begin() as tx:
        readers = [reader.id for reader in make_members(tx.session, 2)]
        lists.save_list(tx.session, OPERATOR, "readers", ids=readers, now=tx.now)
    campaign = _start(begin, "list(readers)")
    with begin() as tx:
        lists.remove_list(tx.session, OPERATOR, "readers", now=tx.now)
    assert not _prepare(begin, campaign)
    stopped = look(begin, lambda s: s.get(Campaign, campaign))
    assert stopped.state == "failed"
    assert "no list #" in stopped.note.format(**stopped.note_fields)


def test_what_is_written_down_is_sent_while_the_rest_is_written(begin: Transactions) -> None:
    with begin() as tx:
        make_members(tx.session, 8)
    campaign = _start(begin)
    mine = owner(begin)
    assert claim(begin, mine) is None
    sent_to: list[str] = []
    for _ in range(3):
        assert _prepare(begin, campaign)
        assert campaign_state(begin, campaign) == "sending"
        turn = must_claim(begin, mine)
        accept(begin, turn)
        sent_to += [part.msisdn for part in turn.parts]
        # nothing of it waits at this moment, and it is not over all the same
        with begin() as tx:
            assert reconcile.finish(tx.session, {"carrier": timedelta(hours=1)}, now=tx.now) == []
    assert (len(sent_to), len(set(sent_to))) == (8, 8)
    assert not _prepare(begin, campaign)
    with begin() as tx:
        assert reconcile.finish(tx.session, {"carrier": timedelta(hours=1)}, now=tx.now) == [campaign]
    assert campaign_state(begin, campaign) == "sent"


def test_a_forgotten_snapshot_is_hinted_at_until_it_is_whole(begin: Transactions) -> None:
    with begin() as tx:
        make_members(tx.session, 4)
    campaign = _start(begin)
    more = True
    while more:
        begin.wakes.clear()
        with begin() as tx:
            reconcile.wake_forgotten(tx.session, now=tx.now)
        assert [wake.ids for wake in begin.wakes if wake.queue == PREPARE] == [(campaign,)]
        more = _prepare(begin, campaign)
    begin.wakes.clear()
    with begin() as tx:
        reconcile.wake_forgotten(tx.session, now=tx.now)
    assert [wake.queue for wake in begin.wakes] == ["submit.carrier"]


def test_a_pause_stops_the_snapshot_and_the_claims_where_they_are(begin: Transactions) -> None:
    with begin() as tx:
        make_members(tx.session, 8)
    campaign = _start(begin)
    mine = owner(begin)
    assert _prepare(begin, campaign)
    with begin() as tx:
        control.pause(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), now=tx.now)
    assert not _prepare(begin, campaign)
    assert claim(begin, mine) is None
    assert states(begin, campaign) == {"queued": 3}
    with begin() as tx:
        control.resume(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), WAYS, now=tx.now)
    while _prepare(begin, campaign):
        pass
    while (turn := claim(begin, mine)) is not None:
        accept(begin, turn)
    assert states(begin, campaign) == {"submitted": 8}


def test_who_was_not_written_down_before_the_abort_never_is(begin: Transactions) -> None:
    with begin() as tx:
        make_members(tx.session, 8)
    campaign = _start(begin)
    mine = owner(begin)
    assert _prepare(begin, campaign)
    accept(begin, must_claim(begin, mine, 1))
    with begin() as tx:
        control.abort(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), now=tx.now)
    assert not _prepare(begin, campaign)
    assert claim(begin, mine) is None
    assert (campaign_state(begin, campaign), states(begin, campaign)) == ("aborted", {"submitted": 1, "cancelled": 2})


@pytest.mark.postgresql
def test_claims_do_not_wait_for_a_piece_nor_it_for_them(begin: Transactions) -> None:
    if begin.engine.dialect.name == "sqlite":
        pytest.skip("on SQLite whoever writes is alone")
    with begin() as tx:
        make_members(tx.session, 8)
    campaign = _start(begin)
    first, second = owner(begin), owner(begin)
    assert _prepare(begin, campaign)
    with begin() as piece:
        assert preparing.prepare(piece.session, campaign, lambda _: ROUTE, now=piece.now, piece=3)
        assert len(must_claim(begin, first, 1).parts) == 1
        # another one who writes it down leaves it to us
        assert not _prepare(begin, campaign)
    with begin() as tx:
        assert batches.claim(tx.session, second, SENDER, parts=1, up_to=Lane.BULK, now=tx.now)
        assert _prepare(begin, campaign)
    assert states(begin, campaign) == {"queued": 6, "submitting": 2}


@pytest.mark.postgresql
@pytest.mark.parametrize("act", [control.pause, control.abort])
def test_a_person_who_stops_it_waits_for_the_claim_that_is_under_way(begin: Transactions, act: Act) -> None:
    if begin.engine.dialect.name == "sqlite":
        pytest.skip("on SQLite whoever writes is alone")
    with begin() as tx:
        make_members(tx.session, 8)
    campaign = _start(begin)
    mine = owner(begin)
    assert _prepare(begin, campaign)
    with begin() as tx:
        assert batches.claim(tx.session, mine, SENDER, parts=1, up_to=Lane.BULK, now=tx.now)
        with pytest.raises(OperationalError), begin() as person:
            person.session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            act(person.session, OPERATOR, person.session.get_one(Campaign, campaign), now=person.now)
