"""How many parts a second the simulated carrier takes, beside the plainest writer of lines to a file in the same run.

python -m benchmarks.simulator [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from broadcaster.gateways.contract import GatewayContext
from broadcaster.gateways.simulator import SimulatorGateway
from broadcaster.gateways.simulator.gateway import SimulatorConfig
from broadcaster.gateways.testkit import make_parts
from subscribers.clock import monotonic

BATCH, BATCHES, ROUNDS = 50, 100, 3


def carrier_per_second(folder: Path) -> float:
    """Parts a second over the socket, in batches of one window; each is in the carrier's file before its answer."""
    config = SimulatorConfig.model_validate({"kind": "simulator"})
    gateway = SimulatorGateway("bench", config, GatewayContext(folder, ZoneInfo("Asia/Shanghai")))
    gateway.open()
    began = monotonic()
    for batch in range(BATCHES):
        gateway.submit(make_parts(BATCH, first=1 + batch * BATCH))
    passed = monotonic() - began
    gateway.close()
    return BATCHES * BATCH / passed


def lines_per_second(folder: Path) -> float:
    """The least that can be done: the same number of writes of a JSON line."""
    handle = os.open(folder / "lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    began = monotonic()
    for number in range(BATCHES * BATCH):
        os.write(handle, json.dumps({"sequence": number, "text": "会" * 67}).encode())
    passed = monotonic() - began
    os.close(handle)
    return BATCHES * BATCH / passed


def figures() -> dict[str, float]:
    """The best of several rounds of each, and their ratio."""
    ours, plain = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            ours.append(carrier_per_second(Path(folder)))
            plain.append(lines_per_second(Path(folder)))
    return {
        "parts_per_second": round(max(ours)),
        "lines_per_second": round(max(plain)),
        "ratio": round(max(ours) / max(plain), 3),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    found = figures()
    if parser.parse_args().json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:20} {value:>12,}")


if __name__ == "__main__":
    main()
