from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from broadcaster import binds
from broadcaster.delivery import leases, memory, preparing
from broadcaster.gateways.contract import Capabilities, GatewayConfig, GatewayContext, ListeningGateway
from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.events import Event, InboundMessage
from broadcaster.replies.models import Letter
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import load
from broadcaster.tasks import make_app
from tests.journeys.sending import wait_until
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
from tests.servers import free_port


class Talking(ListeningGateway):
    """A carrier that says one list of events, again and again until it is taken."""

    def __init__(self, events: list[Event], folder: Path, zone: Any) -> None:
        super().__init__("talking", GatewayConfig(kind="talking"), GatewayContext(folder, zone))
        self.events = events
        self.told = 0

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def submit(self, parts: Any) -> list[Any]:
        return []

    def listen(self, on_events: Callable[[list[Event]], None], stop: threading.Event) -> None:
        self.told += 1
        on_events(self.events)
        stop.set()


@pytest.mark.timeout(60)
def test_one_event_that_cannot_be_kept_does_not_hold_up_the_others(tmp_path: Path, database_url: str) -> None:
    runtime = make_runtime(load(None, data=tmp_path, store={"url": database_url}))
    good = [InboundMessage("talking", f"mo-{n}", f"+8619900000{n:03}", "1069", "TD") for n in range(5)]
    broken = InboundMessage("talking", "mo-x", None, "1069", {"a": 1})  # type: ignore[arg-type]
    gateway = Talking([*good[:2], broken, *good[2:]], tmp_path, runtime.settings.zone)
    binds.listen(runtime, gateway)
    assert gateway.told == 1
    with runtime.reading() as tx:
        assert len(tx.session.scalars(select(Letter)).all()) == 5
    runtime.close()


class Learning(Talking):
    """A carrier that teaches something with each list of events."""

    recalled = ""

    def learned(self) -> str:
        return f"after {self.told}"

    def recall(self, learned: str) -> None:
        self.recalled = learned


@pytest.mark.timeout(60)
def test_what_a_gateway_has_learned_is_told_to_the_next_process(tmp_path: Path, database_url: str) -> None:
    runtime = make_runtime(load(None, data=tmp_path, store={"url": database_url}))
    letter: list[Event] = [InboundMessage("talking", "mo-1", "+8619900000001", "1069", "TD")]
    first, second = (Learning(letter, tmp_path, runtime.settings.zone) for _ in range(2))
    binds.listen(runtime, first)
    assert first.recalled == ""
    runtime.stopping.clear()
    binds.listen(runtime, second)
    assert second.recalled == "after 1"
    with runtime.reading() as tx:
        assert list(memory.by_gateway(tx.session)) == ["talking"]
    runtime.close()


class Gone(Talking):
    """A carrier that is not there."""

    def open(self) -> None:
        raise LinkDown("Nobody listens.")


@pytest.mark.timeout(60)
def test_a_carrier_that_is_away_is_tried_ever_more_seldom_and_never_in_step(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = make_runtime(load(None, data=tmp_path, store={"url": database_url}))
    pauses: list[float] = []

    class Ending(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0)
            if len(pauses) == 20:
                self.set()
            return self.is_set()

    monkeypatch.setattr(binds, "_tell_link", lambda *_: None)
    binds.listen(runtime, Gone([], tmp_path, runtime.settings.zone), Ending())
    runtime.close()
    for number, seconds in enumerate(pauses):
        usual = min(binds.LONGEST_PAUSE, binds.FIRST_PAUSE * 2**number)
        assert usual / 2 <= seconds <= usual * 1.5
    assert len(set(pauses[8:])) > 6


@pytest.mark.timeout(200)
def test_what_waited_for_a_carrier_leaves_when_it_is_there(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends does not have to look around first: the connection itself says that it stands."""
    monkeypatch.setattr(binds, "LOOK_AROUND", 3600.0)
    file, port = tmp_path / "carrier.carrier", free_port()
    settings = settings_for(tmp_path, database_url, port=port)
    with runtime_on(settings) as runtime:
        people(runtime, 3)
        campaign = draft(runtime)
        start(runtime, campaign)
        more = True
        while more:
            with runtime.begin() as tx:
                more = preparing.prepare(tx.session, campaign, runtime.route, now=tx.now)
        with binds.holding(runtime):
            assert wait_until(lambda: _trouble(runtime), 30)
            assert "carrier" not in runtime.linked
            with carrier_process(file, behaviour_of(settings), port=port):
                assert wait_until(lambda: parts_taken(file) > 0, 60)


def _trouble(runtime: Runtime) -> str | None:
    with runtime.reading() as tx:
        return next((each.error for each in leases.holders(tx.session, runtime.locks)), None)


@pytest.mark.timeout(200)
def test_a_hint_sets_whoever_holds_the_connection_to_work(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not have to look around by itself first, and no thread of the pool is kept with the carrier."""
    monkeypatch.setattr(binds, "LOOK_AROUND", 3600.0)
    file = tmp_path / "carrier.carrier"
    with carrier_process(file, behaviour_of(settings_for(tmp_path, database_url))) as port:
        settings = settings_for(tmp_path, database_url, port=port)
        with runtime_on(settings) as runtime:
            app = make_app(runtime)
            people(runtime, 3)
            with binds.holding(runtime):
                assert wait_until(lambda: "carrier" in runtime.linked, 30)
                for _ in range(2):
                    before, campaign = parts_taken(file), draft(runtime)
                    start(runtime, campaign)
                    more = True
                    while more:
                        with runtime.begin() as tx:
                            more = preparing.prepare(tx.session, campaign, runtime.route, now=tx.now)
                    app.tasks["submit"].apply(args=["carrier"])
                    assert wait_until(lambda: parts_taken(file) > before, 60)  # noqa: B023
                    # whatever the first look found: now it has been, and the next is an hour away
                    with runtime.between_turns("carrier"):
                        pass
