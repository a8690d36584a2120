"""How fast parts may go while the carrier says "too fast": one pace for the whole connector. Pure; times are given.

Additive increase, multiplicative decrease, as TCP does it: somewhat below what the carrier has just been taking, soon
back to nearly that, then slowly up until it complains again. Without a complaint there is no limit here.
"""

from __future__ import annotations

import math
from collections import deque

#: after a complaint: this share of what the carrier has been taking, then twice as much each second up to that share
_BACK_TO, _QUICKLY_TO = 0.85, 0.95
#: of what it has been taking, added each second from there; after so many seconds twice as much, then ever more
_CLIMB, _PROBING = 0.02, 4.0
#: seconds without a word to the carrier after a first complaint, and at most, when nothing is taken in between
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
#: seconds of the rate that may be made up for after the process was busy elsewhere
_CATCH_UP = 0.02
#: a limit so many times above what once was too fast is none any more
_FORGOTTEN = 4.0
#: what was taken is counted over the last second, or a quarter of it where there is enough to count
_SPAN, _ENOUGH = 1.0, 40
#: of the pace that was too fast
_AT_LEAST = 0.7


class Pace:
    """Used by one thread."""

    def __init__(self) -> None:
        self.rate: float | None = None
        """Parts per second; None while the carrier has not complained."""
        self._goal = math.inf
        self._next = 0.0
        self._pause = 0.0
        self._risen_at = 0.0
        self._slowed_at = -math.inf
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

    def accepted(self, now: float) -> None:
        """The carrier took a part."""
        count = self._taken.pop()[1] if self._taken and self._taken[-1][0] == now else 0
        self._taken.append((now, count + 1))
        while self._taken[0][0] <= now - _SPAN:
            self._taken.popleft()
        self._taken_since = True

    def complained(self, written_at: float, now: float) -> float:
        """The carrier said "too fast" to one part. Returns the seconds after which it may be handed over again.

        Complaints about parts that were out already when the first one came are part of it.
        """
        if written_at > self._slowed_at:
            self._slow_down(now)
        return min(LONGEST_PAUSE, max(FIRST_PAUSE, self._next - now))

    def _slow_down(self, now: float) -> None:
        taken = self._taken_per_second(now)
        if taken:
            # how much it would take is not known before it has complained about a steady pace
            self._goal = math.inf if self.rate is None else _QUICKLY_TO * taken
            self.rate = max(1.0, _BACK_TO * taken)
        else:
            self.rate = max(1.0, (self.rate or 2.0) / 2)
        again = self._pause and not self._taken_since
        self._pause = min(LONGEST_PAUSE, 2 * self._pause) if again else FIRST_PAUSE
        self._taken_since = False
        self._next = now + self._pause
        self._slowed_at = now
        self._risen_at = self._next

    def _taken_per_second(self, now: float) -> float:
        lately = [(at, count) for at, count in self._taken if at > now - _SPAN]
        quarter = sum(count for at, count in lately if at > now - _SPAN / 4)
        if quarter >= _ENOUGH / 4:
            return quarter * 4 / _SPAN
        # of a connector that has only just begun, what it has had time for
        span = max(_SPAN / 4, now - lately[0][0]) if lately and self.rate is None else _SPAN
        counted = sum(count for _, count in lately) / span
        # a pace that has just risen is not in what was counted yet
        return max(counted, _AT_LEAST * self.rate) if counted and self.rate else counted

    def _rise(self, now: float) -> None:
        if self.rate is None or now <= self._risen_at:
            return
        passed = now - self._risen_at
        self._risen_at = now
        if self.rate < self._goal:
            self.rate = min(self._goal, self.rate * 2 ** min(passed, 20.0))
            # so fast that nobody could have meant a limit
            if self.rate > 1e6:
                self.rate = None
        else:
            # the longer nobody complains, the further off the limit must be
            since = now - self._slowed_at
            self.rate += _CLIMB * self._goal * (1 + (since / _PROBING) ** 2) * passed
            if self.rate > _FORGOTTEN * self._goal:
                self.rate = None
