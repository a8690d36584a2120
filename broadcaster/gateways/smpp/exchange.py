"""What other threads share with the one that owns the connection: parts on their way out, what came, how it stands."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import repeat

from broadcaster.gateways.contract import OutboundPart, Unreachable
from broadcaster.gateways.errors import GatewayError, LinkDown
from broadcaster.gateways.smpp.codec import Deliver
from broadcaster.gateways.smpp.tables import Pdu, Value
from broadcaster.gateways.smpp.window import Feed, Flight
from broadcaster.logs import get
from subscribers.clock import monotonic

#: receipts and messages that wait for a listener; the carrier is asked to repeat what comes beyond
MOST_WAITING = 5_000
#: seconds of a pause that are worth waiting for, when somebody wants the connection now
_SOON = 1.0

log = get(__name__)


class Standing(StrEnum):
    """How it stands with the connection."""

    TRYING = "trying"
    UP = "up"
    DOWN = "down"
    LEAVING = "leaving"
    """Nothing more is taken in; what was is written and answered."""
    ENDED = "ended"


#: the connection on which a receipt or a message waits to be acknowledged, and it
Delivery = tuple[int, Deliver]


@dataclass(frozen=True, slots=True)
class Question:
    """A request beside the stream, such as query_sm."""

    command: int
    fields: Mapping[str, Value]
    deadline: float
    answer: Future[Pdu] = field(default_factory=Future)


class Exchange:
    """Safe for threads. `waker` is watched by the thread that owns the connection."""

    def __init__(self, window: int) -> None:
        self._most = window
        self._changed = threading.Condition()
        self._telling = threading.RLock()
        self._queue: deque[Flight] = deque()
        self._inbox: deque[Delivery] = deque()
        self._is_listened_to = False
        self._acknowledged: list[Deliver] = []
        self._questions: list[Question] = []
        self._called = False
        self.waker, self._bell = socket.socketpair()
        self.waker.setblocking(False)
        self._bell.setblocking(False)
        self.standing = Standing.TRYING
        self.trouble: GatewayError | None = None
        self.connection = 0
        """Counts the connections that stood."""
        self.leave_by = 0.0
        self.heard_on = self
        """Where the receipts of what leaves here come in: itself, or the other one of two links."""
        self._attempts = 0
        self._retry_at = 0.0

    # --- those who hand parts over

    def feed(self, feed: Feed, parts: Sequence[OutboundPart]) -> None:
        """Take parts in as room comes. Those for which there is no connection are told at once."""
        flights = [Flight(feed, position, part) for position, part in enumerate(parts)]
        at = 0
        while at < len(flights):
            with self._changed:
                while self.standing is Standing.TRYING or (
                    self.standing is Standing.UP and len(self._queue) >= self._most
                ):
                    self._changed.wait()
                if self.standing is not Standing.UP:
                    break
                more = flights[at : at + self._most - len(self._queue)]
                self._queue.extend(more)
                at += len(more)
                self._call()
        if at < len(flights):
            self.give_back(flights[at:])

    def give_back(self, flights: Iterable[Flight]) -> None:
        """These were not handed over, for certain."""
        outcome = Unreachable(str(self.trouble or "the gateway is closed"))
        self.tell([flight.settle(outcome) for flight in flights])

    def tell(self, feeds: Iterable[Feed]) -> None:
        """Tell their callers what became of their parts; one caller at a time, whichever thread it is."""
        with self._telling:
            for feed in feeds:
                if feed.settled:
                    settled, feed.settled = feed.settled, []
                    try:
                        feed.on_outcomes(settled)
                    except Exception as error:
                        log.error("outcomes could not be handed on", parts=len(settled), reason=repr(error))

    def ask(self, question: Question) -> None:
        """To be sent; its answer comes through its future."""
        with self._changed:
            if self.standing is not Standing.UP:
                question.answer.set_exception(self.trouble or _closed())
                return
            self._questions.append(question)
            self._call()

    # --- those who listen

    def take_deliveries(self, most: int, seconds: float) -> list[Delivery]:
        """What has come in; empty when nothing does in time, or the connection is lost."""
        with self._changed:
            self._is_listened_to = True
            if not self._inbox and self.standing is Standing.UP:
                self._changed.wait(seconds)
            return [self._inbox.popleft() for _ in range(min(most, len(self._inbox)))]

    def acknowledge(self, deliveries: Sequence[Delivery]) -> bool:
        """They are kept: the carrier may be told. False when a connection that they came on is gone."""
        with self._changed:
            if not self.is_up:
                return False
            mine = [told for connection, told in deliveries if connection == self.connection]
            self._acknowledged += mine
            self._call()
            return len(mine) == len(deliveries)

    def wait_until_tried(self, seconds: float) -> None:
        """Until the connection stands. Raises what keeps it from standing, or `LinkDown` when the time is over."""
        deadline = monotonic() + seconds
        with self._changed:
            before = self._attempts
            while self.standing is not Standing.UP:
                far_off = self._attempts > before or self._retry_at - monotonic() > _SOON
                if self.standing in (Standing.LEAVING, Standing.ENDED):
                    raise _closed()
                if self.standing is Standing.DOWN and far_off and self.trouble is not None:
                    raise self.trouble
                if not self._changed.wait(max(0.0, deadline - monotonic())) and monotonic() >= deadline:
                    raise self.trouble or _closed()

    def leave(self, within: float) -> None:
        """Take nothing more in, finish within so many seconds."""
        with self._changed:
            self.leave_by = monotonic() + within
            if self.standing is not Standing.ENDED:
                self.standing = Standing.LEAVING
            self._changed.notify_all()
            self._call()

    # --- the one that owns the connection

    def stands(self, standing: Standing, trouble: GatewayError | None = None, pause: float = 0.0) -> bool:
        """Note how it stands now, unless it is to end: then False."""
        with self._changed:
            if self.standing in (Standing.LEAVING, Standing.ENDED):
                return False
            self.standing = standing
            self.trouble = trouble
            self._retry_at = monotonic() + pause
            self._attempts += standing is Standing.DOWN
            self.connection += standing is Standing.UP
            self._changed.notify_all()
            return True

    def end(self) -> None:
        """The thread is about to end."""
        with self._changed:
            self.standing = Standing.ENDED
            self.trouble = None
            self._changed.notify_all()

    def rest(self, seconds: float) -> None:
        """Wait, unless it is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self.standing is Standing.LEAVING, seconds)

    def next_flights(self, most: int) -> list[Flight]:
        """The parts to be written next."""
        with self._changed:
            if not self._queue or most < 1:
                return []
            taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
            self._changed.notify_all()
            return taken

    def held_back(self, msisdn: str) -> list[Flight]:
        """Take out the parts to this number that have not begun to leave."""
        with self._changed:
            held = [flight for flight in self._queue if flight.part.msisdn == msisdn]
            if held:
                self._queue = deque(flight for flight in self._queue if flight.part.msisdn != msisdn)
                self._changed.notify_all()
            return held

    @property
    def is_up(self) -> bool:
        """Whether the connection stands, and what came on it can be acknowledged."""
        return self.standing in (Standing.UP, Standing.LEAVING)

    @property
    def waiting(self) -> int:
        """Parts that have not begun to leave."""
        return len(self._queue)

    @property
    def is_behind(self) -> bool:
        """Whether a listener has so much to take in that what is sent now would come back to a full room."""
        heard = self.heard_on
        return heard._is_listened_to and len(heard._inbox) > MOST_WAITING // 2

    def arrived(self, deliveries: Sequence[Deliver]) -> list[Deliver]:
        """Keep what came for the listener. Returns those for which there is no room."""
        with self._changed:
            room = max(0, MOST_WAITING - len(self._inbox))
            self._inbox.extend(zip(repeat(self.connection), deliveries[:room]))
            self._changed.notify_all()
            return list(deliveries[room:])

    def errands(self) -> tuple[list[Deliver], list[Question]]:
        """What is to be acknowledged, and what is to be asked."""
        with self._changed:
            self._called = False
            acknowledged, self._acknowledged = self._acknowledged, []
            questions, self._questions = self._questions, []
            return acknowledged, questions

    def forget_errands(self, trouble: GatewayError) -> None:
        """The connection is gone, and with it what was to be said on it."""
        _, questions = self.errands()
        for question in questions:
            question.answer.set_exception(trouble)

    def close(self) -> None:
        """Nobody watches any more."""
        self.waker.close()
        self._bell.close()

    def _call(self) -> None:
        if not self._called:
            self._called = True
            with contextlib.suppress(OSError):
                self._bell.send(b"!")


def _closed() -> LinkDown:
    return LinkDown("The gateway is closed.")
