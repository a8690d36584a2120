"""A workbook -> rows: checked for bombs, then read by a process of its own with little memory and time."""

from __future__ import annotations

import json
import os
import selectors
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from subscribers.errors import Invalid
from subscribers.sheets.bombs import broken, look_through
from subscribers.sheets.faults import changed, too_wide, unreadable
from subscribers.sheets.limits import Limits
from subscribers.sheets.rows import SAMPLE_ROWS, Row, Sample

_CHILD = Path(__file__).with_name("xlsx_child.py")
_LENGTH = struct.Struct(">I")
#: no portion of rows is longer; whatever claims to be is not ours
_FRAME = 64 << 20
_OUT_OF_TIME = -signal.SIGXCPU
#: how a process ends that is refused memory: in Rust, in C, by the system
_OUT_OF_MEMORY = (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGKILL)


class XlsxSheet:
    """A workbook that may be opened; `named` is the sheet that is wanted, or empty. Raises `Invalid`."""

    def __init__(self, path: Path, limits: Limits, named: str = "") -> None:
        self._path = path
        self._limits = limits
        self._named = named
        try:
            with path.open("rb") as file:
                self._looked = look_through(file, path, limits)
                self._state = _state_of(file)
        except OSError as error:
            raise unreadable(path, error) from None

    @property
    def file(self) -> str:
        """Its name without the folder."""
        return self._path.name

    def samples(self) -> list[Sample]:
        """The first rows of each visible sheet, or of the one that is named."""
        samples: list[Sample] = []
        for frame in self._read(self._named, SAMPLE_ROWS):
            if isinstance(frame, str):
                samples.append(Sample(frame, []))
            else:
                samples[-1].rows.extend((number, cells) for number, cells in frame)
        return samples or [Sample("", [])]

    def rows(self, sample: Sample) -> Iterator[Row]:
        """Every row of the sheet that has something in it."""
        for frame in self._read(sample.way, 0) if sample.way else ():
            if not isinstance(frame, str):
                yield from map(tuple, frame)

    def _read(self, named: str, rows: int) -> Iterator[Any]:
        asked = {
            "named": named,
            "rows": rows,
            "columns": self._limits.columns,
            "memory": self._limits.memory,
            "seconds": self._limits.seconds,
            "has_error_cells": self._looked.has_error_cells,
        }
        try:
            with self._path.open("rb") as file:
                if _state_of(file) != self._state:
                    raise changed(self._path)
                yield from _frames(file, asked, self._path, self._limits)
        except OSError as error:
            raise unreadable(self._path, error) from None


def _frames(file: BinaryIO, asked: dict[str, Any], path: Path, limits: Limits) -> Iterator[Any]:
    """What the child says, until it says that it is done. It ends with us, however we end."""
    # -P: what lies beside the file must not stand in for a module of the library
    command = [sys.executable, "-P", str(_CHILD), json.dumps(asked)]
    child = subprocess.Popen(  # noqa: S603 - our own file
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdout is not None  # noqa: S101 - for the type checker
    try:
        with selectors.DefaultSelector() as ready:
            ready.register(child.stdout, selectors.EVENT_READ)
            while True:
                length = _take(child.stdout, ready, _LENGTH.size, limits)
                size = _LENGTH.unpack(length)[0] if len(length) == _LENGTH.size else _FRAME
                content = _take(child.stdout, ready, size, limits) if size < _FRAME else b""
                if len(content) < size:
                    raise _death(child.wait(), path, limits)
                frame = json.loads(content)
                if isinstance(frame, dict):
                    _check_end(frame, path, limits)
                    return
                yield frame
    except TimeoutError:
        raise _slow(path, limits) from None
    finally:
        child.kill()
        child.stdout.close()
        child.wait()


def _take(pipe: Any, ready: selectors.BaseSelector, size: int, limits: Limits) -> bytes:
    """So many bytes, or fewer if there are no more. Raises `TimeoutError`."""
    taken = bytearray()
    while len(taken) < size:
        if not ready.select(limits.seconds):
            raise TimeoutError
        piece = pipe.raw.read(min(size - len(taken), 1 << 20))
        if not piece:
            break
        taken += piece
    return bytes(taken)


def _state_of(file: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _check_end(end: dict[str, Any], path: Path, limits: Limits) -> None:
    if end["end"] == "too_wide":
        raise too_wide(path, end["columns"], end["row"], limits.columns)
    if end["end"] == "no_sheet":
        raise Invalid(
            "{file} has no sheet of this name.",
            hint="There are: {sheets}.",
            file=path.name,
            sheets=end["sheets"],
        )


def _death(code: int, path: Path, limits: Limits) -> Invalid:
    """Why the child ended before it was done."""
    if code == _OUT_OF_TIME:
        return _slow(path, limits)
    if code in _OUT_OF_MEMORY:
        return Invalid(
            "{file} needs more than {most} MiB of memory to be opened.",
            hint='Delete rows and columns that only look empty, or save it as "CSV UTF-8".',
            file=path.name,
            most=limits.memory >> 20,
        )
    return broken(path)


def _slow(path: Path, limits: Limits) -> Invalid:
    return Invalid(
        "{file} takes more than {seconds} seconds to be opened.",
        hint='Split the list, or save it as "CSV UTF-8".',
        file=path.name,
        seconds=limits.seconds,
    )
