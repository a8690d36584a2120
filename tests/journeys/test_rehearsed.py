"""A gateway that was a rehearsal becomes a real one: what was rehearsed stays where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import control
from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import rehearsing
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict
from tests.journeys import sending, test_smpp
from tests.journeys.stage import draft, parts_taken, people, runtime_on, settings_for, start, state_of

MANNERS = Behaviour(system_id="paper", password="s3cret99")


def test_the_rest_of_a_rehearsal_is_not_sent(tmp_path: Path, database_url: str) -> None:
    """As whoever has tried everything out, and puts the account of their carrier into the configuration."""
    settings = settings_for(tmp_path, database_url, parts_per_second=20)
    file = tmp_path / "carrier.carrier"
    with runtime_on(settings) as runtime:
        people(runtime, 60)
        campaign, paused = draft(runtime), draft(runtime)
        start(runtime, campaign)
        start(runtime, paused)
        sender = sending.start(settings)
        assert sending.wait_until(lambda: parts_taken(file) > 3, 20)
        sender.terminate()
        sender.join(20)
        with runtime.begin() as tx:
            control.pause(tx.session, OPERATOR, tx.session.get_one(Campaign, paused), now=tx.now)
        assert (state_of(runtime, campaign), state_of(runtime, paused)) == ("sending", "paused")
    log = tmp_path / "accepted.jsonl"
    with rehearsing(log, MANNERS) as carrier:
        settings = test_smpp.settings_for(tmp_path, database_url, carrier.port)
        with runtime_on(settings) as runtime:
            sender = sending.start(settings)
            assert sending.wait_until(lambda: state_of(runtime, campaign) == "failed", 20)
            with runtime.begin() as tx, pytest.raises(Conflict, match="was confirmed as a rehearsal"):
                row = tx.session.get_one(Campaign, paused)
                control.resume(tx.session, OPERATOR, row, runtime.ways(tx), now=tx.now)
            for each in (campaign, paused):
                with runtime.begin() as tx:
                    control.abort(tx.session, OPERATOR, tx.session.get_one(Campaign, each), now=tx.now)
            # made once more, it goes out
            again = draft(runtime, "{{ name }}，您好。")
            start(runtime, again)
            assert sending.wait_until(lambda: state_of(runtime, again) in ("sent", "closed"), 20)
            sender.terminate()
            sender.join(20)
        assert len(log.read_text().splitlines()) == 60
