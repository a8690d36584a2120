"""A campaign starts once, at its time, with the right number typed, and if nothing stands against it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from broadcaster.campaigns import schedule
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import control
from subscribers import lists
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied, Invalid
from subscribers.models import Member
from tests.databases import Transactions
from tests.delivery.ledger import ROUTE, WAYS, ZONE, campaign_state, draft, look, sending
from tests.factories import make_members


def _draft(begin: Transactions, text: str = "{{ name }}", rule: str = "everyone", count: int = 3) -> int:
    with begin() as tx:
        make_members(tx.session, count, fields={"seat": "A1"})
        return draft(tx.session, text, rule).id


def _start(begin: Transactions, campaign: int, typed: int, actor: Actor = OPERATOR) -> None:
    with begin() as tx:
        row = tx.session.get_one(Campaign, campaign)
        schedule.start(tx.session, actor, row, typed, ROUTE, WAYS, zone=ZONE, now=tx.now)


def _plan(begin: Transactions, campaign: int, at: datetime) -> None:
    with begin() as tx:
        row = tx.session.get_one(Campaign, campaign)
        schedule.schedule(tx.session, OPERATOR, row, at, ROUTE, WAYS, zone=ZONE, now=tx.now)


def _tick(begin: Transactions) -> int:
    with begin() as tx:
        due = schedule.claim_due(tx.session, now=tx.now)
        for campaign in due:
            schedule.start_due(tx.session, campaign, ROUTE, WAYS, zone=ZONE, now=tx.now)
        return len(due)


def test_the_right_number_starts_it(begin: Transactions) -> None:
    campaign = _draft(begin)
    for wrong in (0, 2, 4):
        with pytest.raises(Conflict):
            _start(begin, campaign, wrong)
    assert campaign_state(begin, campaign) == "draft"
    _start(begin, campaign, 3)
    row = look(begin, lambda s: s.get(Campaign, campaign))
    assert (row.state, row.started_by, row.started_at) == ("preparing", "operator", begin.clock.now)
    assert row.tariffs == {"carrier": ["0", "CNY", "parts"]}
    assert [(wake.queue, wake.ids) for wake in begin.wakes] == [(schedule.PREPARE, (campaign,))]


@pytest.mark.parametrize("stop", [None, control.pause, control.abort])
def test_what_has_been_started_is_not_started_again(begin: Transactions, stop: object) -> None:
    campaign, _ = sending(begin, 3)
    if stop is not None:
        with begin() as tx:
            stop(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), now=tx.now)  # type: ignore[operator]
    before = campaign_state(begin, campaign)
    with pytest.raises(Conflict):
        _start(begin, campaign, 3)
    assert campaign_state(begin, campaign) == before


def test_only_who_may_send_starts_it(begin: Transactions) -> None:
    campaign = _draft(begin)
    with pytest.raises(Denied):
        _start(begin, campaign, 3, Actor("editor", frozenset({Right.SEE, Right.EDIT})))


def test_what_stands_against_it(begin: Transactions) -> None:
    campaign = _draft(begin, "{{ name }}{{ seat }}")
    with begin() as tx:
        tx.session.execute(update(Member).values(fields={}))
    with pytest.raises(Conflict, match="seat"):
        _start(begin, campaign, 3)
    empty = _draft(begin, rule="retired", count=1)
    with pytest.raises(Conflict):
        _start(begin, empty, 0)


def test_by_itself_at_its_time(begin: Transactions) -> None:
    campaign = _draft(begin)
    with pytest.raises(Invalid):
        _plan(begin, campaign, begin.clock.now)
    _plan(begin, campaign, begin.clock.now + timedelta(hours=1))
    assert _tick(begin) == 0
    begin.clock.advance(minutes=59, seconds=59)
    assert _tick(begin) == 0
    begin.clock.advance(seconds=1)
    assert _tick(begin) == 1
    assert campaign_state(begin, campaign) == "preparing"
    assert _tick(begin) == 0


def test_too_late_is_missed_and_not_sent_stale(begin: Transactions) -> None:
    campaign = _draft(begin)
    _plan(begin, campaign, begin.clock.now + timedelta(hours=1))
    begin.clock.advance(hours=1, seconds=schedule.LATEST.total_seconds() + 1)
    assert _tick(begin) == 1
    assert campaign_state(begin, campaign) == CampaignState.MISSED
    # a person may still decide to send it
    _start(begin, campaign, 3)


@pytest.mark.parametrize("trouble", ["blocked", "impossible"])
def test_one_that_cannot_start_says_why_and_lets_the_next_one(begin: Transactions, trouble: str) -> None:
    with begin() as tx:
        readers = [reader.id for reader in make_members(tx.session, 3, fields={"seat": "A1"})]
        lists.save_list(tx.session, OPERATOR, "readers", ids=readers, now=tx.now)
    broken = _draft(begin, "{{ name }}{{ seat }}", "list(readers)")
    good = _draft(begin, "{{ name }}")
    for campaign in (broken, good):
        _plan(begin, campaign, begin.clock.now + timedelta(hours=1))
    with begin() as tx:
        if trouble == "blocked":
            tx.session.execute(update(Member).values(fields={}))
        else:
            lists.remove_list(tx.session, OPERATOR, "readers", now=tx.now)
    begin.clock.advance(hours=1)
    assert _tick(begin) == 2
    assert (campaign_state(begin, broken), campaign_state(begin, good)) == ("cancelled", "preparing")
    row = look(begin, lambda s: s.get(Campaign, broken))
    assert ("seat" if trouble == "blocked" else "no list #") in row.note.format(**row.note_fields)
