"""Other people's programs against the same carrier.

python -m benchmarks._rivals smpplib PORT PARTS PARTS_EACH      prints its figures as JSON
"""

from __future__ import annotations

import json
import resource
import shutil
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path

import smpplib.client
import smpplib.consts

from benchmarks import _probe
from benchmarks._carrier import SENDER, carrier

#: as in the product's run
WINDOW = 100
_TEXT = (
    "王伟同志（第117支部，3排18号）：周五下午三点在二楼会议室开会，请带好工作证，"
    "提前十分钟到场签到，不能来的请事先说一声。拒收请回复R"
)


def smpplib_alone(port: int, parts: int, parts_each: int) -> dict[str, float]:
    """The library's own client with a window, and TCP_NODELAY, which it does not set itself. Nothing is stored.

    From the first part to the last receipt. Texts are encoded and cut before it begins.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = smpplib.client.Client("127.0.0.1", port, allow_unknown_opt_params=True)
    client.connect()
    client._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.bind_transceiver(system_id="bench", password="")
    counted = {"answers": 0, "receipts": 0}

    def count(what: str) -> None:
        counted[what] += 1

    client.set_message_sent_handler(lambda pdu: count("answers"))
    # the library answers it by itself when this returns
    client.set_message_received_handler(lambda pdu: count("receipts"))
    texts = _pieces(parts_each)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.monotonic()
    for number in range(parts):
        while number - counted["answers"] >= WINDOW:
            client.read_once()
        client.send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_UNK,
            source_addr=SENDER,
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
            destination_addr=str(8619900000000 + number // parts_each),
            data_coding=8,
            esm_class=0x40 if parts_each > 1 else 0,
            short_message=texts[number % parts_each],
            registered_delivery=True,
        )
    while counted["answers"] < parts or counted["receipts"] < parts:
        client.read_once()
    passed = time.monotonic() - began
    client.unbind()
    client.disconnect()
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"parts_per_second": parts / passed, "cpu_s_per_1000": used / parts * 1000}


def _pieces(parts_each: int) -> list[bytes]:
    if parts_each == 1:
        return [_TEXT.encode("utf-16-be")]
    return [
        bytes((5, 0, 3, 7, parts_each, number)) + (_TEXT * 2)[:67].encode("utf-16-be")
        for number in range(1, parts_each + 1)
    ]


def run_smpplib(parts: int, parts_each: int, receipt_delay: float) -> dict[str, float]:
    """It, in a process of its own, against a carrier of its own."""
    with carrier(receipt_delay) as there:
        words = ["smpplib", str(there.port), str(parts), str(parts_each)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks._rivals", *words],
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def peers(receipt_delay: float) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """What this machine can run beside us, measured once; and why the others are left out."""
    found, left_out = {}, {}
    text = _TEXT.encode("utf-16-be")
    try:
        found["celery_task_per_message"] = _probe.run(1_500, text, receipt_delay)
    except (ImportError, RuntimeError, TimeoutError) as error:
        left_out["celery_task_per_message"] = str(error)
    left_out["jasmin"] = _needs("jasmind.py", "rabbitmq-server")
    left_out["kannel"] = _needs("bearerbox")
    return found, left_out


def _needs(*programs: str) -> str:
    lacking = [name for name in programs if not shutil.which(name)]
    if lacking:
        return f"{', '.join(lacking)}: not on PATH"
    return "found, but a configuration of it for this carrier is not part of this benchmark"


if __name__ == "__main__":
    print(json.dumps(smpplib_alone(*map(int, sys.argv[2:]))))
