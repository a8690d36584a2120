"""The door for spreadsheets: what is no file of rows is told, before it is read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from subscribers.errors import Invalid
from subscribers.sheets import Limits, open_sheet


def refusal(path: Path, **given: str) -> str:
    with pytest.raises(Invalid) as refused:
        open_sheet(path, Limits(), **given)
    assert refused.value.hint
    return str(refused.value)


def test_what_is_not_there_or_no_file_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "none.csv")
    assert "cannot be read" in refusal(tmp_path)
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    assert "is no file" in refusal(pipe)
    assert "is no file" in refusal(Path(os.devnull))
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "door"))
        assert "is no file" in refusal(tmp_path / "door")
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    assert "cannot be read" in refusal(loop)


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b\n", encoding="utf-8")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("whoever runs this may read everything")
    assert "cannot be read: Permission denied" in refusal(path)


def test_a_name_that_cannot_be_a_file_is_told() -> None:
    assert "cannot be read" in refusal(Path("x" * 5000))


def test_text_has_no_sheets(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b\n", encoding="utf-8")
    assert "no sheets" in refusal(path, named="Sheet1")


def test_the_ending_of_the_name_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_text("a,b\n", encoding="utf-8")
    assert open_sheet(path, Limits()).samples()[0].rows == [(1, ["a", "b"])]
