"""How far a part reaches in a text where some characters take two units. No such character is ever halved."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from . import gsm7
from .encoding import Encoding

_PAIRS = re.compile("[\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Ruler:
    """A text of `length` characters, those at the positions `wide` two units each, for parts of `capacity` units."""

    length: int
    capacity: int
    wide: Sequence[int]

    def reach(self, start: int) -> int:
        """The furthest end of a part that begins at `start`."""
        end = start + self.capacity
        if self.wide:
            # Each wide character takes a place more; when only one place is left for it, the end falls in front of it.
            index = bisect_left(self.wide, start)
            while index < len(self.wide) and self.wide[index] < end:
                end -= 1
                index += 1
        return min(end, self.length)

    def reach_back(self, end: int) -> int:
        """The earliest start of a part that ends at `end`; zero or less when the text before it fits."""
        start = end - self.capacity
        if self.wide:
            index = bisect_left(self.wide, end) - 1
            while index >= 0 and self.wide[index] >= start:
                start += 1
                index -= 1
        return start

    def units(self, start: int, end: int) -> int:
        """The units of the characters from `start` to `end`."""
        if not self.wide:
            return end - start
        return end - start + bisect_left(self.wide, end) - bisect_left(self.wide, start)

    def earliest_borders(self) -> list[int]:
        """For each border between parts, in order, the first place from which the rest still fits the remaining parts.

        There is one border fewer than the fewest parts that can hold the text.
        """
        if not self.wide:
            return list(range(self.length - self.capacity, 0, -self.capacity))[::-1]
        borders = []
        border = self.reach_back(self.length)
        while border > 0:
            borders.append(border)
            border = self.reach_back(border)
        return borders[::-1]


def measure(text: str, encoding: Encoding, units: int, capacity: int) -> Ruler:
    """The ruler for a text of so many units in this encoding."""
    wide: Sequence[int] = ()
    if units != len(text):
        pattern = _PAIRS if encoding is Encoding.UCS2 else gsm7.EXTENDED
        wide = [match.start() for match in pattern.finditer(text)]
    return Ruler(len(text), capacity, wide)
