"""What is in doubt is before the operator at once: in figures, lists, alarms and metrics, with the same number in each.

The promise is two seconds. A tick a second leads to the look that finds it, and that look is enough.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import func, select

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery.models import Message, Part
from broadcaster.delivery.progress import progress
from broadcaster.delivery.states import State
from broadcaster.reports import overview, recipients
from broadcaster.reports.alarms import alarms
from broadcaster.reports.stages import stages
from broadcaster.runtime import Runtime
from broadcaster.settings import Settings
from broadcaster.tasks import make_app
from broadcaster.tasks.doors import SWEEP, sweep
from subscribers.actor import OPERATOR
from tests.journeys import sending
from tests.journeys.stage import (
    behaviour_of,
    carrier_process,
    draft,
    parts_taken,
    people,
    runtime_on,
    settings_for,
    start,
)
from tests.websites import opened

#: three parts each: one window, so that nothing is left to be sent
PEOPLE = 5
#: a carrier that takes parts, answers late, and never tells what became of them
SILENT = {"latency": 20.0, "never": 1.0, "failed": 0.0, "late": 0.0, "intermediate": 0.0, "replies": 0.0}


@contextlib.contextmanager
def _half_sent(data: Path, url: str) -> Iterator[tuple[Settings, Runtime, int, sending.BaseProcess]]:
    """A campaign whose parts have left, and whose answers have not come; who sends it."""
    settings = settings_for(data, url, **SILENT)
    with (
        carrier_process(data / "carrier.carrier", behaviour_of(settings)) as port,
        runtime_on(settings_for(data, url, port=port, **SILENT)) as runtime,
    ):
        people(runtime, PEOPLE)
        campaign = draft(runtime)
        start(runtime, campaign)
        sender = sending.start(runtime.settings)
        assert sending.wait_until(lambda: parts_taken(data / "carrier.carrier"), 30)
        yield runtime.settings, runtime, campaign, sender


def _in_doubt(runtime: Runtime) -> tuple[int, int]:
    """Messages and parts, as the ledger has them."""
    with runtime.reading() as tx:
        return tuple(  # type: ignore[return-value]
            tx.session.scalar(select(func.count()).where(each.state == State.UNKNOWN)) or 0 for each in (Message, Part)
        )


def _seen(runtime: Runtime, campaign_id: int) -> dict[str, tuple[int, int]]:
    """Messages and parts in doubt, as the operator is told of them everywhere."""
    with runtime.reading() as tx:
        campaign = tx.session.get_one(Campaign, campaign_id)
        figures = progress(tx.session, campaign)
        listed = list(recipients.recipients(tx.session, OPERATOR, campaign, state="unknown"))
        now = stages(tx.session, runtime.locks, ["carrier"], now=tx.now)
        alarmed = [str(each) for each in alarms(now, now=tx.now)]
        unsure = overview.overview(tx.session, OPERATOR).unsure
    with opened(runtime) as site:
        told = {
            (sample.name, sample.labels.get("state")): int(sample.value)
            for family in text_string_to_metric_families(site.get("/metrics").text)
            for sample in family.samples
            if sample.labels.get("gateway") == "carrier"
        }
    assert f"Campaigns with parts in doubt: #{campaign_id}." in alarmed
    return {
        "figures": (figures.messages["unknown"], figures.parts["unknown"]),
        "list": (len(listed), unsure),
        "metrics": (len(listed), told["broadsheet_unknown_parts", None]),
        "ledger in metrics": (len(listed), told["broadsheet_parts", "unknown"]),
    }


def test_a_tick_a_second_and_one_look(tmp_path: Path, database_url: str) -> None:
    with _half_sent(tmp_path, database_url) as (settings, runtime, campaign, sender):
        assert make_app(runtime).conf.beat_schedule[SWEEP]["schedule"] <= 1
        sending.kill(sender)
        assert _in_doubt(runtime) == (0, 0)
        sweep(runtime)
        found = _in_doubt(runtime)
        assert found[1] > 0
        assert set(_seen(runtime, campaign).values()) == {found}
        assert settings.gateways["carrier"]["window"] >= found[1]


def test_a_carrier_that_goes_away_leaves_no_wait(tmp_path: Path, database_url: str) -> None:
    """The sender knows it itself, and writes it down with what else it knows."""
    with contextlib.ExitStack() as stack:
        with _half_sent(tmp_path, database_url) as (_, runtime, campaign, sender):
            stack.callback(sender.join, 15)
            stack.callback(sender.terminate)
            looking = stack.enter_context(runtime_on(runtime.settings))
        # its process has ended here
        assert sending.wait_until(lambda: _in_doubt(looking)[1], 15)
        found = _in_doubt(looking)
        assert set(_seen(looking, campaign).values()) == {found}
