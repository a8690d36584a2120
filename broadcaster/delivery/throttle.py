"""How fast parts may go: a token bucket per gateway and process."""

from __future__ import annotations

import threading
from collections.abc import Callable

from subscribers.clock import monotonic


class Throttle:
    """Parts per second, shared by the threads of this process. A rate of 0 is no limit.

    `share` is this process's part of the gateway's rate, when several send for it.
    """

    #: a claim takes at most this much of a second's rate, so that what is urgent need not wait behind it
    TURN_SECONDS = 0.5

    def __init__(self, rate: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens = 0.0
        self._at = clock()
        self._blocked_until = 0.0
        self.share = 1.0

    @property
    def rate(self) -> float:
        """Parts per second that this process may hand over now."""
        return self._rate * self.share

    def turn_size(self, window: int) -> int:
        """How many parts the next turn may hold at most."""
        return window if not self._rate else max(1, min(window, int(self.rate * self.TURN_SECONDS)))

    def reserve(self, wanted: int) -> float:
        """Take the right to hand over `wanted` parts; returns the seconds to wait before doing so."""
        with self._lock:
            now = self._clock()
            wait = max(0.0, self._blocked_until - now)
            if not self._rate:
                return wait
            self._tokens = min(self._tokens + (now - self._at) * self.rate, self.rate * self.TURN_SECONDS)
            self._at = now
            self._tokens -= wanted
            return max(wait, -self._tokens / self.rate)

    def give_back(self, unused: int) -> None:
        """Return what was reserved and not used."""
        with self._lock:
            self._tokens += unused

    def slow_down(self, seconds: float) -> None:
        """The carrier asked for a pause: the connector as a whole keeps it."""
        with self._lock:
            self._blocked_until = max(self._blocked_until, self._clock() + seconds)
