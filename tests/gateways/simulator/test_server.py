from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.gateways.simulator.host import Host, address
from broadcaster.gateways.simulator.wire import Link
from tests.gateways.simulator.test_carrier import wire


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "carrier"


@pytest.fixture
def host(file: Path) -> Iterator[Host]:
    host = Host.take(file, Behaviour(delay=(0, 0), failed=0, late=0, never=0))
    assert host
    yield host
    host.close()


@pytest.fixture
def link(host: Host) -> Iterator[Link]:
    link = Link.connect("127.0.0.1", host.port, 5)
    yield link
    link.close()


def test_it_greets_with_its_identity(link: Link, host: Host, file: Path) -> None:
    port, identity = address(file) or (0, "")
    assert port == host.port
    assert link.read(5) == {"carrier": identity}


@pytest.mark.parametrize(
    "request_line",
    [
        {},
        {"do": "dance"},
        {"do": "submit"},
        {"do": "submit", "parts": 3},
        {"do": "submit", "parts": [{}]},
        {"do": "submit", "parts": [wire(1, total="x", part=[])]},
        {"do": "say", "msisdn": "+8619900000001"},
        {"do": "say", "msisdn": "+8619900000001", "text": "R", "destination": "1", "after": "soon"},
    ],
)
def test_what_it_does_not_understand_ends_that_connection_only(
    link: Link, host: Host, request_line: dict[str, object]
) -> None:
    link.read(5)
    link.send([request_line], 5)
    assert "error" in (link.read(5) or {})
    with pytest.raises(ConnectionError):
        link.read(5)
    other = Link.connect("127.0.0.1", host.port, 5)
    other.read(5)
    other.send([{"do": "submit", "parts": [wire(2)]}], 5)
    assert (other.read(5) or {})["outcome"] == "accepted"
    other.close()


def test_a_listener_that_says_something_else_has_not_heard(link: Link, host: Host) -> None:
    link.read(5)
    link.send([{"do": "submit", "parts": [wire(1)]}], 5)
    link.read(5)
    link.send([{"do": "listen"}], 5)
    told = link.read(5)
    link.send([{"do": "acknowledge?"}], 5)
    assert "error" in (link.read(5) or {})
    with pytest.raises(ConnectionError):
        link.read(5)
    other = Link.connect("127.0.0.1", host.port, 5)
    other.read(5)
    other.send([{"do": "listen"}], 5)
    assert other.read(5) == told
    other.send([{"do": "acknowledge"}], 5)
    assert other.read(0.3) is None
    other.close()


def test_two_listeners_share_what_there_is(link: Link, host: Host) -> None:
    other = Link.connect("127.0.0.1", host.port, 5)
    submitter = Link.connect("127.0.0.1", host.port, 5)
    for each in (link, other):
        each.read(5)
        each.send([{"do": "listen"}], 5)
    submitter.read(5)
    heard: list[str] = []
    for number in range(20):
        submitter.send([{"do": "submit", "parts": [wire(number)]}], 5)
        for each in (link, other):
            told = each.read(0.02)
            if told:
                heard += [event["id"] for event in told["events"]]
                each.send([{"do": "acknowledge"}], 5)
    for each in (link, other):
        while told := each.read(0.3):
            heard += [event["id"] for event in told["events"]]
            each.send([{"do": "acknowledge"}], 5)
    assert len(heard) == len(set(heard)) == 20
    other.close()
    submitter.close()
