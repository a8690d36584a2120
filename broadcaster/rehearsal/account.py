"""One system id: who may be told what happens to its messages, and what they have not been told yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from broadcaster.rehearsal.letters import address

#: receipts and letters kept for a system id that does not fetch them; the oldest go first
MOST_KEPT = 200_000
#: what is handed to one connection before it is the next one's turn
_AT_ONCE = 50


@dataclass(slots=True)
class Delivery:
    """A receipt, or a part of a letter, on its way to a client."""

    command: int
    body: bytes
    is_letter: bool
    tries: int = 0


class Receiver(Protocol):
    """A connection that takes deliveries."""

    @property
    def room(self) -> int:
        """How many it takes now."""

    def deliver(self, delivery: Delivery) -> None:
        """Send it with the next `flush`."""

    def flush(self) -> None:
        """Let go what was delivered."""


@dataclass(slots=True)
class Account:
    """Deliveries wait here until one of the receivers has room."""

    system_id: str
    receivers: list[Receiver] = field(default_factory=list)
    waiting: deque[Delivery] = field(default_factory=deque)
    #: where its messages came from last: members answer there
    sender: bytes = address("10690000")
    links: int = 0

    def keep(self, deliveries: Iterable[Delivery]) -> int:
        """Let these wait: how many old ones had to go for them."""
        self.waiting.extend(deliveries)
        dropped = max(0, len(self.waiting) - MOST_KEPT)
        for _ in range(dropped):
            self.waiting.popleft()
        return dropped

    def keep_first(self, deliveries: Iterable[Delivery]) -> None:
        """Let these wait before all others: a connection ended without acknowledging them."""
        self.waiting.extendleft(reversed(list(deliveries)))

    def pump(self) -> None:
        """Hand out what waits, in turns, to whoever has room."""
        waiting = self.waiting
        served = False
        while waiting:
            ready = [(receiver, receiver.room) for receiver in self.receivers]
            ready = [(receiver, room) for receiver, room in ready if room > 0]
            if not ready:
                break
            served = True
            for receiver, room in ready:
                for _ in range(min(room, _AT_ONCE, len(waiting))):
                    receiver.deliver(waiting.popleft())
        if served:
            for receiver in self.receivers:
                receiver.flush()
