"""The press: claim, commit, hand over, record; again until nothing is due.

The one loop that spans several transactions. No transaction is open while the gateway is talking.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from broadcaster.delivery import batches, owners, recording
from broadcaster.delivery.batches import Sender
from broadcaster.delivery.owners import Ownership
from broadcaster.delivery.recording import ClaimedTurn
from broadcaster.delivery.throttle import Throttle
from broadcaster.gateways.contract import Gateway, OutboundPart, Outcome, OutcomeUnknown
from broadcaster.logs import get
from subscribers.db import Begin
from subscribers.errors import Unavailable

log = get(__name__)

#: between tries to write down what the gateway said, when the database does not answer
RECORD_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Press:
    """Everything that handing parts over for one gateway needs."""

    begin: Begin
    gateway: Gateway
    throttle: Throttle
    ownership: Ownership
    #: whether bulk has to wait at this instant
    quiet: Callable[[datetime], bool]
    #: set when this process is asked to end
    stopping: Callable[[], bool]
    sleep: Callable[[float], None] = time.sleep

    @property
    def sender(self) -> Sender:
        """The gateway as a claim sees it."""
        return Sender(self.gateway.name, self.gateway.config.sender, self.gateway.capabilities)


def run(press: Press, *, limit: int | None = None) -> int:
    """Hand over what is due, until nothing is, or `limit` turns are done, or this process is asked to end.

    Returns the number of parts that were handed over. Raises what the database raises when a claim fails: nothing was
    handed over then.
    """
    handed = turns = 0
    while not press.stopping() and (limit is None or turns < limit):
        size = press.throttle.turn_size(press.gateway.capabilities.window)
        press.sleep(press.throttle.reserve(size))
        turn = _claim(press, size)
        press.throttle.give_back(size - (len(turn.parts) if turn else 0))
        if turn is None:
            break
        recorded = _record(press, turn, _submit(press.gateway, turn.parts))
        handed += recorded.accepted
        turns += 1
        if recorded.pause:
            press.throttle.slow_down(recorded.pause)
    return handed


def _claim(press: Press, size: int) -> ClaimedTurn | None:
    if not press.ownership.valid():
        raise Unavailable("This process is no longer a sender: its lock is gone.", hint="It registers again by itself.")
    with press.begin() as tx:
        if owners.is_ended(tx.session, press.ownership.id):
            raise Unavailable("This process was taken for dead.", hint="It registers again by itself.")
        return batches.claim(
            tx.session, press.ownership.id, press.sender, parts=size, quiet=press.quiet(tx.now), now=tx.now
        )


def _submit(gateway: Gateway, parts: Sequence[OutboundPart]) -> list[Outcome]:
    try:
        return gateway.submit(parts)
    except Exception as error:
        # a gateway promises not to raise here; if it does, nobody knows how far it got
        log.exception("a gateway broke its contract", gateway=gateway.name)
        return [OutcomeUnknown(type(error).__name__) for _ in parts]


def _record(press: Press, turn: ClaimedTurn, outcomes: Sequence[Outcome]) -> recording.Recorded:
    """Write the outcomes down, however long the database is away: they exist nowhere else."""

    def write(session: Session, now: datetime) -> recording.Recorded:
        return recording.record(session, turn, outcomes, now=now)

    while True:
        try:
            with press.begin() as tx:
                return write(tx.session, tx.now)
        except (DBAPIError, Unavailable) as error:
            log.warning("outcomes wait for the database", gateway=turn.gateway, parts=len(turn.parts), error=str(error))
            if press.stopping():
                raise
            press.sleep(RECORD_PAUSE)
