"""The carrier's own file: a JSON object a line, written before anything is answered, so that a kill can be judged.

`kind` says what a line is: `opened` (the first, with the file's own id), `part` (accepted), `said` (a member's phone
sent a message), `acknowledged` (events that a listener has taken).
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from broadcaster.gateways.errors import Misconfigured

Line = dict[str, Any]

#: how every line of a carrier's file begins
_BEGINNING = b'{"kind":"'


class Journal:
    """The file, held by one carrier at a time. A last line without its end was never answered, and is cut off."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # numbers and texts stand in it: for its owner only
        self._fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._path = path
        _check_ours(path)
        self._size = _whole_lines(path)
        os.ftruncate(self._fd, self._size)

    def lines(self) -> Iterator[Line]:
        """What stands in it, from the beginning."""
        return read(self._path)

    def append(self, lines: Sequence[Line]) -> None:
        """Write all of the lines or none. Raises OSError: what is not in the file has not been accepted."""
        # a lone surrogate becomes \\ud83d, which JSON reads back as it was
        text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
        data = text.encode("utf-8", "backslashreplace")
        # one write: the kernel has it whole before anybody is answered, whatever kills this process afterwards
        written = os.write(self._fd, data)
        if written < len(data):
            os.ftruncate(self._fd, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._size += written

    def close(self) -> None:
        """Let go of the file; twice is once."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def read(path: Path) -> Iterator[Line]:
    """The lines of a carrier's file, also while it is being written. A torn last line is left out.

    Raises `Misconfigured` when it is some other file.
    """
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):
                return
            try:
                line = json.loads(text)
            except ValueError:
                line = None
            if not isinstance(line, dict) or "kind" not in line:
                raise _not_ours(number, path)
            yield line


def accepted_parts(path: Path) -> list[Line]:
    """The parts the carrier has accepted, in its order.

    Keys: time bind sequence source destination text id reference part total client_reference.
    """
    return [line for line in read(path) if line["kind"] == "part"] if path.exists() else []


def _check_ours(path: Path) -> None:
    """Somebody else's file is left as it is: nothing is cut off before its beginning says that a carrier wrote it."""
    with path.open("rb") as file:
        head = file.read(len(_BEGINNING))
    if head != _BEGINNING[: len(head)]:
        raise _not_ours(1, path)


def _not_ours(number: int, path: Path) -> Misconfigured:
    return Misconfigured(
        "Line {line} of {path} was not written by a simulated carrier.",
        hint="Name another file, or move this one away.",
        line=number,
        path=str(path),
    )


def _whole_lines(path: Path) -> int:
    """The length of the file up to the end of its last whole line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - 65536)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0
