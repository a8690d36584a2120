"""The chaos run itself, small: it passes, and it fails when something is wrong."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.installation import MANNERS
from tests.chaos.run import run
from tests.databases import PostgresqlTemplate, SqliteTemplate

#: whole runs, on machines that may be busy
pytestmark = pytest.mark.timeout(400)

#: a carrier that is slow to answer: a kill soon after it took parts comes before the sender knows
SLOW = replace(MANNERS, latency=0.1)
KILLED = "kill -9 of all binds"


def test_a_small_one(tmp_path: Path, database_url: str, redis_url: str) -> None:
    outcome = run(
        tmp_path, seed=random.randrange(10**6), messages=200, faults=3, url=database_url, queue=redis_url, broker=""
    )
    assert outcome.ok, f"seed {outcome.seed}: {outcome.verdict.faults[:10]}\n{outcome.logs}"
    assert outcome.verdict.cells.total() == 200
    assert len(outcome.happened) == 3


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "mutant", ["claim_after_submit", "acknowledge_early", "resend_in_doubt", "note_after_the_write"]
)
def test_a_mutant_is_seen(tmp_path: Path, sqlite_template: SqliteTemplate, mutant: str) -> None:
    outcome = run(
        tmp_path,
        seed=7,
        messages=200,
        faults=5,
        url=sqlite_template.copy(tmp_path),
        broker="",
        manners=SLOW,
        broken=mutant,
        only=[KILLED],
        patience=8,
    )
    assert outcome.verdict.doubled if mutant != "acknowledge_early" else outcome.verdict.faults


@pytest.mark.postgresql
def test_who_believes_the_living_is_seen(tmp_path: Path, postgresql_template: PostgresqlTemplate) -> None:
    # no rate of our own: then much is claimed ahead of a carrier that takes its time
    with postgresql_template.copy() as url:
        outcome = run(
            tmp_path,
            seed=7,
            messages=800,
            faults=3,
            url=url,
            broker="",
            manners=replace(MANNERS, latency=0.4),
            broken="believe_the_living",
            only=["a bind stands still and loses its lock"],
            patience=8,
            rate=0,
        )
    assert outcome.verdict.doubled
