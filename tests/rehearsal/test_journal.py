from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from broadcaster.rehearsal.journal import Journal
from broadcaster.rehearsal.pdu import Submit
from broadcaster.rehearsal.pieces import Piece
from broadcaster.rehearsal.schedule import SPAN, Schedule
from subscribers.errors import Unavailable

SUBMIT = Submit(b'\0\0News "1"\0', b"\1\0018619900000001\0", 0, 1, 8, b"", {})


def write(path: Path, *texts: str | None) -> list[dict[str, object]]:
    journal = Journal(path)
    for n, text in enumerate(texts):
        journal.add("2026-11-22T10:00:00.000+00:00", 1, "paper", n, SUBMIT, Piece(text, b"\1\xff"), f"id{n}")
    journal.flush()
    journal.close()
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_says_everything(tmp_path: Path) -> None:
    assert write(tmp_path / "log", '会\n"\\') == [
        {
            "time": "2026-11-22T10:00:00.000+00:00",
            "bind": 1,
            "sequence": 0,
            "source": 'News "1"',
            "destination": "8619900000001",
            "text": '会\n"\\',
            "id": "id0",
            "number": 1,
            "total": 1,
            "reference": None,
            "joined_by": "",
            "data_coding": 8,
            "system_id": "paper",
        }
    ]


def test_half_a_character_survives_the_file(tmp_path: Path) -> None:
    assert [line["text"] for line in write(tmp_path / "log", "\ud842", "𠮷")] == ["\ud842", "𠮷"]


def test_octets_that_are_no_text(tmp_path: Path) -> None:
    (line,) = write(tmp_path / "log", None)
    assert (line["text"], line["hex"]) == ("", "01ff")


def test_nothing_is_written_before_it_is_flushed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "log", fsync=True)
    journal.add("", 1, "", 1, SUBMIT, Piece("x", b"x"), "1")
    assert (tmp_path / "log").read_bytes() == b""
    journal.flush()
    assert (tmp_path / "log").read_bytes()
    journal.close()
    journal.close()


def test_an_old_file_goes_on_and_is_its_owners(tmp_path: Path) -> None:
    write(tmp_path / "log", "a", "b")
    write(tmp_path / "log", "c")
    assert [json.loads(line)["text"] for line in (tmp_path / "log").read_text("utf-8").splitlines()] == ["a", "b", "c"]
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


def test_a_full_disk_names_the_file() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no disk that is full")
    journal = Journal(Path("/dev/full"))
    journal.add("", 1, "", 1, SUBMIT, Piece("x", b"x"), "1")
    with pytest.raises(OSError, match="No space left") as caught:
        journal.flush()
    assert caught.value.filename == "/dev/full"
    journal.close()


def test_what_is_due_comes_in_order_and_never_early() -> None:
    schedule: Schedule[int] = Schedule()
    assert schedule.next() is None
    for n, due in enumerate((5.0, 1.0, 5.0, 3.0)):
        schedule.add(due, n)
    assert schedule.next() == pytest.approx(1.0, abs=SPAN)
    assert schedule.take(0.99) == []
    assert schedule.take(3.0 + SPAN) == [1, 3]
    assert len(schedule) == 2
    assert schedule.take(100) == [0, 2]
    assert (len(schedule), schedule.next()) == (0, None)


def test_two_do_not_write_one_log(tmp_path: Path) -> None:
    first = Journal(tmp_path / "log")
    with pytest.raises(Unavailable, match="is being written by another carrier"):
        Journal(tmp_path / "log")
    first.close()
    Journal(tmp_path / "log").close()


def test_a_line_that_was_broken_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text('{"time":"2026')
    Journal(path).close()
    journal = Journal(path)
    journal.add("2026-11-22T10:00:00.000+00:00", 1, "paper", 2, SUBMIT, Piece("a", b"a"), "id2")
    journal.flush()
    journal.close()
    assert json.loads(path.read_text("utf-8").splitlines()[1])["id"] == "id2"
