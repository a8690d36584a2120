"""The parts that are out without an answer, by sequence number. Pure; times are given.

The window shrinks when answers do not come in time, and grows again with those that do: a carrier that has become slow
is not given more and more that may end in doubt.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from broadcaster.gateways.contract import BeforeWrite, OnOutcomes, OutboundPart, Outcome, Settled

#: parts whose answer may still come after its time; more than these are forgotten, the oldest first
_LATE = 10_000


@dataclass(slots=True, eq=False)
class Feed:
    """What one call of `feed` brought, and who is to be told."""

    on_outcomes: OnOutcomes
    before_write: BeforeWrite | None
    spoilt: bool = False
    """Its caller could not take note of a part: nothing more of it is written."""
    settled: list[Settled] = field(default_factory=list)
    """Not told yet."""


@dataclass(slots=True, eq=False)
class Flight:
    """One part, from the moment it is taken in."""

    feed: Feed
    position: int
    part: OutboundPart
    end: int = 0
    """Of its octets in all that this connection has been given."""
    deadline: float = 0.0

    def settle(self, outcome: Outcome) -> Feed:
        """Note what became of it; the feed's owner is told with others."""
        self.feed.settled.append(Settled(self.position, self.part, outcome))
        return self.feed


class Window:
    """Of one connection. Used by one thread."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._limit = float(size)
        self._out: dict[int, Flight] = {}
        self._late: OrderedDict[int, Flight] = OrderedDict()

    def __len__(self) -> int:
        return len(self._out)

    @property
    def room(self) -> int:
        """How many parts more may go."""
        return int(self._limit) - len(self._out)

    def add(self, sequence: int, flight: Flight) -> None:
        """A part goes out."""
        self._out[sequence] = flight

    def answered(self, sequence: int) -> tuple[Flight | None, bool]:
        """The part that this answer is for, and whether it comes late; None for one that nobody asked for."""
        flight = self._out.pop(sequence, None)
        if flight is not None:
            if self._limit < self.size:
                self._limit = min(float(self.size), self._limit + 1 / self._limit)
            return flight, False
        return self._late.pop(sequence, None), True

    def next_deadline(self) -> float | None:
        """When the oldest part has waited long enough."""
        # a dict keeps its order, and all parts wait equally long
        return next((flight.deadline for flight in self._out.values()), None)

    def overdue(self, now: float) -> list[Flight]:
        """Take out the parts that have waited too long; a late answer still finds them."""
        found = {}
        for sequence, flight in self._out.items():
            if flight.deadline > now:
                break
            found[sequence] = flight
        for sequence in found:
            del self._out[sequence]
        self._late.update(found)
        while len(self._late) > _LATE:
            self._late.popitem(last=False)
        if found:
            self._limit = max(1.0, self._limit / 2)
        return list(found.values())

    def empty(self) -> Iterator[Flight]:
        """The connection is gone: all that is out. Late answers will not come any more."""
        flights, self._out = self._out, {}
        self._late.clear()
        return iter(flights.values())
