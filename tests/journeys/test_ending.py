"""A process that is asked to end finishes what it holds: nothing is in doubt, nobody is forgotten."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from broadcaster.delivery import owners
from broadcaster.delivery.models import Turn
from broadcaster.gateways.simulator.journal import accepted_parts
from tests.journeys import sending
from tests.journeys.oracle import judge
from tests.journeys.stage import (
    behaviour_of,
    carrier_process,
    come_to_rest,
    draft,
    parts_taken,
    people,
    runtime_on,
    settings_for,
    start,
    state_of,
)


def test_asked_to_end_in_mid_send(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "carrier.carrier"
    with carrier_process(file, behaviour_of(settings_for(tmp_path, database_url))) as port:
        settings = settings_for(tmp_path, database_url, port=port)
        with runtime_on(settings) as runtime:
            audience = people(runtime, 90)
            campaign = draft(runtime)
            start(runtime, campaign)
            for share in (4, 2, 1):
                sender = sending.start(settings)
                assert sending.wait_until(lambda: parts_taken(file) > 3 * 80 // share, 20)  # noqa: B023
                if share == 1:
                    assert sending.wait_until(lambda: state_of(runtime, campaign) == "closed", 20)
                    assert come_to_rest(runtime, file, 20)
                sender.terminate()
                sender.join(20)
                assert sender.exitcode == 0
                with runtime.reading() as tx:
                    assert tx.session.scalars(select(Turn.id)).all() == []
                    assert owners.living(tx.session) == []
            with runtime.reading() as tx:
                verdict = judge(tx.session, accepted_parts(file), behaviour_of(settings), audience)
    assert not verdict.faults
    assert verdict.in_doubt == 0
