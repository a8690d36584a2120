"""Sending again: only for the number that a person typed, only for those whom it concerns."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import select

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import RESUMABLE, STARTABLE
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import again, control, reconcile
from broadcaster.delivery.models import Doubt, Part
from broadcaster.gateways.contract import Accepted, OutcomeUnknown, Refused
from broadcaster.gateways.events import ReceiptState
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied
from tests.databases import Transactions
from tests.delivery.ledger import (
    WAYS,
    accept,
    campaign_state,
    claim,
    draft,
    look,
    must_claim,
    owner,
    receipt,
    receive,
    record,
    sending,
    states,
)


def _ended(begin: Transactions) -> tuple[int, int, list[int]]:
    """Two delivered, two failed, one expired, one rejected, two in doubt. Campaign, owner, parts."""
    campaign, _ = sending(begin, 8)
    mine = owner(begin)
    turn = must_claim(begin, mine)
    names = [f"n{n}" for n in range(5)]
    doubt = [OutcomeUnknown("?"), OutcomeUnknown("?")]
    record(begin, turn, [*map(Accepted, names), Refused("1", "no"), *doubt])
    said = [ReceiptState.DELIVERED] * 2 + [ReceiptState.FAILED] * 2 + [ReceiptState.EXPIRED]
    receive(begin, *(receipt(name, state) for name, state in zip(names, said, strict=True)))
    claim(begin, mine)
    with begin() as tx:
        reconcile.finish(tx.session, {}, now=tx.now)
    assert states(begin, campaign) == {"delivered": 2, "failed": 2, "expired": 1, "rejected": 1, "unknown": 2}
    return campaign, mine, [part.part_id for part in turn.parts]


def _campaign(tx: object, number: int) -> Campaign:
    found: Campaign = tx.session.get_one(Campaign, number)  # type: ignore[attr-defined]
    return found


def test_the_failed_again(begin: Transactions) -> None:
    campaign, mine, _ = _ended(begin)
    with begin() as tx, pytest.raises(Conflict, match="it is 3, you typed 4"):
        again.resend_failed(tx.session, OPERATOR, _campaign(tx, campaign), 4, WAYS, now=tx.now)
    with begin() as tx:
        assert again.resend_failed(tx.session, OPERATOR, _campaign(tx, campaign), 3, WAYS, now=tx.now) == 3
    assert campaign_state(begin, campaign) == "sending"
    turn = must_claim(begin, mine)
    assert len(turn.parts) == 3
    accept(begin, turn)
    attempts = look(begin, lambda s: s.scalars(select(Part.attempt).where(Part.message_id.in_(turn.message_ids))).all())
    assert sorted(attempts) == [1, 1, 1, 2, 2, 2]
    receive(begin, *(receipt(f"id-{part.part_id}") for part in turn.parts))
    assert states(begin, campaign) == {"delivered": 5, "rejected": 1, "unknown": 2}


def test_a_receipt_for_the_old_attempt_leaves_the_new_one_alone(begin: Transactions) -> None:
    campaign, mine, parts = _ended(begin)
    with begin() as tx:
        again.settle_by_resending(tx.session, OPERATOR, _campaign(tx, campaign), 2, WAYS, now=tx.now)
    receive(begin, receipt("late", client_reference=f"p{parts[6]}"))
    assert states(begin, campaign)["queued"] == 2
    accept(begin, must_claim(begin, mine))
    assert states(begin, campaign)["submitted"] == 2


def test_the_doubtful_count_as_sent(begin: Transactions) -> None:
    campaign, mine, parts = _ended(begin)
    with begin() as tx, pytest.raises(Conflict):
        again.settle_as_sent(tx.session, OPERATOR, _campaign(tx, campaign), 1, now=tx.now)
    with begin() as tx:
        assert again.settle_as_sent(tx.session, OPERATOR, _campaign(tx, campaign), 2, now=tx.now) == 2
    assert states(begin, campaign)["submitted"] == 2
    assert claim(begin, mine) is None
    settled = look(begin, lambda s: s.scalars(select(Doubt).order_by(Doubt.part_id)).all())
    assert [(d.part_id, d.settled_by) for d in settled] == [(part, "operator") for part in parts[6:]]
    receive(begin, receipt("late", client_reference=f"p{parts[6]}"))
    assert states(begin, campaign)["delivered"] == 3


def test_the_doubtful_again(begin: Transactions) -> None:
    campaign, mine, _ = _ended(begin)
    with begin() as tx, pytest.raises(Conflict):
        again.settle_by_resending(tx.session, OPERATOR, _campaign(tx, campaign), 3, WAYS, now=tx.now)
    with begin() as tx:
        assert again.settle_by_resending(tx.session, OPERATOR, _campaign(tx, campaign), 2, WAYS, now=tx.now) == 2
    assert len(must_claim(begin, mine).parts) == 2
    assert claim(begin, mine) is None


def test_nobody_to_send_to_again(begin: Transactions) -> None:
    campaign, _ = sending(begin, 1)
    with begin() as tx:
        assert again.resend_failed(tx.session, OPERATOR, _campaign(tx, campaign), 0, WAYS, now=tx.now) == 0
        assert again.settle_as_sent(tx.session, OPERATOR, _campaign(tx, campaign), 0, now=tx.now) == 0


@pytest.mark.parametrize("stopped", [control.pause, control.abort])
def test_what_was_stopped_is_not_opened_by_the_way(begin: Transactions, stopped: object) -> None:
    campaign, _ = sending(begin, 2)
    record(begin, must_claim(begin, owner(begin), 1), [Accepted("a")])
    receive(begin, receipt("a", ReceiptState.FAILED))
    with begin() as tx:
        stopped(tx.session, OPERATOR, _campaign(tx, campaign), now=tx.now)  # type: ignore[operator]
    with begin() as tx, pytest.raises(Conflict):
        again.resend_failed(tx.session, OPERATOR, _campaign(tx, campaign), 1, WAYS, now=tx.now)
    assert states(begin, campaign)["failed"] == 1


@pytest.mark.parametrize("state", sorted(set(CampaignState) - RESUMABLE))
def test_only_what_stands_still_is_resumed(begin: Transactions, state: CampaignState) -> None:
    """A draft would go out without the number of people typed; one that is over is sent again, or not at all."""
    with begin() as tx:
        campaign = draft(tx.session)
        campaign.state, campaign.prepared_at = state, None if state in STARTABLE else tx.now
    with begin() as tx, pytest.raises(Conflict, match=r"already|cannot be resumed") as refused:
        control.resume(tx.session, OPERATOR, _campaign(tx, campaign.id), WAYS, now=tx.now)
    assert ("campaigns send" in str(refused.value.hint)) == (state in STARTABLE)


def test_only_who_may_send(begin: Transactions) -> None:
    campaign, _, _ = _ended(begin)
    reader = Actor("reader", frozenset({Right.SEE}))
    with begin() as tx:
        row = _campaign(tx, campaign)
        for act in (control.pause, partial(control.resume, ways=WAYS), control.abort):
            with pytest.raises(Denied):
                act(tx.session, reader, row, now=tx.now)
        with pytest.raises(Denied):
            again.resend_failed(tx.session, reader, row, 3, WAYS, now=tx.now)
        for settle in (again.settle_as_sent, partial(again.settle_by_resending, ways=WAYS)):
            with pytest.raises(Denied):
                settle(tx.session, reader, row, 2, now=tx.now)
