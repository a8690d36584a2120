"""Long messages from members, joined from their parts. Pure: `now` is given, on the monotonic clock, in seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

from broadcaster.gateways.smpp.texts import Incoming, read

#: what stands for a part that never came
MISSING = "[…]"

#: messages that are kept for the carrier's repeats, and their largest size
_REMEMBERED = 1000
_SHORT = 10_000

T = TypeVar("T")


class _Key(NamedTuple):
    sender: str
    destination: str
    reference: int
    total: int
    bits: int


@dataclass(slots=True)
class _Open(Generic[T]):
    deadline: float
    parts: dict[int, Incoming] = field(default_factory=dict)
    held: list[T] = field(default_factory=list)
    octets: int = 0


@dataclass(frozen=True, slots=True)
class Joined(Generic[T]):
    """A message as its sender wrote it. Text and numbers stay out of `repr`."""

    sender: str = field(repr=False)
    destination: str
    text: str = field(repr=False)
    digest: str
    """The same for the same octets from the same number: tells a repeat by the carrier."""
    missing: tuple[int, ...]
    """The parts that did not come, by number; none if it is whole."""
    held: list[T] = field(repr=False)
    """What was handed in with the parts, in the order they came."""


class _Whole(NamedTuple, Generic[T]):
    """A message that was joined of late, for parts of it that the carrier repeats."""

    until: float
    parts: dict[int, Incoming]
    joined: Joined[T]


class Joiner(Generic[T]):
    """Holds parts until the message is whole or its time is up. Used by one thread at a time.

    A part is known by sender, destination, reference, total and width of the reference, so that two people's parts
    never meet, and not those of one person to two numbers either.
    """

    def __init__(self, patience: float = 120.0, most_octets: int = 4 * 1024 * 1024) -> None:
        """`patience`: seconds to wait after a message's first part; `most_octets`: held in all, the oldest go first."""
        self._patience = patience
        self._most = most_octets
        self._open: dict[_Key, _Open[T]] = {}
        self._whole: dict[_Key, _Whole[T]] = {}
        self._octets = 0

    def __len__(self) -> int:
        return len(self._open)

    def add(self, sender: str, destination: str, found: Incoming, held: T, now: float) -> list[Joined[T]]:
        """The messages that this part makes whole, or that make room for it; a single part is whole at once.

        A part of a message that was whole already brings that message again, with the same digest.
        """
        part = found.part
        if part is None:
            text = read(found.octets, found.charset)
            return [Joined(sender, destination, text, _digest(sender, destination, found.octets), (), [held])]
        key = _Key(sender, destination, part.reference, part.total, part.bits)
        self._forget(now)
        whole = self._whole.get(key)
        if whole is not None:
            if whole.parts[part.number].octets == found.octets:
                return [replace(whole.joined, held=[held])]
            del self._whole[key]
        released: list[Joined[T]] = []
        opened = self._open.get(key)
        if opened is not None and opened.parts.get(part.number, found).octets != found.octets:
            # the handset has counted round: another message under the same reference
            released.append(self._release(key))
            opened = None
        if opened is None:
            opened = self._open[key] = _Open(now + self._patience)
        opened.held.append(held)
        if part.number not in opened.parts:
            opened.parts[part.number] = found
            # an object or two for each part are counted as well, so that empty parts do not come for nothing
            size = len(found.octets) + 200
            opened.octets += size
            self._octets += size
        if len(opened.parts) == part.total:
            released.append(self._release(key))
            if opened.octets <= _SHORT:
                self._whole[key] = _Whole(now + self._patience, opened.parts, released[-1])
        while self._octets > self._most:
            released.append(self._release(next(iter(self._open))))
        return released

    def due(self, now: float) -> list[Joined[T]]:
        """The messages whose time is up, with a mark for each part that did not come."""
        released = []
        # all are given the same time: the one that was opened first is due first
        while self._open and next(iter(self._open.values())).deadline <= now:
            released.append(self._release(next(iter(self._open))))
        return released

    def _forget(self, now: float) -> None:
        while self._whole:
            key, whole = next(iter(self._whole.items()))
            if whole.until > now and len(self._whole) <= _REMEMBERED:
                break
            del self._whole[key]

    def _release(self, key: _Key) -> Joined[T]:
        opened = self._open.pop(key)
        self._octets -= opened.octets
        numbers = range(1, key.total + 1)
        parts = [opened.parts.get(number) for number in numbers]
        missing = tuple(number for number in numbers if number not in opened.parts)
        octets = b"".join(part.octets for part in parts if part is not None)
        return Joined(
            key.sender,
            key.destination,
            _text(parts),
            _digest(key.sender, key.destination, octets),
            missing,
            opened.held,
        )


def _text(parts: list[Incoming | None]) -> str:
    """Neighbours in one charset are joined before they are read: some handsets cut characters in half."""
    pieces = []
    for charset, neighbours in groupby(parts, key=lambda part: part.charset if part else ""):
        octets = b"".join(part.octets for part in neighbours if part)
        pieces.append(read(octets, charset) if charset else MISSING)
    return "".join(pieces)


def _digest(sender: str, destination: str, octets: bytes) -> str:
    made = hashlib.blake2b(digest_size=8)
    for piece in (sender.encode(), destination.encode(), octets):
        made.update(len(piece).to_bytes(4, "big") + piece)
    return made.hexdigest()
