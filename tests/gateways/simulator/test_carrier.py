from __future__ import annotations

import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadcaster.gateways.simulator.carrier import Carrier
from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.gateways.simulator.journal import accepted_parts, read
from broadcaster.gateways.simulator.reasons import BAD_NUMBER, BLACKLISTED

BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)
RELIABLE = Behaviour(failed=0, late=0, never=0)


class SetClock:
    now = BEGAN

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def open_carrier(tmp_path: Path, clock: SetClock):
    opened: list[Carrier] = []

    def open_carrier(behaviour: Behaviour = RELIABLE) -> Carrier:
        for carrier in opened:
            carrier.close()
        opened.append(Carrier(tmp_path / "carrier", behaviour, clock))
        return opened[-1]

    yield open_carrier
    opened[-1].close()


def wire(number: int, **changed: object) -> dict[str, object]:
    part = {"source": "10690000", "destination": f"+86199{number:08d}", "text": "本期要闻", "reference": 5}
    return part | {"part": 1, "total": 1, "client_reference": f"p{number}"} | changed


def test_its_file_says_what_it_took(open_carrier, tmp_path: Path) -> None:
    carrier = open_carrier()
    answers = carrier.submit(3, [wire(1), wire(2)])
    first, second = accepted_parts(tmp_path / "carrier")
    assert [answer["id"] for answer in answers] == [first["id"], second["id"]]
    assert {key: first[key] for key in wire(1)} == wire(1)
    assert (first["time"], first["bind"], first["sequence"], second["sequence"]) == (BEGAN.isoformat(), 3, 1, 2)


def test_receipts_fall_due_once(open_carrier, clock: SetClock) -> None:
    carrier = open_carrier()
    (answer,) = carrier.submit(1, [wire(1)])
    assert carrier.take_due(10, 0) == []
    clock.pass_by(2)
    (event,) = carrier.take_due(10, 0)
    assert (event["event"], event["message_id"], event["code"]) == ("receipt", answer["id"], "000")
    assert (event["msisdn"], event["client_reference"]) == (wire(1)["destination"], "p1")
    assert BEGAN < datetime.fromisoformat(event["time"]) <= clock.now
    assert carrier.take_due(10, 0) == []


def test_told_again_until_acknowledged(open_carrier, clock: SetClock) -> None:
    carrier = open_carrier()
    carrier.submit(1, [wire(1), wire(2), wire(3)])
    clock.pass_by(2)
    told = carrier.take_due(2, 0)
    assert len(told) == 2
    carrier.release([event["id"] for event in told])
    again = carrier.take_due(10, 0)
    assert len(again) == 3
    assert [event for event in told if event not in again] == []
    carrier.acknowledge([event["id"] for event in again])
    clock.pass_by(1000)
    assert carrier.take_due(10, 0) == []
    assert carrier.stats() == {"accepted": 3, "refused": 0, "throttled": 0, "said": 0, "untold": 0}


def test_a_restart_goes_on_with_what_was_not_acknowledged(open_carrier, clock: SetClock) -> None:
    carrier = open_carrier()
    carrier.submit(1, [wire(1), wire(2)])
    carrier.say("+8619900000001", "R", "10690000", after=0.5)
    clock.pass_by(2)
    told = carrier.take_due(10, 0)
    assert len(told) == 3
    carrier.acknowledge([told[0]["id"]])
    carrier = open_carrier()
    assert carrier.take_due(10, 0) == told[1:]
    assert carrier.stats()["untold"] == 2


def test_ids_are_never_given_twice(open_carrier, tmp_path: Path) -> None:
    ids = [open_carrier().submit(1, [wire(number)])[0]["id"] for number in range(3)]
    ids += [open_carrier().say("+8619900000001", "R", "10690000", 0) for _ in range(2)]
    (tmp_path / "carrier").unlink()
    ids.append(open_carrier().submit(1, [wire(1)])[0]["id"])
    assert len(set(ids)) == 6


def test_a_member_says_something(open_carrier, clock: SetClock) -> None:
    carrier = open_carrier()
    said = carrier.say("+8619900000001", "拒收 👋", "10690000", after=3)
    clock.pass_by(2.9)
    assert carrier.take_due(10, 0) == []
    clock.pass_by(0.1)
    (event,) = carrier.take_due(10, 0)
    assert (event["event"], event["message_id"], event["text"]) == ("message", said, "拒收 👋")
    assert (event["source"], event["destination"]) == ("+8619900000001", "10690000")


def test_members_answer_the_sender_by_themselves(open_carrier, clock: SetClock) -> None:
    carrier = open_carrier(RELIABLE.model_copy(update={"replies": 1.0, "reply_texts": ("R",)}))
    carrier.submit(1, [wire(1)])
    clock.pass_by(10)
    receipt, answer = carrier.take_due(10, 0)
    assert receipt["event"] == "receipt"
    assert (answer["source"], answer["destination"], answer["text"]) == ("+8619900000001", "10690000", "R")


@pytest.mark.parametrize(("which", "code"), [("refused", BAD_NUMBER), ("blacklisted", BLACKLISTED)])
def test_what_is_refused_is_not_in_the_file(open_carrier, tmp_path: Path, which: str, code: str) -> None:
    carrier = open_carrier(Behaviour.model_validate({"failed": 0, "late": 0, "never": 0, which: 1}))
    assert carrier.submit(1, [wire(1)]) == [{"outcome": "refused", "code": code}]
    assert accepted_parts(tmp_path / "carrier") == []


def test_who_is_throttled_gets_through_in_the_end(open_carrier, tmp_path: Path) -> None:
    carrier = open_carrier(RELIABLE.model_copy(update={"throttled": 0.5}))
    waiting, tries = [wire(number) for number in range(40)], 0
    while waiting:
        answers = carrier.submit(1, waiting)
        assert {answer["outcome"] for answer in answers} <= {"accepted", "throttled"}
        assert all(answer["retry_after"] == 0.2 for answer in answers if answer["outcome"] == "throttled")
        waiting = [part for part, answer in zip(waiting, answers, strict=True) if answer["outcome"] == "throttled"]
        tries += 1
        assert tries < 20
    assert tries > 2
    assert len(accepted_parts(tmp_path / "carrier")) == 40
    assert carrier.stats()["throttled"] > 10


def test_with_a_full_disk_nothing_is_accepted(open_carrier, tmp_path: Path) -> None:
    carrier = open_carrier()
    carrier.submit(1, [wire(1)])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "carrier").stat().st_size + 300, before[1]))
    try:
        assert {answer["outcome"] for answer in carrier.submit(1, [wire(2), wire(3)])} == {"throttled"}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (answer,) = carrier.submit(1, [wire(4)])
    assert [(line["sequence"], line["id"]) for line in accepted_parts(tmp_path / "carrier")][1:] == [(2, answer["id"])]


def test_a_part_without_its_fields_is_not_half_accepted(open_carrier, tmp_path: Path) -> None:
    carrier = open_carrier()
    with pytest.raises(KeyError):
        carrier.submit(1, [wire(1), {"destination": "+8619900000002"}])
    assert [line["kind"] for line in read(tmp_path / "carrier")] == ["opened"]
    assert carrier.stats()["untold"] == 0
