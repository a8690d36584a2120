"""The log of what was accepted: a JSON line for each part, on disk before the part is answered."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from pathlib import Path

from broadcaster.rehearsal.pdu import Submit
from broadcaster.rehearsal.pieces import Piece
from subscribers.errors import Unavailable

#: a string as JSON, its Chinese readable
_quoted = json.JSONEncoder(ensure_ascii=False).encode


class Journal:
    """One file that only grows. Raises OSError where it cannot be written, `Unavailable` while another writes it."""

    def __init__(self, path: Path, *, fsync: bool = False) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._path = path
        self._alone()
        self._fsync = fsync
        self._lines: list[str] = []
        self._end_last_line()

    def add(
        self, time: str, bind: int, system_id: str, sequence: int, submit: Submit, piece: Piece, message_id: str
    ) -> None:
        """Remember a part until the next `flush`."""
        reference = "null" if piece.reference is None else piece.reference
        octets = f',"hex":"{piece.octets.hex()}"' if piece.text is None else ""
        self._lines.append(
            f'{{"time":"{time}","bind":{bind},"sequence":{sequence},'
            f'"source":{_quoted(str(submit.source[2:-1], "latin-1"))},'
            f'"destination":"{str(submit.destination[2:-1], "ascii")}","text":{_quoted(piece.text or "")},'
            f'"id":"{message_id}","number":{piece.number},"total":{piece.total},"reference":{reference},'
            f'"joined_by":"{piece.by}","data_coding":{submit.data_coding},"system_id":{_quoted(system_id)}{octets}}}\n'
        )

    def flush(self) -> None:
        """Write what was added. Raises OSError naming the file."""
        if not self._lines:
            return
        # half a surrogate pair becomes \udXXX, which is how JSON writes it
        octets = "".join(self._lines).encode("utf-8", "backslashreplace")
        self._lines.clear()
        try:
            while octets:
                octets = octets[os.write(self._file, octets) :]
            if self._fsync:
                os.fsync(self._file)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error

    def close(self) -> None:
        """Let the file go; twice is once."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _alone(self) -> None:
        """Two would write in between each other's lines."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise Unavailable(
                "{path} is being written by another carrier.", hint="Give each one a log of its own.", path=self._path
            ) from None
        except OSError:
            # a pipe, or a disk that knows no locks
            return

    def _end_last_line(self) -> None:
        """Whoever wrote it may have been killed in the middle of a line: the next one shall stand alone."""
        state = os.fstat(self._file)
        # a pipe or a device has no end to read from
        if stat.S_ISREG(state.st_mode) and state.st_size and os.pread(self._file, 1, state.st_size - 1) != b"\n":
            os.write(self._file, b"\n")
