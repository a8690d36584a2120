"""What stands now: which campaign matters, and whose figures are counted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery.models import Message, ReceiptInbox, ReceiptLot
from broadcaster.delivery.states import State
from broadcaster.reports import overview as module
from broadcaster.reports.overview import CAMPAIGNS, overview
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Denied
from tests.factories import make_members, make_organisation
from tests.tallies import recount


def make_campaign(session: Session, now: datetime, state: str) -> int:
    campaign = Campaign(
        kind="notice",
        title=state,
        state=state,
        rule="everyone",
        created_by="x",
        created_at=now,
        started_at=None if state in ("draft", "scheduled") else now,
        scheduled_for=now + timedelta(days=1) if state == "scheduled" else None,
        audience_on=now.date(),
    )
    session.add(campaign)
    session.flush()
    return campaign.id


def test_nothing_yet(session: Session) -> None:
    seen = overview(session, OPERATOR)
    assert (seen.current, list(seen.others), list(seen.letters), seen.last_receipts, seen.unsure) == (
        None,
        [],
        [],
        {},
        0,
    )


@pytest.mark.parametrize(
    ("states", "current"),
    [
        (["draft", "scheduled"], None),
        (["closed", "draft"], 0),
        (["closed", "sent", "cancelled"], 1),
        (["paused", "sent", "closed"], 0),
        (["sending", "preparing", "closed"], 1),
    ],
)
def test_the_newest_that_runs_else_the_newest_that_started(
    session: Session, now: datetime, states: list[str], current: int | None
) -> None:
    ids = [make_campaign(session, now, state) for state in states]
    seen = overview(session, OPERATOR)
    assert (seen.current.id if seen.current else None) == (None if current is None else ids[current])
    assert [other.id for other in seen.others] == [
        id_ for id_ in reversed(ids) if not seen.current or id_ != seen.current.id
    ]


def test_the_others_are_few(session: Session, now: datetime) -> None:
    running = make_campaign(session, now, "sending")
    ids = [make_campaign(session, now, "draft") for _ in range(CAMPAIGNS + 3)]
    seen = overview(session, OPERATOR)
    assert seen.current is not None
    assert seen.current.id == running
    assert [other.id for other in seen.others] == ids[::-1][:CAMPAIGNS]


def test_an_actor_counts_their_own_part_of_the_tree(session: Session, now: datetime) -> None:
    id_ = make_campaign(session, now, "sending")
    east, west = make_organisation(session, "East"), make_organisation(session, "West")
    for branch, n in ((east, 3), (west, 2)):
        for member in make_members(session, n, organisation=branch):
            session.add(Message(campaign_id=id_, member_id=member.id, msisdn=member.msisdn, state=State.DELIVERED))
    recount(session)
    of_the_east = Actor("li", frozenset({Right.SEE}), under=east.path)
    assert [seen.current.recipients for who in (OPERATOR, of_the_east) if (seen := overview(session, who)).current] == [
        5,
        3,
    ]


def test_a_gateway_that_has_long_been_silent(session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for at, gateway in enumerate(["old", "new", "new"]):
        received = now + timedelta(minutes=at)
        session.add(ReceiptInbox(gateway=gateway, provider_id=str(at), state="delivered", raw="", received_at=received))
        session.flush()
    assert overview(session, OPERATOR).last_receipts == {"old": now, "new": now + timedelta(minutes=2)}
    monkeypatch.setattr(module, "RECEIPTS", 2)
    assert overview(session, OPERATOR).last_receipts == {"new": now + timedelta(minutes=2)}


def test_a_lot_of_receipts_is_a_sign_of_life(session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def came(at: int) -> datetime:
        return now + timedelta(minutes=at)

    for at, gateway in ((1, "rows, then a lot"), (5, "a lot, then rows")):
        row = ReceiptInbox(gateway=gateway, provider_id="x", state="delivered", raw="", received_at=came(at))
        session.add(row)
    for at, gateway in ((2, "lots"), (3, "rows, then a lot"), (4, "a lot, then rows")):
        session.add(ReceiptLot(id=20 * at, gateway=gateway, receipts=20, received_at=came(at), told=""))
    session.flush()
    last = {gateway: came(at) for at, gateway in ((2, "lots"), (3, "rows, then a lot"), (5, "a lot, then rows"))}
    assert overview(session, OPERATOR).last_receipts == last
    monkeypatch.setattr(module, "LOTS", 2)
    assert "lots" not in overview(session, OPERATOR).last_receipts


def test_it_takes_the_right_to_see(session: Session) -> None:
    with pytest.raises(Denied):
        overview(session, Actor("nobody", frozenset()))
