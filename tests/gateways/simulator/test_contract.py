"""The simulator keeps the contract that every gateway keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadcaster.gateways.contract import Gateway, GatewayContext
from broadcaster.gateways.registry import make
from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.gateways.simulator.host import Host
from broadcaster.gateways.simulator.journal import accepted_parts
from broadcaster.gateways.testkit import AcceptedPart, ListeningGatewayContract


class SimulatedCarrier:
    secrets = ()

    def __init__(self, file: Path) -> None:
        behaviour = Behaviour(delay=(0, 0.2), failed=0.2, never=0, late=0)
        self._file = file
        self._host = Host.take(file, behaviour)
        assert self._host
        self.port = self._host.port

    def accepted(self) -> list[AcceptedPart]:
        return [AcceptedPart(line["id"], line["destination"], line["text"]) for line in accepted_parts(self._file)]

    def kill(self) -> None:
        assert self._host
        self._host.close()


class TestSimulatorGateway(ListeningGatewayContract):
    @pytest.fixture
    def carrier(self, tmp_path: Path) -> Iterator[SimulatedCarrier]:
        carrier = SimulatedCarrier(tmp_path / "carrier" / "file")
        yield carrier
        carrier.kill()

    def make_gateway(self, port: int, data_dir: Path) -> Gateway:
        settings = {"kind": "simulator", "port": port, "answer_timeout": 2}
        return make("sim", settings, GatewayContext(data_dir, ZoneInfo("Asia/Shanghai")))
