"""Fifty processes start one campaign at the same moment: one of them does."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import preparing
from broadcaster.delivery.models import Message
from tests.journeys.forks import FORKS
from tests.journeys.stage import draft, people, runtime_on, settings_for
from tests.journeys.starting import try_to_start

STARTERS = 50


def test_one_of_fifty(tmp_path: Path, database_url: str) -> None:
    # fifty connections at once take a busy machine longer than a person would wait
    patient = "?connect_timeout=60" if database_url.startswith("postgresql") else ""
    settings = settings_for(tmp_path, database_url + patient)
    with runtime_on(settings) as runtime:
        people(runtime, 12)
        campaign = draft(runtime, "{{ name }}，您好。")
        pairs = [FORKS.Pipe() for _ in range(STARTERS)]
        processes = [FORKS.Process(target=try_to_start, args=(settings, campaign, 12, theirs)) for _, theirs in pairs]
        for process in processes:
            process.start()
        for ours, _ in pairs:
            assert ours.recv() == "ready"
        for ours, _ in pairs:
            ours.send("go")
        said = [ours.recv() for ours, _ in pairs]
        for process in processes:
            process.join(10)
        assert sorted(said) == ["conflict"] * (STARTERS - 1) + ["started"]
        with runtime.begin() as tx:
            assert tx.session.get_one(Campaign, campaign).generation == 1
            while preparing.prepare(tx.session, campaign, runtime.route, now=tx.now):
                pass
            assert tx.session.scalar(select(func.count()).select_from(Message)) == 12
