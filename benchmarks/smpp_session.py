"""Parts a second over SMPP, beside smpplib alone, against the same carrier in a process of its own, in the same run.

python -m benchmarks.smpp_session [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import smpplib.client
import smpplib.consts

from broadcaster import logs
from broadcaster.gateways.contract import Accepted, GatewayContext, OutboundPart, Settled
from broadcaster.gateways.smpp import SmppConfig, SmppGateway
from broadcaster.gateways.testkit import make_parts
from subscribers.clock import monotonic

PARTS, ROUNDS, WINDOW = 4_000, 3, 100
ROOT = Path(__file__).parents[1]


@contextlib.contextmanager
def carrier() -> Iterator[int]:
    """The carrier that people rehearse with; its port. Receipts come after the run, so that it is the road we time."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        words = ["simulate", "smpp", "--port", str(port), "--log", f"{folder}/log", "--receipt-delay", "600000"]
        with subprocess.Popen(
            [sys.executable, "cli.py", *words], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                _wait_for(port)
                yield port
            finally:
                process.terminate()


def ours(port: int, window: int, stream: bool) -> float:
    """Parts a second through `feed`, or through `submit` in batches of a window."""
    settings = {"kind": "smpp", "host": "127.0.0.1", "port": port, "system_id": "bench", "window": window}
    with tempfile.TemporaryDirectory() as folder:
        context = GatewayContext(Path(folder), ZoneInfo("Asia/Shanghai"))
        gateway = SmppGateway("bench", SmppConfig.model_validate(settings), context)
        gateway.open()
        parts = make_parts(PARTS if window > 1 else PARTS // 4)
        began = monotonic()
        if stream:
            _stream(gateway, parts)
        else:
            for at in range(0, len(parts), window):
                gateway.submit(parts[at : at + window])
        passed = monotonic() - began
        gateway.close()
    return len(parts) / passed


def smpplib_alone(port: int) -> float:
    """The library's own client with the same window, its own loop, and TCP_NODELAY, which it does not set itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = smpplib.client.Client("127.0.0.1", port, allow_unknown_opt_params=True)
    client.connect()
    client._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.bind_transceiver(system_id="bench", password="")
    answered = 0

    def count(pdu: object) -> None:
        nonlocal answered
        answered += 1

    client.set_message_sent_handler(lambda pdu: count(pdu))
    parts = make_parts(PARTS)
    began = monotonic()
    for number, part in enumerate(parts):
        while number - answered >= WINDOW:
            client.read_once()
        client.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_UNK,
            source_addr=part.sender,
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
            destination_addr=part.msisdn[1:],
            short_message=part.text.encode(),
            registered_delivery=True,
        )
    while answered < len(parts):
        client.read_once()
    passed = monotonic() - began
    client.unbind()
    client.disconnect()
    return len(parts) / passed


def figures() -> dict[str, float]:
    """The best of several rounds of each."""
    best: dict[str, float] = {}
    with carrier() as port:
        for _ in range(ROUNDS):
            runs = {"smpplib_alone": smpplib_alone(port)}
            for window in (1, 50, WINDOW):
                runs[f"submit_window_{window}"] = ours(port, window, stream=False)
                runs[f"feed_window_{window}"] = ours(port, window, stream=True)
            best = {name: max(value, best.get(name, 0)) for name, value in runs.items()}
    best["ratio"] = best[f"feed_window_{WINDOW}"] / best["smpplib_alone"]
    return {name: round(value, 2 if name == "ratio" else 0) for name, value in best.items()}


def _stream(gateway: SmppGateway, parts: Sequence[OutboundPart]) -> None:
    done = threading.Event()
    settled: list[Settled] = []

    def take(told: list[Settled]) -> None:
        settled.extend(told)
        if len(settled) == len(parts):
            done.set()

    gateway.feed(parts, take)
    done.wait()
    if not all(isinstance(each.outcome, Accepted) for each in settled):
        sys.exit("the carrier did not accept everything")


def _wait_for(port: int) -> None:
    until = monotonic() + 30
    while monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    sys.exit("the carrier did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_document = parser.parse_args().json
    logs.configure(level="ERROR")
    told = figures()
    if as_document:
        print(json.dumps(told))
        return
    for name, value in told.items():
        print(f"{re.sub('_', ' ', name):20} {value:>10,}")


if __name__ == "__main__":
    main()
