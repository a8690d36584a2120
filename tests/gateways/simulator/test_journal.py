from __future__ import annotations

import resource
from pathlib import Path

import pytest

from broadcaster.gateways.errors import Misconfigured
from broadcaster.gateways.simulator.journal import Journal, accepted_parts, read

LINES = [{"kind": "part", "id": "1", "text": "团圆 👩‍👩‍👧 \n \ud83d"}, {"kind": "part", "id": "2", "text": "x" * 70000}]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "carrier"


def test_what_was_written_is_read(file: Path) -> None:
    journal = Journal(file)
    journal.append(LINES)
    assert list(journal.lines()) == accepted_parts(file) == LINES
    journal.close()
    journal.close()
    assert "团圆" in file.read_text(encoding="utf-8")


def test_for_its_owner_only(file: Path) -> None:
    Journal(file).close()
    assert file.stat().st_mode & 0o077 == 0


def test_no_file_no_parts(file: Path) -> None:
    assert accepted_parts(file) == []


@pytest.mark.parametrize("lost", [1, 2, 30, 69000, 70030])
def test_a_torn_last_line_was_never_written(file: Path, lost: int) -> None:
    journal = Journal(file)
    journal.append(LINES)
    journal.close()
    file.write_bytes(file.read_bytes()[:-lost])
    assert list(read(file)) == LINES[:1]
    journal = Journal(file)
    journal.append(LINES[:1])
    journal.close()
    assert list(read(file)) == LINES[:1] * 2


def test_a_file_that_is_one_torn_line(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b'{"kind":"par')
    Journal(file).close()
    assert file.read_bytes() == b""


@pytest.mark.parametrize("line", [b"not JSON\n", b"[]\n", b'{"a":1}\n', b"\xff\xfe\n"])
def test_another_file_is_not_taken_for_a_carriers(file: Path, line: bytes) -> None:
    journal = Journal(file)
    journal.append(LINES)
    journal.close()
    with file.open("ab") as out:
        out.write(line)
    with pytest.raises(Misconfigured, match=r"Line 3 of .* was not written by a simulated carrier"):
        list(read(file))


@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_full_disk_takes_all_lines_or_none(file: Path, room: int) -> None:
    journal = Journal(file)
    journal.append(LINES[:1])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + room, before[1]))
    try:
        with pytest.raises(OSError, match=r"File too large|No space left"):
            journal.append(LINES)
        assert list(read(file)) == LINES[:1]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.append(LINES)
    journal.close()
    assert list(read(file)) == LINES[:1] + LINES


@pytest.mark.parametrize("content", [b"name,msisdn\nZhou Lan,1", b"one line without an end", b"{}"])
def test_somebody_elses_file_is_left_as_it_is(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(Misconfigured, match="was not written by a simulated carrier"):
        Journal(file)
    assert file.read_bytes() == content
