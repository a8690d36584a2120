from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from broadcaster.gateways.contract import Accepted, OptedOut, OutcomeUnknown, Refused, Throttled, Unreachable
from broadcaster.gateways.errors import LinkDown, Misconfigured
from broadcaster.gateways.events import Event, InboundMessage
from broadcaster.gateways.simulator.journal import accepted_parts
from broadcaster.gateways.testkit import make_part, make_parts
from tests.gateways.simulator.conftest import ROOT

RELIABLE = {"failed": 0, "late": 0, "never": 0, "delay": [0, 0.1]}

HOSTS = """
import sys, time
from pathlib import Path
from zoneinfo import ZoneInfo
from broadcaster.gateways.contract import GatewayContext
from broadcaster.gateways.registry import make
gateway = make("sim", {"kind": "simulator"}, GatewayContext(Path(sys.argv[1]), ZoneInfo("UTC")))
gateway.open()
print(gateway.stats()["accepted"], flush=True)
time.sleep(60)
"""


def hear(gateway, count: int) -> list[Event]:
    heard: list[Event] = []
    stop = threading.Event()

    def store(events: list[Event]) -> None:
        heard.extend(events)
        if len(heard) >= count:
            stop.set()

    timer = threading.Timer(10, stop.set)
    timer.start()
    gateway.listen(store, stop)
    timer.cancel()
    timer.join()
    return heard


def test_outcomes_in_the_words_of_the_contract(make_gateway) -> None:
    gateway = make_gateway(refused=0.3, blacklisted=0.3, throttled=0.2, retry_after=1.5)
    gateway.open()
    outcomes = gateway.submit(make_parts(60))
    assert set(outcomes) - {outcome for outcome in outcomes if isinstance(outcome, Accepted)} == {
        Refused("101", "The carrier does not accept this number", permanent=True),
        OptedOut("102", "The number is on the carrier's list of refusals"),
        Throttled(1.5),
    }


def test_two_gateways_on_one_file_share_a_carrier(make_gateway) -> None:
    first, second = make_gateway(**RELIABLE), make_gateway(**RELIABLE)
    first.open()
    second.open()
    first.submit(make_parts(2))
    second.submit(make_parts(2, first=3))
    assert first.stats()["accepted"] == second.stats()["accepted"] == 4
    assert len(hear(second, 4)) == 4


def test_the_next_one_takes_over(make_gateway) -> None:
    first, second = make_gateway(**RELIABLE), make_gateway(**RELIABLE)
    first.open()
    second.open()
    second.submit(make_parts(1))
    first.submit(make_parts(1, first=2))
    first.close()
    assert isinstance(second.submit(make_parts(1, first=3))[0], Accepted)
    assert {event.client_reference for event in hear(second, 3)} == {"p1", "p2", "p3"}
    assert [type(outcome) for outcome in first.submit(make_parts(1, first=4))] == [Unreachable]


def test_the_next_process_takes_over_from_a_killed_one(make_gateway, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOSTS, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"0\n"
    gateway = make_gateway(**RELIABLE)
    gateway.open()
    gateway.submit(make_parts(5))
    process.kill()
    process.wait()
    process.stdout.close()
    assert [type(outcome) for outcome in gateway.submit(make_parts(5, first=6))] == [Accepted] * 5
    assert len(accepted_parts(gateway.file)) == gateway.stats()["accepted"] == 10


def test_a_stranger_on_its_old_port_is_not_taken_for_the_carrier(make_gateway, tmp_path: Path) -> None:
    stranger = make_gateway(file="other", **RELIABLE)
    stranger.open()
    gateway = make_gateway(**RELIABLE)
    gateway.open()
    gateway.close()
    own, other = tmp_path / "sim.carrier.port", tmp_path / "other.port"
    told = json.loads(own.read_text()) | {"port": json.loads(other.read_text())["port"]}
    own.write_text(json.dumps(told))
    gateway.open()
    assert isinstance(gateway.submit(make_parts(1))[0], Accepted)
    assert stranger.stats()["accepted"] == 0


def test_a_member_says_something(make_gateway) -> None:
    gateway = make_gateway(**RELIABLE)
    gateway.open()
    said = gateway.say("+8619900000001", "退订 👋", "10690000", after=0.1)
    (message,) = hear(gateway, 1)
    assert isinstance(message, InboundMessage)
    assert (message.message_id, message.gateway, message.text) == (said, "sim", "退订 👋")
    assert (message.msisdn, message.destination) == ("+8619900000001", "10690000")
    assert message.received_at
    assert message.received_at.utcoffset() is not None


def test_no_answer_in_time_is_unknown(make_gateway) -> None:
    gateway = make_gateway(**RELIABLE, latency=1.0, answer_timeout=0.2)
    gateway.open()
    assert [type(outcome) for outcome in gateway.submit(make_parts(2))] == [OutcomeUnknown] * 2
    assert len(accepted_parts(gateway.file)) == 2


@pytest.mark.parametrize("then_closes", [True, False])
def test_what_was_not_handed_over_whole_is_unreachable(make_gateway, then_closes: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gateway = make_gateway(port=listener.getsockname()[1], answer_timeout=0.3 if not then_closes else 5)
        over = threading.Event()

        def greet_and_never_read() -> None:
            near, _ = listener.accept()
            with near:
                near.sendall(b'{"carrier":"deaf"}\n')
                over.wait(0.3 if then_closes else 10)

        deaf = threading.Thread(target=greet_and_never_read)
        deaf.start()
        gateway.open()
        large = [make_part(number, "长" * 70) for number in range(30000)]
        assert {type(outcome) for outcome in gateway.submit(large)} == {Unreachable}
        over.set()
        deaf.join()


def test_a_message_that_cannot_be_said_is_told(make_gateway) -> None:
    gateway = make_gateway(**RELIABLE)
    gateway.open()
    with pytest.raises(LinkDown, match="it did not understand"):
        gateway.say("+8619900000001", "R", "10690000", after=float("nan"))
    assert gateway.stats()["said"] == 0


def test_where_no_carrier_is(make_gateway) -> None:
    gateway = make_gateway(port=1)
    gateway.open()
    assert [type(outcome) for outcome in gateway.submit(make_parts(2))] == [Unreachable] * 2
    for ask in (gateway.stats, lambda: gateway.say("1", "2", "3"), lambda: hear(gateway, 1)):
        with pytest.raises(LinkDown, match="gateway sim does not answer"):
            ask()


def test_a_file_that_cannot_be_used_is_told(make_gateway, tmp_path: Path) -> None:
    (tmp_path / "sim.carrier").write_text("dear diary\n")
    with pytest.raises(Misconfigured, match="was not written by a simulated carrier"):
        make_gateway().open()


def test_a_forked_child_has_connections_of_its_own(make_gateway) -> None:
    gateway = make_gateway(**RELIABLE)
    gateway.open()
    gateway.submit(make_parts(1))
    child = os.fork()
    if child == 0:
        outcomes = gateway.submit(make_parts(20, first=100))
        os._exit(0 if all(isinstance(outcome, Accepted) for outcome in outcomes) else 1)
    for number in range(20):
        assert isinstance(gateway.submit([make_part(2 + number)])[0], Accepted)
    assert os.waitpid(child, 0)[1] == 0
    binds = {line["destination"]: line["bind"] for line in accepted_parts(gateway.file)}
    parents, childs = ({binds[part.msisdn] for part in parts} for parts in (make_parts(21), make_parts(20, first=100)))
    assert parents.isdisjoint(childs)
