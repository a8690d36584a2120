"""A simulated carrier in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadcaster.gateways.contract import GatewayContext
from broadcaster.gateways.simulator import SimulatorConfig, SimulatorGateway

ROOT = Path(__file__).parents[3]


class CarrierProcess:
    """Started again on the same file and port after a kill."""

    def __init__(self, file: Path, *behaviour: str) -> None:
        self.file = file
        self.port = 0
        self._behaviour = behaviour
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "broadcaster.gateways.simulator", "--file", str(self.file)]
        command += ["--port", str(self.port), *self._behaviour]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        return self.process

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        assert self.process.stdout
        self.process.stdout.close()
        return self.process.wait()


@pytest.fixture
def start_carrier(tmp_path: Path) -> Iterator[Callable[..., CarrierProcess]]:
    started: list[CarrierProcess] = []

    def start(*behaviour: str) -> CarrierProcess:
        started.append(CarrierProcess(tmp_path / "sim.carrier", *behaviour))
        return started[-1]

    yield start
    for carrier in started:
        if carrier.process.returncode is None:
            carrier.end(signal.SIGKILL)


@pytest.fixture
def make_gateway(tmp_path: Path) -> Iterator[Callable[..., SimulatorGateway]]:
    """Gateways named `sim` on one data directory, so that they share a carrier."""
    made: list[SimulatorGateway] = []

    def make(**settings: object) -> SimulatorGateway:
        config = SimulatorConfig.model_validate({"kind": "simulator", **settings})
        made.append(SimulatorGateway("sim", config, GatewayContext(tmp_path, ZoneInfo("Asia/Shanghai"))))
        return made[-1]

    yield make
    for gateway in made:
        gateway.close()
