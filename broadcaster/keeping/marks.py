"""How far a host has come in a database, written beside the database: a restored one is older than what stands here.

One file per life of a database, in the data folder. Raised before anything leaves, by every process of the host.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import NamedTuple

from subscribers.errors import Unavailable

_DIGITS = 20
_LENGTH = 2 * _DIGITS + 2


class Mark(NamedTuple):
    """The highest turn, and the highest part, that was about to leave."""

    turn: int
    part: int


#: what stands there cannot be read: then the database counts as older, and people are asked
UNREADABLE = Mark(2**63 - 1, 2**63 - 1)


class Marks:
    """Those of one data folder. Safe for threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, life: str) -> Mark | None:
        """How far this host has come in this life of the database; None when it has never been in it."""
        try:
            written = (self._folder / life).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(life, error) from error
        found = re.fullmatch(rb"(\d{20}) (\d{20})\n", written)
        return Mark(int(found[1]), int(found[2])) if found else UNREADABLE

    def raise_to(self, life: str, mark: Mark) -> None:
        """Note it before the first byte leaves; what is higher already stays. Raises `Unavailable`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._folder / life, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                self._raise(handle, mark)
            finally:
                os.close(handle)
        except OSError as error:
            raise self._unusable(life, error) from error

    def _raise(self, handle: int, mark: Mark) -> None:
        written = os.pread(handle, _LENGTH, 0)
        if written:
            mark = Mark(max(mark.turn, int(written[:_DIGITS])), max(mark.part, int(written[_DIGITS:])))
        # in place and of one length: another process sees the old one or the new one
        os.pwrite(handle, b"%020d %020d\n" % mark, 0)
        if not written:
            os.fsync(handle)

    def _unusable(self, life: str, error: OSError) -> Unavailable:
        return Unavailable(
            "The mark {path} cannot be read or written: {detail}. Nothing is sent without it.",
            hint="Make room on the disk, or let the user of this process write there.",
            path=str(self._folder / life),
            detail=error.strerror or type(error).__name__,
        )
