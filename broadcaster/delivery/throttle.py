"""How fast parts may go: never more than the rate within any second, however they come."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable

from subscribers.clock import monotonic


class Throttle:
    """Parts per second, shared by the threads of this process. A rate of 0 is no limit.

    It remembers what was handed over within the last second, so that saved-up rights cannot make a burst on top of a
    full second, as they would in a token bucket. And it goes evenly: a second that is used up at its beginning would
    keep what is urgent waiting for the rest of it. `share` is this process's part of the gateway's rate, when several
    send for it.
    """

    #: a claim takes at most this much of a second's rate, and the next one comes as much later: what is urgent need not
    #: wait longer. Whoever was late makes up for as much
    TURN_SECONDS = 0.2
    #: what a carrier should have answered within; a hand-over that took longer than the second was too much at once,
    #: whatever rate and window allow
    DIGEST_SECONDS = 0.5
    SLOW_SECONDS = 1.0
    #: parts of the first turn, while nobody knows how fast the carrier is; and what a slow one is left with
    FIRST, LEAST = 16, 8
    _MOST_DIGESTIBLE = 1_000
    #: seconds within which parts count as written at once
    _GRAIN = 0.01

    def __init__(self, rate: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._taken: deque[tuple[float, int]] = deque()
        self._reserved = 0
        self._blocked_until = 0.0
        #: when the next part is due, at an even pace
        self._due = 0.0
        self._digestible = self.FIRST
        self.share = 1.0

    @property
    def rate(self) -> float:
        """Parts per second that this process may hand over now."""
        return self._rate * self.share

    def turn_size(self, window: int) -> int:
        """How many parts the next turn may hold at most: what this second has left, or what the next will have.

        Never more than the carrier digests in half a second: learnt from `took`, since a rate that nobody configured,
        or that is higher than what the carrier keeps up with, says nothing about it.
        """
        with self._lock:
            window = min(window, self._digestible)
            if not self._rate:
                return window
            most = max(1, min(window, int(self.rate * self.TURN_SECONDS)))
            return min(most, self._room(self._clock(), self._reserved) or most)

    def took(self, parts: int, seconds: float) -> None:
        """Learn from a hand-over: so many parts were answered after so many seconds."""
        with self._lock:
            if seconds > self.SLOW_SECONDS:
                self._digestible = max(self.LEAST, int(parts * self.DIGEST_SECONDS / seconds))
            elif seconds < self.DIGEST_SECONDS and 2 * parts > self._digestible:
                self._digestible = min(2 * self._digestible, self._MOST_DIGESTIBLE)

    def wait_for(self, wanted: int, *, kept: bool = False) -> float:
        """The seconds until `wanted` parts may be handed over at once; they are not taken yet.

        `kept`: their rights were kept before, so only what was written counts.
        """
        with self._lock:
            return self._wait(wanted, self._clock(), 0 if kept else self._reserved)

    def take(self, count: int) -> float:
        """Take the right to hand over `count` parts now, or after as many seconds as this returns."""
        with self._lock:
            now = self._clock()
            wait = self._wait(count, now, self._reserved)
            if self._rate:
                self._taken.append((now + wait, count))
                self._due = self._due_at(now + wait, count)
            return wait

    def reserve(self, count: int) -> None:
        """Keep the rights for so many parts, which will be written or given back."""
        with self._lock:
            self._reserved += count

    def give_back(self, count: int) -> None:
        """So many parts for which rights were kept will not be written."""
        with self._lock:
            self._reserved -= count

    def wrote(self) -> None:
        """A part for which rights were kept is being written now."""
        with self._lock:
            self._reserved -= 1
            if not self._rate:
                return
            now = self._clock()
            self._due = self._due_at(now, 1)
            last = self._taken[-1] if self._taken else (0.0, 0)
            if now - last[0] < self._GRAIN:
                self._taken[-1] = (now, last[1] + 1)
            else:
                self._taken.append((now, 1))

    def slow_down(self, seconds: float) -> None:
        """The carrier asked for a pause: the connector as a whole keeps it."""
        with self._lock:
            self._blocked_until = max(self._blocked_until, self._clock() + seconds)

    def _wait(self, wanted: int, now: float, reserved: int) -> float:
        wait = max(0.0, self._blocked_until - now)
        if not self._rate:
            return wait
        wait = max(wait, self._due_at(now, reserved) - now)
        room = self._room(now, reserved)
        for at, count in self._taken:
            if room >= min(wanted, self._most):
                break
            room += count
            wait = max(wait, at + self._span - now)
        # nobody knows when the gateway will have written what it was fed
        return wait if room >= min(wanted, self._most) else max(wait, self._GRAIN)

    def _due_at(self, now: float, ahead: int) -> float:
        """When the next part is due once so many have gone before it."""
        return max(self._due, now - self.TURN_SECONDS) + ahead / self.rate

    def _room(self, now: float, reserved: int) -> int:
        """What may still be handed over at this instant."""
        while self._taken and self._taken[0][0] <= now - self._span:
            self._taken.popleft()
        return max(0, self._most - reserved - sum(count for _, count in self._taken))

    @property
    def _most(self) -> int:
        """Whole parts: a rate of 2.5 is 3 in 1.2 seconds."""
        return max(1, math.ceil(self.rate))

    @property
    def _span(self) -> float:
        return self._most / self.rate
