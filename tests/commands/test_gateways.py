"""Holding connections, each in a process of its own: places, waiting, ending, kill -9."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest

from broadcaster.gateways.simulator.journal import accepted_parts
from tests.commands.conftest import CONFIG, Desk
from tests.journeys.sending import wait_until
from tests.rules import ROOT

#: twenty parts a second by two connections
SLOW = CONFIG.replace('price = "0.05"', 'price = "0.05"\nbinds = 2\nparts_per_second = 20')
MANY = "姓名,手机,支部,状态,订阅\n" + "".join(f"读者{n},1990000{n:04},东川,在职,是\n" for n in range(60))


class Serving:
    """A command in a process of its own that goes on until it is asked to end."""

    def __init__(self, desk: Desk, *words: str) -> None:
        self.process = desk.start(*words)
        self.said: list[str] = []
        for stream in filter(None, (self.process.stdout, self.process.stderr)):
            threading.Thread(target=self._read, args=(stream,)).start()

    def _read(self, stream: IO[str]) -> None:
        # extend would keep the lines back until the stream has ended
        for line in stream:
            self.said += [line]

    def says(self, words: str, seconds: float = 40) -> bool:
        return wait_until(lambda: words in "".join(self.said), seconds)

    def ends(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(40)


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[int]:
    """A carrier that outlives whoever holds a connection to it; its port."""
    options = [sys.executable, "-m", "broadcaster.gateways.simulator", "--file", str(tmp_path / "carrier")]
    options += ["--failed", "0", "--late", "0", "--never", "0", "--delay", "0.1", "0.3"]
    with subprocess.Popen(options, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


def test_two_hold_a_third_waits_and_takes_over_from_the_dead(desk: Desk, carrier: int) -> None:
    desk.write("broadsheet.toml", SLOW + f"port = {carrier}\n")
    desk.write("people.csv", MANY)
    assert desk.type("members", "import", "people.csv").code == 0
    with ExitStack() as stack:
        runs = []
        for _ in range(3):
            runs.append(Serving(desk, "gateways", "run", "simulator"))
            stack.enter_context(runs[-1].process)
            stack.callback(runs[-1].process.kill)
            assert runs[-1].says("Sending for simulator.")
            if len(runs) < 3:
                assert wait_until(lambda: _bound(desk) == len(runs), 40)
        assert runs[2].says("All 2 connections of simulator are held by other processes: waiting.")
        assert desk.type("campaigns", "create", "--text", "{{ name }}，您好。", "--to", "everyone").code == 0
        assert desk.type("campaigns", "send", 1, "--confirm", 60).code == 0
        file = desk.folder / "carrier"
        assert wait_until(lambda: len(accepted_parts(file)) > 10, 40)
        assert runs[0].ends(signal.SIGKILL) == -signal.SIGKILL
        assert runs[2].says("of simulator is held from here now.")
        watched = desk.type("campaigns", "watch", 1, "--until", "sent", "--timeout", 60, "--json").document
        assert [run.ends() for run in runs[1:]] == [0, 0]
    numbers = [line["destination"] for line in accepted_parts(file)]
    doubtful = watched["messages"].get("unknown", 0)
    # half a second of its half of the rate is what the dead had in hand
    assert doubtful <= 5
    assert len(numbers) == len(set(numbers)) >= 60 - doubtful
    assert {line["bind"] for line in accepted_parts(file)} > {1}
    assert _bound(desk) == 0


def _bound(desk: Desk) -> int:
    listed = desk.type("gateways", "list", "--json").document["gateways"][0]
    return sum(bind["bound"] for bind in listed["binds"])
