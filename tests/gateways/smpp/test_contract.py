"""SMPP keeps the contract of every gateway that streams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from broadcaster.gateways.contract import Gateway, GatewayContext
from broadcaster.gateways.registry import make
from broadcaster.gateways.testkit import AcceptedPart
from broadcaster.gateways.testsessions import SessionGatewayContract
from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import Rehearsal, rehearsing
from tests.gateways.smpp.smsc import PASSWORD, Smsc

#: two seconds of silence are death here
QUICK: dict[str, Any] = {
    "kind": "smpp",
    "host": "127.0.0.1",
    "system_id": "paper",
    "password": PASSWORD,
    "window": 20,
    "connect_timeout": 5,
    "answer_timeout": 4,
    "enquire_link_interval": 0.75,
    "refused_bind_pause": 2,
}


class TestSmppGateway(SessionGatewayContract):
    @pytest.fixture
    def carrier(self) -> Iterator[Smsc]:
        with Smsc() as smsc:
            yield smsc

    def make_gateway(self, port: int, data_dir: Path) -> Gateway:
        return make("carrier", {**QUICK, "port": port}, GatewayContext(data_dir, ZoneInfo("Asia/Shanghai")))


class TestTwoLinks(TestSmppGateway):
    def make_gateway(self, port: int, data_dir: Path) -> Gateway:
        settings = {**QUICK, "port": port, "mode": "two_links"}
        return make("carrier", settings, GatewayContext(data_dir, ZoneInfo("Asia/Shanghai")))


class RehearsedCarrier:
    """The product's own carrier, which shares no code with the gateway."""

    secrets = (PASSWORD,)

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self.port = rehearsal.port

    def accepted(self) -> list[AcceptedPart]:
        return [
            AcceptedPart(line["id"], f"+{line['destination'].lstrip('+')}", line["text"])
            for line in self._rehearsal.accepted()
        ]

    def kill(self) -> None:
        self._rehearsal.stop()


class TestAgainstTheRehearsal(TestSmppGateway):
    @pytest.fixture
    def carrier(self, tmp_path: Path) -> Iterator[RehearsedCarrier]:  # type: ignore[override]
        manners = Behaviour(system_id="paper", password=PASSWORD, receipt_delay=0.05, latency=0.002)
        with rehearsing(tmp_path / "carrier.jsonl", manners) as rehearsal:
            yield RehearsedCarrier(rehearsal)
