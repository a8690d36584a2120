"""The audience is written down once, whatever interrupts it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from broadcaster.campaigns import schedule
from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.check import check
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import preparing, snapshot
from broadcaster.delivery.models import Batch, Message
from subscribers import lists
from subscribers.actor import OPERATOR
from tests.databases import Transactions
from tests.delivery import ledger
from tests.delivery.ledger import ROUTE, WAYS, ZONE, campaign_state, draft, look, states
from tests.factories import generated_msisdn, make_member, make_members


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


def test_who_comes_or_goes_after_the_start_changes_nothing(begin: Transactions) -> None:
    with begin() as tx:
        make_members(tx.session, 5)
    campaign = _start(begin)
    _prepare(begin, campaign)
    with begin() as tx:
        make_members(tx.session, 2, joined_on=tx.now.date().replace(day=30))
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
