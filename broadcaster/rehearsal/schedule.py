"""What falls due when: a wheel of buckets, so that a hundred thousand waiting receipts cost no more than ten."""

from __future__ import annotations

import heapq
import math
from typing import Generic, TypeVar

#: seconds a bucket spans: nothing is early, and at most so much late
SPAN = 0.01

Item = TypeVar("Item")


class Schedule(Generic[Item]):
    """Items by the monotonic second that they fall due at; those of one bucket in the order they were added."""

    def __init__(self) -> None:
        self._buckets: dict[int, list[Item]] = {}
        self._order: list[int] = []
        self._waiting = 0

    def __len__(self) -> int:
        return self._waiting

    def add(self, due: float, item: Item) -> None:
        """Keep it until then."""
        tick = math.ceil(due / SPAN)
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = []
            heapq.heappush(self._order, tick)
        bucket.append(item)
        self._waiting += 1

    def take(self, now: float) -> list[Item]:
        """All that is due, in order."""
        due: list[Item] = []
        while self._order and self._order[0] * SPAN <= now:
            due += self._buckets.pop(heapq.heappop(self._order))
        self._waiting -= len(due)
        return due

    def next(self) -> float | None:
        """When the next falls due; None while nothing waits."""
        return self._order[0] * SPAN if self._order else None
