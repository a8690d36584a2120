"""Parts on their way through a gateway that streams: one thread feeds it, another writes down what it says.

So a turn is claimed while the one before it leaves and the one before that is written down, and nobody waits for a
window to drain. The threads live as long as one run of the press.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from broadcaster.delivery.journal import Journal
from broadcaster.delivery.recording import ClaimedTurn, Recorded
from broadcaster.delivery.throttle import Throttle
from broadcaster.gateways.contract import OutcomeUnknown, SessionGateway, Settled, Unreachable, settled
from broadcaster.logs import get
from subscribers.clock import monotonic
from subscribers.db import in_bulk

log = get(__name__)

#: seconds in which more may come that is written down together, and parts that are enough: a transaction costs as
#: much as fifty parts in it
_GATHER, _ENOUGH = 0.1, 500

#: writes down what became of parts of a turn; `closes` as in `recording.record`
Record = Callable[[ClaimedTurn, Sequence[Settled], bool], Recorded]


@dataclass(slots=True, eq=False)
class _Out:
    """A turn that is on its way."""

    turn: ClaimedTurn
    #: parts of which nothing was said yet; one that is named twice counts once
    silent: set[int]
    #: parts that were not written yet
    unwritten: int
    #: said, and not written down yet
    said: list[Settled] = field(default_factory=list)
    #: nothing of it is being fed any more
    fed: bool = False
    closed: bool = False

    @property
    def ends(self) -> bool:
        """Whether what was said now is the last of it."""
        return self.fed and not self.silent and not self.closed


class Stream:
    """Used by the thread that claims; the others are its own."""

    def __init__(
        self,
        gateway: SessionGateway,
        throttle: Throttle,
        journal: Journal,
        record: Record,
        *,
        stopping: Callable[[], bool],
        sleep: Callable[[float], None],
    ) -> None:
        self._gateway = gateway
        self._throttle = throttle
        self._journal = journal
        self._record = record
        self._stopping = stopping
        self._sleep = sleep
        self._changed = threading.Condition()
        self._next: tuple[_Out, int] | None = None
        self._out: list[_Out] = []
        self._ending = self._ended = self._late = False
        self._trouble: Exception | None = None
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=f"{work.__name__}-{gateway.name}", daemon=True)
            for work in (self._feed_all, self._record_all)
        ]
        for thread in self._threads:
            thread.start()

    def hand_over(self, turn: ClaimedTurn, step: int) -> None:
        """Take a claimed turn, to be fed `step` parts at a time, once the one before it is being fed."""
        out = _Out(turn, set(range(len(turn.parts))), len(turn.parts))
        self._throttle.reserve(len(turn.parts))
        with self._changed:
            self._out.append(out)
            self._changed.wait_for(lambda: self._next is None or self._trouble)
            self._next = (out, step)
            self._changed.notify_all()

    def has_room(self, parts: int) -> bool:
        """Whether the journal has a place for so many parts more."""
        # in this order: what is written between the two looks counts twice then, and not never
        wanted = parts + sum(out.unwritten for out in self._out)
        return self._journal.room >= wanted

    def wait(self, seconds: float) -> bool:
        """Until everything is written down, or the time is over. Whether it is; raises what keeps it from being so."""
        with self._changed:
            self._changed.wait_for(lambda: not self._out or self._trouble, seconds)
            if self._trouble is not None:
                raise self._trouble
            return not self._out

    def end(self) -> None:
        """Wait for what is on its way and write it down. Raises what kept us from it."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        with self._changed:
            self._ended = True
        if self._trouble is not None:
            raise self._trouble

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as trouble:
            with self._changed:
                self._trouble = self._trouble or trouble
                self._changed.notify_all()

    # --- the thread that feeds

    def _feed_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._next or self._ending or self._trouble)
                if self._next is None:
                    return
                (out, step), self._next = self._next, None
                self._changed.notify_all()
            self._feed(out, step)

    def _feed(self, out: _Out, step: int) -> None:
        parts = out.turn.parts
        seconds = 0.0
        for number, some in enumerate(in_bulk(parts, step)):
            while (wait := self._throttle.wait_for(len(some), kept=True)) > 0 and not self._stopping():
                self._sleep(wait)
            if self._stopping() and not number:
                outcome = Unreachable("this process was asked to end")
                self._said(out, 0, settled(parts, [outcome] * len(parts)))
                break
            began = monotonic()
            try:
                self._gateway.feed(
                    some, partial(self._said, out, number * step), partial(self._writes, out, number * step)
                )
            except Exception as error:
                # a gateway promises not to raise here; if it does, nobody knows how far it got
                log.exception("a gateway broke its contract", gateway=self._gateway.name)
                broke = OutcomeUnknown(type(error).__name__)
                self._said(out, 0, [Settled(position, parts[position], broke) for position in sorted(out.silent)])
                break
            seconds += monotonic() - began
        self._throttle.took(len(parts), seconds)
        with self._changed:
            out.fed = True
            self._changed.notify_all()

    # --- called by the gateway's own thread

    def _writes(self, out: _Out, first: int, position: int) -> None:
        part = out.turn.parts[first + position]
        self._journal.wrote(out.turn.id, part.part_id)
        out.unwritten -= 1
        self._throttle.wrote()

    def _said(self, out: _Out, first: int, said: Sequence[Settled]) -> None:
        for _, part, outcome in said:
            self._journal.answered(out.turn.id, part.part_id, outcome)
        with self._changed:
            out.said += (
                [Settled(first + position, part, outcome) for position, part, outcome in said] if first else said
            )
            out.silent.difference_update(first + position for position, _, _ in said)
            if out not in self._out:
                # a late answer to a part that was in doubt
                self._out.append(out)
            if self._ended and not self._late:
                self._late = True
                threading.Thread(target=self._guarded, args=(self._record_late,), daemon=True).start()
            self._changed.notify_all()

    # --- the thread that records

    def _record_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: any(out.said or out.ends for out in self._out) or self._over())
                if self._over():
                    return
                self._changed.wait_for(lambda: self._is_much() or self._trouble, _GATHER)
            self._record_once()

    def _record_late(self) -> None:
        while True:
            with self._changed:
                if not any(out.said for out in self._out):
                    self._late = False
                    return
            self._record_once()

    def _record_once(self) -> None:
        with self._changed:
            harvest = [(out, out.said, out.ends) for out in self._out if out.said or out.ends]
            for out, _, ends in harvest:
                out.said, out.closed = [], out.closed or ends
        for out, said, ends in harvest:
            recorded = self._record(out.turn, said, ends)
            if recorded.pause:
                self._throttle.slow_down(recorded.pause)
            if ends:
                self._throttle.give_back(out.unwritten)
        with self._changed:
            self._out = [out for out in self._out if not out.closed or out.said]
            self._changed.notify_all()

    def _is_much(self) -> bool:
        """Whether it is worth a transaction, or all there will be."""
        said = sum(len(out.said) for out in self._out)
        return said >= _ENOUGH or not any(out.silent or not out.fed for out in self._out)

    def _over(self) -> bool:
        return (self._ending and not self._out and self._next is None) or self._trouble is not None
