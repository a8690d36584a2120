"""`kill -9` of the sending process at any moment: nobody twice, nobody forgotten, the doubtful counted."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.gateways.simulator.journal import accepted_parts
from broadcaster.settings import Settings
from tests.databases import SqliteTemplate
from tests.journeys import sending
from tests.journeys.oracle import Verdict, accepted_twice, judge
from tests.journeys.stage import (
    WINDOW,
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

KILLS = 20
PEOPLE = 200
PARTS = 3


def test_twenty_kills(tmp_path: Path, database_url: str) -> None:
    _survives(tmp_path, database_url, apart=True)


@pytest.mark.sqlite
def test_twenty_kills_with_the_carrier_in_the_sender(tmp_path: Path, sqlite_template: SqliteTemplate) -> None:
    _survives(tmp_path, sqlite_template.copy(tmp_path), apart=False)


@pytest.mark.sqlite
@pytest.mark.parametrize("mutant", sorted(sending.MUTANTS))
def test_the_judge_sees_a_broken_sender(tmp_path: Path, sqlite_template: SqliteTemplate, mutant: str) -> None:
    # a carrier that is slow to answer: a kill soon after it took parts comes before the sender knows
    with _carrier(tmp_path, sqlite_template.copy(tmp_path), apart=True, latency=0.1) as settings:
        verdict = _run(settings, random.Random(7), KILLS // 2, mutant)
    assert verdict.faults


def _survives(data: Path, url: str, *, apart: bool) -> None:
    seed = random.randrange(10**6)
    with _carrier(data, url, apart=apart) as settings:
        verdict = _run(settings, random.Random(seed), KILLS)
    assert not verdict.faults, f"seed {seed}: " + "; ".join(verdict.faults[:10])
    # a kill leaves at most one turn open: a window, or one message that is larger
    assert verdict.in_doubt <= KILLS * max(WINDOW, PARTS), f"seed {seed}"


@contextlib.contextmanager
def _carrier(data: Path, url: str, *, apart: bool, **gateway: float) -> Iterator[Settings]:
    settings = settings_for(data, url, **gateway)
    if not apart:
        yield settings
        return
    with carrier_process(data / "carrier.carrier", behaviour_of(settings)) as port:
        yield settings_for(data, url, port=port, **gateway)


def _run(settings: Settings, chance: random.Random, kills: int, mutant: str = "") -> Verdict:
    file = settings.data / "carrier.carrier"
    with runtime_on(settings) as runtime:
        audience = people(runtime, PEOPLE)
        campaign = draft(runtime)
        start(runtime, campaign)
        for _ in range(kills):
            # so many parts further on, wherever it is then: between a claim and its answer, a receipt and its commit
            until = parts_taken(file) + chance.randrange(PEOPLE * PARTS // kills)
            sender = sending.start(settings, mutant)
            sending.wait_until(lambda: parts_taken(file) >= until, 10)  # noqa: B023
            sending.wait_until(lambda: False, chance.uniform(0, 0.06))
            sending.kill(sender)
            if mutant and (faults := list(accepted_twice(accepted_parts(file)))):
                return Verdict(faults)
        sender = sending.start(settings, mutant)
        closed = sending.wait_until(lambda: state_of(runtime, campaign) == "closed", 8 if mutant else 30)
        come_to_rest(runtime, file, 2 if mutant else 20)
        sender.terminate()
        sender.join(15)
        with runtime.reading() as tx:
            verdict = judge(tx.session, accepted_parts(file), behaviour_of(settings), audience)
    if not closed:
        verdict.faults.append("the campaign did not close")
    return verdict
