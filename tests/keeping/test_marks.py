"""What stands beside the database only grows, whoever writes it, and is never half there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from broadcaster.keeping.marks import UNREADABLE, Mark, Marks
from subscribers.errors import Unavailable


def test_it_only_grows(tmp_path: Path) -> None:
    marks, other = Marks(tmp_path / "marks"), Marks(tmp_path / "marks")
    assert marks.read("a") is None
    marks.raise_to("a", Mark(7, 100))
    other.raise_to("a", Mark(3, 120))
    assert marks.read("a") == other.read("a") == Mark(7, 120)
    assert marks.read("b") is None


def test_many_at_once(tmp_path: Path) -> None:
    marks = Marks(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: marks.raise_to("a", Mark(n, 1000 - n)), range(200)))
    assert marks.read("a") == Mark(199, 1000)


@pytest.mark.parametrize("content", [b"", b"x", b"0" * 20, b"\0" * 42, b"1 2\n"])
def test_what_cannot_be_read_is_asked_about(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert Marks(tmp_path).read("a") == UNREADABLE


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "marks").write_text("a file")
    marks = Marks(tmp_path / "marks")
    for act in (lambda: marks.raise_to("a", Mark(1, 1)), lambda: marks.read("a")):
        with pytest.raises(Unavailable, match="Nothing is sent without it"):
            act()
