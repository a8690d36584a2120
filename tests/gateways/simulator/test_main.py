from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from broadcaster.gateways.contract import Refused
from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.gateways.testkit import make_parts
from tests.gateways.simulator.conftest import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "broadcaster.gateways.simulator", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)


def test_it_behaves_as_told(start_carrier, make_gateway) -> None:
    carrier = start_carrier(
        "--refused",
        "1",
        "--failed",
        "0",
        "--late",
        "0",
        "--never",
        "0",
        "--delay",
        "1",
        "2",
        "--reply-texts",
        "收到",
        "R",
        "好",
    )
    gateway = make_gateway()
    gateway.open()
    assert gateway.stats()["accepted"] == 0
    assert isinstance(gateway.submit(make_parts(1))[0], Refused)
    assert gateway.stats()["refused"] == 1
    busy = run("--file", str(carrier.file))
    assert (busy.returncode, busy.stdout) == (1, "")
    assert "is running already" in busy.stderr
    assert carrier.end(signal.SIGINT) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--failed", "2"), "--failed Input should be less than or equal to 1"),
        (("--failed", "0.9", "--late", "0.9"), "together are more than 1"),
        (("--colour", "red"), "unrecognized arguments"),
    ],
)
def test_wrong_use(tmp_path, arguments: tuple[str, ...], words: str) -> None:
    done = run("--file", str(tmp_path / "carrier"), *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_help_tells_of_every_behaviour() -> None:
    told = run("--help").stdout
    for name in Behaviour.model_fields:
        assert f"--{name.replace('_', '-')}" in told


PROGRAM = """
import os, signal, sys, threading, time
from broadcaster.gateways.simulator.__main__ import main

def ask():
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=ask).start()
# so it is this other thread that is told, and nothing wakes the main one
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
sys.exit(main(["--file", sys.argv[1]]))
"""


def test_a_signal_that_another_thread_gets_ends_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "mine.carrier")]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    assert found.returncode == 0, found.stderr
