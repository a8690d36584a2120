"""Everyone a campaign was meant for, in portions."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

import broadcaster.reports.recipients as module
from broadcaster.reports.recipients import recipients
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Invalid
from tests.factories import make_organisation
from tests.reports.ledger import make_campaign, make_message


def test_all_of_them_over_several_portions(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BULK", 3)
    campaign = make_campaign(session)
    made = [make_message(session, campaign, "delivered").msisdn for _ in range(7)]
    make_message(session, make_campaign(session), "delivered")
    assert [one.msisdn for one in recipients(session, OPERATOR, campaign)] == made
    assert len(list(recipients(session, OPERATOR, campaign, limit=4))) == 4
    assert len(list(recipients(session, OPERATOR, campaign, limit=6))) == 6


def test_in_one_state(session: Session) -> None:
    campaign = make_campaign(session)
    make_message(session, campaign, "delivered")
    make_message(session, campaign, "failed", reason="There is no such number")
    make_message(session, campaign, "skipped", reason="opted_out")
    (failed,) = recipients(session, OPERATOR, campaign, state="failed")
    assert (failed.state, failed.reason, failed.parts) == ("failed", "There is no such number", 1)
    (skipped,) = recipients(session, OPERATOR, campaign, state="skipped")
    assert (skipped.msisdn, skipped.reason) == ("", "opted_out")
    with pytest.raises(Invalid, match="There is no state lost"):
        recipients(session, OPERATOR, campaign, state="failed,lost")


@pytest.mark.parametrize("words", ["failed,rejected,expired", "not delivered", "Failed， 未送达"])
def test_in_several_states(session: Session, words: str) -> None:
    campaign = make_campaign(session)
    for state in ("delivered", "failed", "rejected", "expired", "no_receipt"):
        make_message(session, campaign, state)
    found = recipients(session, OPERATOR, campaign, state=words)
    assert [one.state for one in found] == ["failed", "rejected", "expired"]


def test_of_ones_own_part_of_the_tree(session: Session) -> None:
    campaign = make_campaign(session)
    make_message(session, campaign, "delivered", organisation="West City")
    mine = make_message(session, campaign, "delivered", organisation="East City")
    east = Actor("east", frozenset({Right.SEE}), under=make_organisation(session, "East City").path)
    assert [one.msisdn for one in recipients(session, east, campaign)] == [mine.msisdn]
