"""A broadcast that takes long at a slow carrier: answers go past it, a pause and a refusal act at once.

Told by positions in the carrier's own file, not by a clock: a machine that is busy is slow at everything.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from broadcaster.campaigns import compose
from broadcaster.delivery import control
from broadcaster.delivery.models import Message
from broadcaster.delivery.states import State
from broadcaster.gateways.simulator.gateway import SimulatorGateway
from broadcaster.gateways.simulator.journal import Line, accepted_parts
from broadcaster.runtime import Runtime
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

PEOPLE = 400
#: nothing happens by chance
QUIET = {"failed": 0, "late": 0, "never": 0, "intermediate": 0, "replies": 0}


@pytest.mark.parametrize(
    "gateway",
    [
        pytest.param({"parts_per_second": 20, "window": 1000, "latency": 0}, id="rate"),
        # nobody has said that this carrier is slow
        pytest.param({"parts_per_second": 0, "window": 1000, "latency": 1.2}, id="slow carrier"),
    ],
)
def test_an_answer_a_refusal_and_a_pause_in_a_long_broadcast(
    tmp_path: Path, database_url: str, gateway: dict[str, float], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_for(tmp_path, database_url, **QUIET, **gateway)
    file = tmp_path / "carrier.carrier"
    with carrier_process(file, behaviour_of(settings)) as port:
        settings = settings_for(tmp_path, database_url, port=port, **QUIET, **gateway)
        with runtime_on(settings) as runtime:
            audience = people(runtime, PEOPLE)
            campaign = draft(runtime, "{{ name }}，您好。")
            start(runtime, campaign)
            sender = sending.start(settings)
            assert sending.wait_until(lambda: parts_taken(file) > 40, 60)
            last = max(audience)
            before, between, seconds = _ask(runtime, file, last)
            paused_at, after = _pause(runtime, file, campaign)
            sender.terminate()
            sender.join(30)
            assert sender.exitcode == 0
    lines = accepted_parts(file)
    with capsys.disabled():
        figures = f"answer after {between} parts, {seconds:.2f} s; {after} parts after the pause"
        sys.stdout.write(f"\n  {gateway}: {figures}\n")
    # at 20 parts a second: two seconds for an answer on its way through inbox, router and claim, one for a pause
    assert before < len(lines) < PEOPLE
    assert between <= 40
    assert after <= 20
    assert not [line for line in lines if line["destination"] == last and "退订" not in line["text"]]
    assert len({line["destination"] for line in lines}) == len(lines)
    assert paused_at


def test_an_urgent_notice_overtakes_a_broadcast(tmp_path: Path, database_url: str) -> None:
    rate = {"parts_per_second": 20, "window": 1000, "latency": 0}
    settings = settings_for(tmp_path, database_url, **QUIET, **rate)
    file = tmp_path / "carrier.carrier"
    with carrier_process(file, behaviour_of(settings)) as port:
        settings = settings_for(tmp_path, database_url, port=port, **QUIET, **rate)
        with runtime_on(settings) as runtime:
            people(runtime, 2 * PEOPLE)
            alarmed = people(runtime, 3, tags=["值班"])
            broadcast = draft(runtime, "{{ name }}，您好。")
            start(runtime, broadcast)
            sender = sending.start(settings)
            try:
                assert sending.wait_until(lambda: parts_taken(file) > 20, 60)
                start(runtime, draft(runtime, "台风将至，请即回岗。", '标签 = "值班"', urgent=True))
                assert sending.wait_until(lambda: len(_warned(file)) == len(alarmed), 60)
                waiting = _queued(runtime, broadcast)
            finally:
                sender.terminate()
                sender.join(30)
            assert sender.exitcode == 0
    assert {line["destination"] for line in _warned(file)} == alarmed
    assert waiting > PEOPLE, "most of the broadcast had left before the notice came"


def _warned(file: Path) -> list[Line]:
    return [line for line in accepted_parts(file) if "台风将至" in line["text"]]


def _queued(runtime: Runtime, campaign: int) -> int:
    query = select(func.count()).where(Message.campaign_id == campaign, Message.state == State.QUEUED)
    with runtime.reading() as tx:
        return tx.session.scalar(query) or 0


def _ask(runtime: Runtime, file: Path, msisdn: str) -> tuple[int, int, float]:
    """A member whose turn is far off refuses the paper, and is answered: after how many other parts, and seconds."""
    gateway = runtime.gateways["carrier"]
    assert isinstance(gateway, SimulatorGateway)
    gateway.open()
    before, began = parts_taken(file), time.monotonic()
    gateway.say(msisdn, "TD", "10690000")

    def answered() -> list[Line]:
        return [line for line in accepted_parts(file) if line["destination"] == msisdn]

    assert sending.wait_until(answered, 60)
    seconds = time.monotonic() - began
    position = next(n for n, line in enumerate(accepted_parts(file)) if line["destination"] == msisdn)
    return before, position - before, seconds


def _pause(runtime: Runtime, file: Path, campaign: int) -> tuple[int, int]:
    """Pause it: how many parts had gone by then, and how many came after."""
    with runtime.begin() as tx:
        control.pause(tx.session, OPERATOR, compose.get(tx.session, OPERATOR, campaign), now=tx.now)
    at = parts_taken(file)
    sending.wait_until(lambda: False, 3)
    after = parts_taken(file) - at
    assert not sending.wait_until(lambda: parts_taken(file) > at + after, 2)
    return at, after
