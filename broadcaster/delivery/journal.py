"""What has begun to leave, and what was answered: kept in memory that outlives the process, not the machine.

A claim is committed for many parts at once, long before the last of them leaves. When its process is killed, the
database knows only that they were claimed; this file knows which of them were written to the carrier and what it said.
It is memory that the kernel writes to a file when it likes: killed processes lose nothing of it, a machine that loses
power may lose any of it. So it bears the mark of the boot, and is not believed after another one.

Nor is it believed while its process lives: who has lost its place in the database may still be writing to the carrier.
The process holds a lock on its journal, which the system takes back when it dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import subprocess
import sys
import weakref
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from broadcaster.gateways.contract import Accepted, OptedOut, Outcome, OutcomeUnknown, Refused, Throttled, Unreachable
from subscribers.errors import Unavailable

#: parts of one process that may be handed over and not yet recorded
SLOTS = 8192

_MAGIC = b"broadsheet journal 2\n"
_HEAD = 256
_SLOT = 256
#: part, and the part once more turned over: a number that was only half written is no part's
_WRITTEN = struct.Struct("<QQ")
#: checksum of what follows, kind, length
_ANSWER = struct.Struct("<IBB")
_ANSWER_AT = _WRITTEN.size
_LONGEST = _SLOT - _ANSWER_AT - _ANSWER.size
#: of a refusal, whatever its letters
_WORDS = _LONGEST // 4
_TURNED = 0xFFFF_FFFF_FFFF_FFFF
_NOTHING = bytes(_SLOT)
_ACCEPTED, _REFUSED, _REFUSED_FOR_NOW, _OPTED_OUT = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a journal tells of the parts of a process that died."""

    #: those that began to leave; any other part certainly did not
    written: frozenset[int]
    answers: Mapping[int, Outcome] = field(default_factory=dict)

    def of(self, part_id: int) -> Outcome | None:
        """What became of a part; None when it never left."""
        answer = self.answers.get(part_id)
        if answer is None and part_id in self.written:
            return OutcomeUnknown("its sender died before the answer")
        return answer


class Journal:
    """Of one sending process. Safe for threads: each call is a few steps that do not disturb each other's."""

    def __init__(self, path: Path, token: str, *, slots: int = SLOTS) -> None:
        """Make the file, anew. Raises `Unavailable` when there is no room for it."""
        self.path = path
        self.slots = slots
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # written out: a page that has no place on the disk would end the process when it is touched
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _living.add(self)
            path.write_bytes(_head(token, slots).ljust(_HEAD, b"\0") + bytes(slots * _SLOT))
            with path.open("r+b") as file:
                self._memory = mmap.mmap(file.fileno(), 0)
        except OSError as error:
            raise Unavailable(
                "The journal {path} cannot be written: {detail}. Nothing is sent without it.",
                hint="Make room on the disk, or let the user of this process write there.",
                path=str(path),
                detail=error.strerror or str(error),
            ) from error
        self._free = list(range(slots))
        self._slot_of: dict[tuple[int, int], int] = {}

    @property
    def room(self) -> int:
        """Parts that may be handed over before others are recorded."""
        return len(self._free)

    def wrote(self, turn_id: int, part_id: int) -> None:
        """This part begins to leave. Raises IndexError when the journal is full: then it must not."""
        slot = self._slot_of[turn_id, part_id] = self._free.pop()
        _WRITTEN.pack_into(self._memory, _HEAD + slot * _SLOT, part_id, part_id ^ _TURNED)

    def answered(self, turn_id: int, part_id: int, outcome: Outcome) -> None:
        """What the carrier said, before anybody else is told."""
        slot = self._slot_of.get((turn_id, part_id))
        if slot is None:
            return
        at = _HEAD + slot * _SLOT
        if isinstance(outcome, Throttled | Unreachable):
            # it was not taken: as if it had never left
            self._memory[at : at + _SLOT] = _NOTHING
            return
        kind, text = _packed(outcome)
        told = text.encode("utf-8", "replace")
        # an id that is cut off would be another one: then better in doubt
        if kind and len(told) <= _LONGEST:
            text_at = at + _ANSWER_AT + _ANSWER.size
            self._memory[text_at : text_at + len(told)] = told
            _ANSWER.pack_into(self._memory, at + _ANSWER_AT, zlib.crc32(told, kind), kind, len(told))

    def forget(self, turn_id: int, part_ids: Iterable[int]) -> None:
        """These stand in the database: their slots are free."""
        # by turn: what was put back may be on its way again, in another turn of ours, and in a slot of its own
        for part_id in part_ids:
            slot = self._slot_of.pop((turn_id, part_id), None)
            if slot is not None:
                self._memory[_HEAD + slot * _SLOT : _HEAD + (slot + 1) * _SLOT] = _NOTHING
                self._free.append(slot)

    def close(self) -> None:
        """The process ends in order. The file goes with it if everything was recorded."""
        if not self._memory.closed:
            self._memory.close()
            self.abandon()
            if not self._slot_of:
                self.path.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Let others believe it: nothing is noted here any more. A forked child lets go of what its parent holds."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def read(path: Path, token: str) -> Evidence | None:
    """What the journal of a dead process tells; None when there is none, or it lives, or it is not to be believed."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return evidence_in(file.read(), token)
    except OSError:
        return None


def evidence_in(content: bytes, token: str) -> Evidence | None:
    """What a journal tells; None when it is another's, or of another boot, or not whole."""
    slots, rest = divmod(len(content) - _HEAD, _SLOT)
    # a file that lacks its end would tell of what stood there that it never left
    if not this_boot() or rest or content[:_HEAD].rstrip(b"\0") != _head(token, slots):
        return None
    written: set[int] = set()
    answers: dict[int, Outcome] = {}
    for at in range(_HEAD, len(content) - _SLOT + 1, _SLOT):
        part_id, turned = _WRITTEN.unpack_from(content, at)
        if not part_id or part_id != turned ^ _TURNED:
            continue
        written.add(part_id)
        checksum, kind, length = _ANSWER.unpack_from(content, at + _ANSWER_AT)
        text_at = at + _ANSWER_AT + _ANSWER.size
        told = content[text_at : text_at + length]
        if kind and checksum == zlib.crc32(told, kind):
            answers[part_id] = _unpacked(kind, told.decode("utf-8", "replace"))
    return Evidence(frozenset(written), answers)


def _head(token: str, slots: int) -> bytes:
    return _MAGIC + f"{this_boot()}\n{token}\n{slots}\n".encode()


def _packed(outcome: Outcome) -> tuple[int, str]:
    match outcome:
        case Accepted(message_id):
            return _ACCEPTED, message_id
        case Refused(code, reason, permanent):
            return (_REFUSED if permanent else _REFUSED_FOR_NOW), f"{code[:60]}\0{reason}"[:_WORDS]
        case OptedOut(code, reason):
            return _OPTED_OUT, f"{code[:60]}\0{reason}"[:_WORDS]
    return 0, ""


def _unpacked(kind: int, told: str) -> Outcome:
    if kind == _ACCEPTED:
        return Accepted(told)
    code, _, reason = told.partition("\0")
    if kind == _OPTED_OUT:
        return OptedOut(code, reason)
    return Refused(code, reason, permanent=kind == _REFUSED)


@cache
def this_boot() -> str:
    """What this run of the machine is called; empty where nobody says."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    if sys.platform == "darwin":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            told = subprocess.run(
                ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, check=True, timeout=5
            )
            return told.stdout.decode("ascii", "replace").strip()
    return ""


def _abandon_all() -> None:
    """In a forked child: what it inherited would speak for a process that has died."""
    for journal in list(_living):
        journal.abandon()
    _living.clear()


_living: weakref.WeakSet[Journal] = weakref.WeakSet()
os.register_at_fork(after_in_child=_abandon_all)
