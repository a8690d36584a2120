"""How fast parts may go while the carrier says "too fast": one pace for the whole connector. Pure; times are given.

Additive increase, multiplicative decrease, as TCP does it: a little below what the carrier has just been taking, then
slowly up until it complains again. Without a complaint there is no limit here.
"""

from __future__ import annotations

from collections import deque

#: after a complaint, this share of what was taken within the last second
_BACK_TO = 0.9
#: of that, per second, added again
_CLIMB = 0.02
#: seconds without a word to the carrier after a first complaint, and at most, when nothing is taken in between
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
#: seconds of the rate that may be made up for after the process was busy elsewhere
_CATCH_UP = 0.02
#: a limit so many times above what once was too fast is none any more
_FORGOTTEN = 4.0
_SPAN = 1.0


class Pace:
    """Used by one thread."""

    def __init__(self) -> None:
        self.rate: float | None = None
        """Parts per second; None while the carrier has not complained."""
        self._goal = 0.0
        self._next = 0.0
        self._pause = 0.0
        self._risen_at = 0.0
        self._deaf_until = 0.0
        self._taken: deque[tuple[float, int]] = deque()
        self._taken_since = False

    def delay(self, now: float) -> float:
        """Seconds until the next part may be written."""
        self._rise(now)
        return max(0.0, self._next - now)

    def wrote(self, now: float) -> None:
        """One part was written."""
        if self.rate is not None:
            self._next = max(self._next, now - _CATCH_UP) + 1 / self.rate

    def accepted(self, count: int, now: float) -> None:
        """The carrier took so many parts."""
        self._taken.append((now, count))
        self._trim(now)
        self._taken_since = True

    def complained(self, now: float) -> float:
        """The carrier said "too fast" to one part. Returns the seconds after which it may be handed over again.

        Complaints about parts that were out already when the first one came are part of it.
        """
        if now >= self._deaf_until:
            self._slow_down(now)
        return max(FIRST_PAUSE, self._next - now)

    def _slow_down(self, now: float) -> None:
        self._trim(now)
        taken = sum(count for _, count in self._taken) / _SPAN
        if taken:
            self._goal = _BACK_TO * taken
        lower = taken if self.rate is None else min(taken, self.rate)
        self.rate = max(1.0, _BACK_TO * lower if taken else (self.rate or 2.0) / 2)
        self._goal = max(self._goal, 1.0)
        again = not self._taken_since and self._pause
        self._pause = min(LONGEST_PAUSE, 2 * self._pause) if again else FIRST_PAUSE
        self._taken_since = False
        self._next = now + self._pause
        self._deaf_until = self._next + FIRST_PAUSE / 2
        self._risen_at = self._next

    def _rise(self, now: float) -> None:
        if self.rate is None or now <= self._risen_at:
            return
        passed = now - self._risen_at
        self._risen_at = now
        if self.rate < self._goal:
            # after a storm: quickly back to what went well before it
            self.rate = min(self._goal, self.rate * 2 ** min(passed, 20.0))
        else:
            self.rate += _CLIMB * self._goal * passed
            if self.rate > _FORGOTTEN * self._goal:
                self.rate = None

    def _trim(self, now: float) -> None:
        while self._taken and self._taken[0][0] <= now - _SPAN:
            self._taken.popleft()
