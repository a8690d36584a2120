"""Why nothing of a campaign leaves, in words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import update

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import control, leases
from broadcaster.delivery.models import Batch
from broadcaster.delivery.obstacles import obstacles
from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.gateways.smpp.road import refused
from broadcaster.language import retold, retold_hint, set_language
from subscribers.actor import OPERATOR
from tests.databases import Transactions
from tests.delivery.ledger import accept, living, locks_of, must_claim, owner, sending

GATEWAY = "carrier"


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)


def told(begin: Transactions, campaign: int) -> list[tuple[str, str]]:
    with begin() as tx:
        return [
            (retold(each.trouble), retold_hint(each.trouble))
            for each in obstacles(tx.session, locks_of(begin), campaign, now=tx.now)
        ]


def wrong_password(begin: Transactions, holder: int) -> None:
    config = SmppConfig(kind="smpp", host="smpp.carrier.example", port=2775, system_id="paper")
    with begin() as tx:
        leases.unbound(tx.session, GATEWAY, holder, refused(GATEWAY, config, 0x0E), now=tx.now)


NOBODY = ("Gateway carrier: nobody sends for it.", "`broadsheet up` does, or `broadsheet gateways run carrier`.")


def test_nobody_sends(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    # a sender has a moment to look up
    assert told(begin, campaign) == []
    begin.clock.advance(seconds=6)
    assert told(begin, campaign) == [NOBODY]


def test_a_wrong_password_is_told_with_what_to_do_in_any_language(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    begin.clock.advance(seconds=6)
    with living(begin) as mine:
        wrong_password(begin, mine)
        assert told(begin, campaign) == [
            (
                "Gateway carrier: the carrier says that the password is wrong (0x0000000E).",
                "Compare `password` with what the carrier gave; too many tries may lock the account.",
            )
        ]
        set_language("zh")
        [(sentence, hint)] = told(begin, campaign)
    assert "密码" in sentence
    assert "password" in hint
    assert not sentence.isascii()
    assert not hint.isascii()


def test_one_connection_of_two_that_stands_is_enough(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    begin.clock.advance(seconds=6)
    with living(begin) as shut_out, living(begin) as bound:
        wrong_password(begin, shut_out)
        assert told(begin, campaign) == []
        with begin() as tx:
            leases.bound(tx.session, GATEWAY, bound, now=tx.now)
        assert told(begin, campaign) == []


def test_whoever_is_dead_sends_for_nobody_whatever_was_written_of_its_connection(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    begin.clock.advance(seconds=6)
    with living(begin) as mine:
        with begin() as tx:
            leases.bound(tx.session, GATEWAY, mine, now=tx.now)
        # all of it: no batch is open, and what it had in hand is in its hand still
        must_claim(begin, mine)
        assert told(begin, campaign) == []
    assert told(begin, campaign) == [NOBODY]


def test_what_was_wrong_long_ago_is_not_told(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    with living(begin) as mine:
        wrong_password(begin, mine)
        begin.clock.advance(minutes=3)
        assert told(begin, campaign) == []


def test_nothing_is_in_the_way_of_what_does_not_go_or_is_out(begin: Transactions) -> None:
    paused, _ = sending(begin, 2)
    with begin() as tx:
        control.pause(tx.session, OPERATOR, tx.session.get_one(Campaign, paused), now=tx.now)
    out, _ = sending(begin, 2)
    mine = owner(begin)
    accept(begin, must_claim(begin, mine))
    with begin() as tx:
        tx.session.execute(update(Batch).values(done=True))
    wrong_password(begin, mine)
    begin.clock.advance(seconds=6)
    assert told(begin, paused) == told(begin, out) == []
