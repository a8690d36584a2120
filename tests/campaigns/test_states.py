"""Every move of the table is a move, and every other one is a conflict."""

from __future__ import annotations

from itertools import product

import pytest

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import STARTABLE, move
from broadcaster.campaigns.states import EDITABLE, MOVES, CampaignState, may_move, sources
from subscribers.errors import Conflict
from tests.databases import Transactions
from tests.factories import NOW

S = CampaignState
OVER = {S.CANCELLED, S.ABORTED}


def test_every_state_is_in_the_table() -> None:
    assert set(MOVES) == set(CampaignState)
    assert {state for state, targets in MOVES.items() if not targets} == OVER
    assert all(any(state in targets for targets in MOVES.values()) for state in set(S) - {S.IN_REVIEW})


@pytest.mark.parametrize(("state", "to"), list(product(S, S)))
def test_may_move_and_sources_say_the_same(state: CampaignState, to: CampaignState) -> None:
    assert may_move(state, to) == (to in MOVES[state]) == (state in sources(to))


def test_moves_on_the_database(begin: Transactions) -> None:
    """All of them in one transaction: the compare-and-set keeps to the table."""
    with begin() as tx:
        for state, to in product(S, S):
            campaign = Campaign(kind="notice", title="x", rule="everyone", created_by="test", created_at=NOW)
            campaign.state = state
            tx.session.add(campaign)
            tx.session.flush()
            if to in MOVES[state]:
                move(tx.session, campaign, to, note="moved")
                assert (campaign.state, campaign.note, campaign.generation) == (to, "moved", 1)
            else:
                with pytest.raises(Conflict):
                    move(tx.session, campaign, to, note="moved")
                assert (campaign.state, campaign.note, campaign.generation) == (state, "", 0)


def test_what_runs_cannot_be_edited_or_started_again() -> None:
    running = {S.PREPARING, S.SENDING, S.PAUSED, S.SENT, S.CLOSED, S.FAILED} | OVER
    assert not EDITABLE & running
    assert not STARTABLE & running
