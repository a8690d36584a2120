"""What leaves over one connection: at once, after a while, or octet by octet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: octets that may wait here for a client that asks for more than it takes; beyond it is not listened to
MOST_WAITING = 1 << 18
#: octets that drip out at once, at most every so many seconds
_DRIP_EVERY = 0.01


class Outgoing:
    """Writes to one transport. `on_pressure` is called with True when too much waits, with False when it has left."""

    def __init__(self, transport: asyncio.Transport, drip: float, on_pressure: Callable[[bool], None]) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._drip = drip
        self._on_pressure = on_pressure
        self._held = 0
        self._dripping = bytearray()
        self._pressed = False

    def send(self, octets: bytes, after: float = 0.0) -> None:
        """Let them go, so many seconds from now."""
        if not octets:
            return
        if not after:
            self._let_go(octets)
            return
        self._held += len(octets)
        self._weigh()
        self._loop.call_later(after, self._release, octets)

    def after_all(self, delay: float, then: Callable[[], object]) -> None:
        """Call this when all that was sent with that delay has been let go."""
        self._loop.call_later(delay, self._when_dripped, then)

    def _release(self, octets: bytes) -> None:
        self._held -= len(octets)
        self._let_go(octets)
        self._weigh()

    def _let_go(self, octets: bytes) -> None:
        if self._transport.is_closing():
            return
        if not self._drip:
            self._transport.write(octets)
            return
        if not self._dripping:
            self._loop.call_later(self._pace, self._next_drop)
        self._dripping += octets
        self._weigh()

    def _next_drop(self) -> None:
        if self._transport.is_closing():
            self._dripping.clear()
            return
        size = max(1, int(self._drip * _DRIP_EVERY))
        self._transport.write(bytes(self._dripping[:size]))
        del self._dripping[:size]
        self._weigh()
        if self._dripping:
            self._loop.call_later(self._pace, self._next_drop)

    @property
    def _pace(self) -> float:
        return max(1 / self._drip, _DRIP_EVERY)

    def _when_dripped(self, then: Callable[[], object]) -> None:
        if self._dripping and not self._transport.is_closing():
            self._loop.call_later(self._pace, self._when_dripped, then)
        else:
            then()

    def _weigh(self) -> None:
        pressed = self._held + len(self._dripping) > MOST_WAITING
        if pressed != self._pressed:
            self._pressed = pressed
            self._on_pressure(pressed)
