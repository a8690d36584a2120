from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from broadcaster.gateways.errors import Misconfigured
from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.gateways.simulator.host import Host, address
from tests.gateways.simulator.conftest import ROOT

FORKS = """
import os, sys, time
from pathlib import Path
from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.gateways.simulator.host import Host
host = Host.take(Path(sys.argv[1]), Behaviour())
child = os.fork()
if child == 0:
    time.sleep(60)
print(child, flush=True)
time.sleep(60)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "carrier"


def test_one_host_at_a_time(file: Path) -> None:
    first = Host.take(file, Behaviour())
    assert first
    assert Host.take(file, Behaviour()) is None
    first.close()
    first.close()
    second = Host.take(file, Behaviour())
    assert second
    assert address(file) == (second.port, second.identity)
    second.close()


def test_nobody_ever_ran_it(file: Path) -> None:
    assert address(file) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"port":"x","carrier":""}'])
def test_a_damaged_port_file_is_none(file: Path, text: str) -> None:
    file.with_name("carrier.port").write_text(text)
    assert address(file) is None


def test_a_taken_port_is_told(file: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(Misconfigured, match=r"cannot start on .*carrier: Address already in use"),
    ):
        Host.take(file, Behaviour(), other.getsockname()[1])
    host = Host.take(file, Behaviour())
    assert host, "the lock was not let go"
    host.close()


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(Misconfigured, match="cannot start"):
        Host.take(tmp_path / "taken" / "carrier", Behaviour())


def test_another_file_is_told_and_let_go(file: Path) -> None:
    file.write_text("dear diary\n")
    for _ in range(2):
        with pytest.raises(Misconfigured, match=r"Line 1 of .* was not written by a simulated carrier"):
            Host.take(file, Behaviour())


def test_a_forked_child_does_not_keep_a_dead_carrier_alive(file: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", FORKS, str(file)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    child = int(process.stdout.readline())
    try:
        port, _ = address(file) or (0, "")
        assert Host.take(file, Behaviour()) is None
        process.kill()
        process.wait()
        process.stdout.close()
        time.sleep(0.05)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 1)
        host = Host.take(file, Behaviour())
        assert host
        host.close()
    finally:
        os.kill(child, signal.SIGKILL)
