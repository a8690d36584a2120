"""The processes of a scaled-out installation, over a real broker: each does its part, and ends when it is asked to."""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import ExitStack

from tests.commands.conftest import Desk


def test_worker_beat_and_a_gateway_of_its_own(staffed: Desk, redis_url: str) -> None:
    staffed.env["BROADSHEET_QUEUE__URL"] = redis_url
    staffed.type("campaigns", "create", "--text", "{{ name }}，您好。", "--to", "everyone")
    with ExitStack() as stack:
        serving = [
            stack.enter_context(staffed.start(*words, "--json"))
            for words in (
                ("worker", "--queues", "control,receipts,replies", "--threads", 2),
                ("beat",),
                ("gateways", "run", "simulator"),
            )
        ]
        stack.callback(lambda: [process.kill() for process in serving])
        said = [json.loads(process.stdout.readline()) for process in serving if process.stdout]
        assert said == [{"queues": ["control", "receipts", "replies"]}, {"every": 1.0}, {"gateway": "simulator"}]
        assert staffed.type("campaigns", "send", 1, "--confirm", 3).code == 0
        watched = staffed.type("campaigns", "watch", 1, "--until", "closed", "--timeout", 40, "--json")
        assert watched.document["messages"] == {"delivered": 3, "skipped": 1}
        assert "sent from here" not in watched.err
        assert [end(process) for process in serving] == [0, 0, 0]


def end(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    return process.returncode


def test_a_queue_with_a_misspelt_name(staffed: Desk, redis_url: str) -> None:
    typed = staffed.run("worker", "--queues", "contol", BROADSHEET_QUEUE__URL=redis_url)
    assert (typed.code, typed.out) == (2, "")
    assert "There is no queue contol." in typed.err
