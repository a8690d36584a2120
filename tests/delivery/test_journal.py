"""What survives `kill -9`, and what is not believed."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.delivery import journal
from broadcaster.delivery.journal import Evidence, Journal, evidence_in, read
from broadcaster.gateways.contract import (
    Accepted,
    OptedOut,
    Outcome,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unreachable,
)
from subscribers.errors import Unavailable
from tests.journeys.sending import wait_until

WRITES = """
import os, sys
from pathlib import Path
from broadcaster.delivery.journal import Journal
from broadcaster.gateways.contract import Accepted
mine = Journal(Path(sys.argv[1]), "token", slots=50)
for number in range(1, 1000):
    mine.wrote(1, number)
    print(number, flush=True)
    mine.answered(1, number, Accepted(f"id-{number}"))
    if number > 20:
        mine.forget(1, [number - 20])
"""


def _told(path: Path, token: str = "token") -> Evidence:
    evidence = evidence_in(path.read_bytes(), token)
    assert evidence is not None
    return evidence


def test_a_killed_process_has_noted_every_part_that_it_began(tmp_path: Path) -> None:
    path = tmp_path / "journals" / "owner-1"
    with subprocess.Popen([sys.executable, "-c", WRITES, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        last = 0
        for line in process.stdout:
            last = int(line)
            if last == 500:
                os.kill(process.pid, signal.SIGKILL)
        assert last >= 500
    evidence = read(path, "token")
    assert evidence is not None
    # it may have noted one more than it could say; what it had forgotten was safe elsewhere
    assert max(evidence.written) in (last, last + 1)
    assert set(range(last - 18, last + 1)) <= evidence.written
    assert all(evidence.of(number) == Accepted(f"id-{number}") for number in range(last - 18, last))
    assert evidence.of(last + 100) is None


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Accepted("1a2b-水"), Accepted("1a2b-水")),
        (Accepted("x" * 500), OutcomeUnknown),
        (Refused("11", "no such number"), Refused("11", "no such number")),
        (Refused("11", "水" * 500, permanent=False), Refused),
        (OptedOut("21610", "stop"), OptedOut("21610", "stop")),
        (OutcomeUnknown("silence"), OutcomeUnknown),
        (Throttled(1), None),
        (Unreachable("down"), None),
    ],
    ids=str,
)
def test_what_the_carrier_said(tmp_path: Path, outcome: Outcome, told: Outcome | type[Outcome] | None) -> None:
    path = tmp_path / "owner-1"
    mine = Journal(path, "token")
    mine.wrote(1, 7)
    mine.answered(1, 7, outcome)
    found = _told(path).of(7)
    assert type(found) is told if isinstance(told, type) else found == told


def test_a_part_that_goes_out_again_is_not_forgotten_with_its_first_turn(tmp_path: Path) -> None:
    """It was put back and claimed again by the same process before the first turn was forgotten."""
    path = tmp_path / "owner-1"
    mine = Journal(path, "token")
    mine.wrote(1, 7)
    mine.answered(1, 7, Throttled(1))
    mine.wrote(2, 7)
    mine.forget(1, [7])
    assert isinstance(_told(path).of(7), OutcomeUnknown)
    mine.forget(2, [7])
    assert _told(path).of(7) is None


def test_an_answer_after_the_part_was_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "owner-1"
    mine = Journal(path, "token")
    mine.wrote(1, 7)
    mine.forget(1, [7])
    mine.answered(1, 7, Accepted("late"))
    assert _told(path) == Evidence(frozenset())


def test_a_full_journal_lets_nothing_leave(tmp_path: Path) -> None:
    mine = Journal(tmp_path / "owner-1", "token", slots=3)
    for part in (1, 2, 3):
        mine.wrote(1, part)
    assert mine.room == 0
    with pytest.raises(IndexError):
        mine.wrote(1, 4)
    mine.forget(1, [2])
    mine.wrote(1, 4)
    assert _told(tmp_path / "owner-1").written == {1, 3, 4}


def test_who_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "owner-1"
    mine = Journal(path, "token")
    mine.wrote(1, 7)
    assert read(path, "token") is None, "its process lives, and may be writing"
    mine.abandon()
    assert read(path, "token") == Evidence(frozenset({7}))
    assert read(path, "another database") is None
    assert read(tmp_path / "nobody", "token") is None
    assert read(tmp_path, "token") is None
    for boot in ("after a power cut", ""):
        monkeypatch.setattr(journal, "this_boot", lambda boot=boot: boot)
        assert read(path, "token") is None


@pytest.mark.parametrize("length", [0, 100, 256, 512, 512 + 7, 256 + 9 * 256, 256 + 11 * 256])
def test_a_file_that_is_not_whole_tells_nothing(tmp_path: Path, length: int) -> None:
    """What stood in a slot that is missing would be taken for what never left."""
    path = tmp_path / "owner-1"
    mine = Journal(path, "token", slots=10)
    mine.wrote(1, 7)
    mine.abandon()
    whole = path.read_bytes()
    assert len(whole) == 256 + 10 * 256
    assert read(path, "token") is not None
    path.write_bytes(whole.ljust(length, b"\0")[:length])
    assert read(path, "token") is None


def test_a_child_that_outlives_its_parent_keeps_nobody_from_believing_it(tmp_path: Path) -> None:
    path = tmp_path / "owner-1"
    forks = WRITES.replace(
        "for number", "sys.stdout.flush()\nif not os.fork(): __import__('time').sleep(30)\nfor number"
    )
    with subprocess.Popen(
        [sys.executable, "-c", forks, str(path)], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.wait()
        # a child that has had no turn yet has not let go of it
        assert wait_until(lambda: read(path, "token") is not None, 20)
        os.killpg(process.pid, signal.SIGKILL)


@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_whatever_stands_there(tmp_path_factory: pytest.TempPathFactory, garbage: bytes, at: int) -> None:
    """It is read without an exception, and what it tells is only of parts that stand there."""
    path = tmp_path_factory.mktemp("torn") / "owner-1"
    mine = Journal(path, "token", slots=10)
    for part in range(1, 6):
        mine.wrote(1, part)
        mine.answered(1, part, Accepted(f"id-{part}"))
    content = bytearray(path.read_bytes())
    content[at : at + len(garbage)] = garbage
    path.write_bytes(content)
    mine.abandon()
    evidence = read(path, "token")
    assert evidence is None or set(evidence.answers) <= evidence.written


def test_half_a_word_is_no_word(tmp_path: Path) -> None:
    path = tmp_path / "owner-1"
    mine = Journal(path, "token")
    mine.wrote(1, 7)
    mine.answered(1, 7, Accepted("id-7"))
    content = bytearray(path.read_bytes())
    content[content.index(b"id-7") + 3] = 0
    path.write_bytes(content)
    assert isinstance(_told(path).of(7), OutcomeUnknown)


def test_an_end_in_order_leaves_a_file_only_if_something_is_open(tmp_path: Path) -> None:
    done, open_ = Journal(tmp_path / "done", "token"), Journal(tmp_path / "open", "token")
    done.wrote(1, 7)
    done.forget(1, [7])
    open_.wrote(1, 8)
    for each in (done, open_):
        each.close()
        each.close()
    assert not (tmp_path / "done").exists()
    assert _told(tmp_path / "open").written == {8}


@contextmanager
def _no_file_larger_than(octets: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_no_room_on_the_disk_is_said_before_anything_leaves(tmp_path: Path) -> None:
    with _no_file_larger_than(10_000), pytest.raises(Unavailable, match="Nothing is sent without it"):
        Journal(tmp_path / "owner-1", "token")
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        Journal(tmp_path / "file" / "owner-1", "token")
