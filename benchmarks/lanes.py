"""Past a broadcast of 100,000: how long an answer, an urgent notice, a refusal and a pause take, over SMPP.

python -m benchmarks.lanes [--recipients 100000] [--rate 500] [--rounds 5] [--database sqlite|postgresql] [--json]

`simulate smpp` in this process, the sender in one of its own. Nobody waits for the end of the broadcast: it is measured
while it goes out, and aborted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from broadcaster import logs, migrations
from broadcaster.campaigns import compose
from broadcaster.delivery import control
from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import Rehearsal, rehearsing
from broadcaster.runtime import Runtime
from broadcaster.settings import Settings, load
from subscribers.actor import OPERATOR
from subscribers.clock import monotonic
from tests import servers
from tests.journeys import sending, stage
from tests.journeys.forks import FORKS

SENDER = "10690000"
#: seconds
PATIENCE, HELD = 60.0, 5.0
AT_ONCE = 10_000


class Watched:
    """The carrier's log, read on from where it was read last."""

    def __init__(self, carrier: Rehearsal) -> None:
        self._log = carrier.log
        self._at = 0
        self.taken = 0
        self.texts: dict[str, list[str]] = {}

    def look(self) -> None:
        """Take in what is new: how many parts, and the texts by number."""
        with self._log.open("rb") as file:
            file.seek(self._at)
            new = file.read()
        new = new[: new.rfind(b"\n") + 1]
        self._at += len(new)
        for line in new.splitlines():
            self.taken += 1
            told = json.loads(line)
            self.texts.setdefault(f"+{told['destination']}", []).append(told["text"])

    def seconds_until(self, true: Callable[[], object], patience: float = PATIENCE) -> float:
        """How long it takes until this is true of what was taken."""
        began = monotonic()
        while not true():
            if monotonic() - began > patience:
                raise TimeoutError
            time.sleep(0.01)
            self.look()
        return monotonic() - began


def measured(runtime: Runtime, settings: Settings, carrier: Rehearsal, told: argparse.Namespace) -> dict[str, Any]:
    """Start the broadcast, and measure while it goes out."""
    audience: list[str] = []
    while len(audience) < told.recipients:
        audience += sorted(stage.people(runtime, min(AT_ONCE, told.recipients - len(audience))))
    readers = [stage.people(runtime, 1, tags=(f"急{nth}",)).pop() for nth in range(told.rounds)]
    broadcast = stage.draft(runtime, "{{ name }}，您好：这是今天的消息。")
    sender = FORKS.Process(target=send, args=(settings,))
    sender.start()
    watched = Watched(carrier)
    try:
        if not sending.wait_until(lambda: carrier.counts().binds, PATIENCE):
            raise TimeoutError
        # what the same takes where nothing stands in the way
        alone = [answered(carrier, watched, audience[-1 - nth]) for nth in range(told.rounds)]
        stage.start(runtime, broadcast)
        watched.seconds_until(lambda: watched.taken > told.rate, 10 * PATIENCE)
        began, before = monotonic(), watched.taken
        answers, behind, urgents = [], [], []
        for nth in range(told.rounds):
            at = watched.taken
            answers.append(answered(carrier, watched, audience[-1 - told.rounds - nth]))
            behind.append(watched.taken - at)
            reader = readers[nth]
            notice = stage.draft(runtime, "紧急通知。", rule=f'tag = "急{nth}"', urgent=True)
            asked = monotonic()
            stage.start(runtime, notice)
            watched.seconds_until(lambda reader=reader: watched.texts.get(reader))
            urgents.append(monotonic() - asked)
        rate = (watched.taken - before) / (monotonic() - began)
        asked = monotonic()
        with runtime.begin() as tx:
            control.pause(tx.session, OPERATOR, compose.get(tx.session, OPERATOR, broadcast), now=tx.now)
        last, at, since = asked, watched.taken, asked
        while monotonic() - since < HELD:
            watched.look()
            if watched.taken > at:
                at, last, since = watched.taken, monotonic(), monotonic()
        return {
            "recipients": told.recipients,
            "taken": watched.taken,
            "parts_per_second": round(rate),
            "answer_alone_seconds": rounded(alone),
            "answer_seconds": rounded(answers),
            "parts_in_between": max(behind),
            "urgent_seconds": rounded(urgents),
            "pause_seconds": round(last - asked, 2),
            "texts_after_a_refusal": sum(len(watched.texts[leaver]) - 1 for leaver in audience[-2 * told.rounds :]),
            # above 1 for each core others were waiting as well
            "load_per_core": round(os.getloadavg()[0] / (os.cpu_count() or 1), 1),
        }
    finally:
        sender.terminate()
        sender.join(60)


def answered(carrier: Rehearsal, watched: Watched, leaver: str) -> float:
    """A member refuses the paper: the seconds until the carrier has the answer."""
    carrier.say(leaver[1:], "TD", system_id="paper", destination=SENDER)
    return watched.seconds_until(lambda: watched.texts.get(leaver))


def send(settings: Settings) -> None:
    """The sender's process: standard output is for the figures."""
    logs.configure(level="ERROR")
    sending.send(settings)


def rounded(seconds: list[float]) -> dict[str, float]:
    """Median and worst."""
    return {"median": round(statistics.median(seconds), 2), "worst": round(max(seconds), 2)}


@contextlib.contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty one."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'lanes.db'}"
        return
    place = folder / "server"
    place.mkdir()
    # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
    place.parent.chmod(0o755)
    with servers.postgresql(place) as url:
        yield url


def main() -> int:
    """Measure and print; 1 if an answer or an urgent notice took longer than two seconds, or the pause than one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipients", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=500, help="parts a second that the gateway may send; 0: no limit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    told = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        database(told.database, Path(folder)) as url,
    ):
        manners = Behaviour(receipt_delay=0.5)
        with rehearsing(Path(folder) / "accepted.jsonl", manners) as carrier:
            table = {
                "kind": "smpp",
                "host": "127.0.0.1",
                "port": carrier.port,
                "system_id": "paper",
                "sender": SENDER,
                "parts_per_second": told.rate,
            }
            settings = load(None, data=Path(folder), store={"url": url}, gateways={"carrier": table})
            with stage.runtime_on(settings) as runtime:
                migrations.upgrade(url)
                figures = measured(runtime, settings, carrier, told)
    if told.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:22} {value}")
    slow = max(figures["answer_seconds"]["worst"], figures["urgent_seconds"]["worst"]) > 2
    return int(slow or figures["pause_seconds"] > 1 or figures["texts_after_a_refusal"] > 0)


if __name__ == "__main__":
    sys.exit(main())
