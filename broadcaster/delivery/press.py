"""The press: claim, commit, hand over, record; again until nothing is due.

The one loop that spans several transactions. No transaction is open while the gateway is talking.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Lane
from broadcaster.delivery import batches, leases, recording
from broadcaster.delivery.batches import CannotGoOn
from broadcaster.delivery.control import stop
from broadcaster.delivery.owners import Ownership
from broadcaster.delivery.pieces import Sender
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.recording import ClaimedTurn
from broadcaster.delivery.stream import Stream
from broadcaster.delivery.throttle import Throttle
from broadcaster.gateways.contract import (
    Gateway,
    OutboundPart,
    Outcome,
    OutcomeUnknown,
    SessionGateway,
    Settled,
    Unreachable,
    settled,
)
from broadcaster.gateways.errors import Misconfigured, in_log
from broadcaster.logs import get
from subscribers.clock import monotonic
from subscribers.db import Begin, in_bulk
from subscribers.errors import BroadsheetError, Unavailable

log = get(__name__)

#: parts that are claimed at once for a gateway that streams; it holds three such turns at most, with the one being fed.
#: a batch of 500 messages of three parts goes out in three of them, and not in three and a bit
TURN = 510
#: seconds that a turn is claimed before it is due: as long as a claim may take
AHEAD = 0.05
#: seconds between two looks at what is due while the last turns are on their way, and while there is no room
LOOK_AROUND, SHORT = 0.5, 0.01
#: between tries to write down what the gateway said, when the database does not answer
RECORD_PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Press:
    """Everything that handing parts over for one gateway needs."""

    begin: Begin
    gateway: Gateway
    throttle: Throttle
    ownership: Ownership
    #: the last lane that may be handed over at this instant
    up_to: Callable[[Session, datetime], Lane]
    #: set when this process is asked to end
    stopping: Callable[[], bool]
    sleep: Callable[[float], None] = time.sleep
    #: told of a turn once it is committed, before anything of it leaves; what it raises keeps the turn from leaving
    on_claimed: Callable[[ClaimedTurn], None] = lambda _turn: None
    #: the batch to hand over, and nothing else
    only: int | None = None
    #: told what a person must mend before the gateway takes anything
    on_turned_away: Callable[[Misconfigured], None] = lambda _trouble: None
    #: see `Sender`
    shortest: dict[int, int] = field(default_factory=dict)

    @property
    def sender(self) -> Sender:
        """The gateway as a claim sees it."""
        gateway = self.gateway
        return Sender(gateway.name, gateway.config.sender, gateway.capabilities, gateway.rehearses, self.shortest)


def run(press: Press, *, limit: int | None = None) -> bool:
    """Hand over what is due, until nothing is, or `limit` turns are done, or this process is asked to end.

    A process that has no place at the gateway (any more) hands over nothing. Returns whether it stopped at the limit:
    then more may be due. Raises what the database raises when a claim fails: nothing was handed over then.
    """
    if isinstance(press.gateway, SessionGateway):
        return _run_stream(press, press.gateway, limit)
    turns = 0
    while not press.stopping():
        if limit is not None and turns >= limit:
            return True
        size = press.throttle.turn_size(press.gateway.capabilities.window)
        press.sleep(press.throttle.wait_for(size))
        turn = _claim(press, size)
        if turn is None:
            return False
        outcomes, trouble = _hand_over(press, turn, size)
        recorded = _record(press, turn, settled(turn.parts, outcomes), closes=True)
        if trouble is not None:
            _turned_away(press, turn, trouble)
        turns += 1
        if recorded.pause:
            press.throttle.slow_down(recorded.pause)
    return False


def _run_stream(press: Press, gateway: SessionGateway, limit: int | None) -> bool:
    turns = 0
    stream = Stream(
        gateway,
        press.throttle,
        press.ownership.journal,
        lambda turn, said, closes: _record(press, turn, said, closes=closes),
        stopping=press.stopping,
        sleep=press.sleep,
    )
    try:
        while not press.stopping():
            if limit is not None and turns >= limit:
                return True
            size = press.throttle.turn_size(min(TURN, press.ownership.journal.slots // 4))
            wait = press.throttle.wait_for(size)
            if wait > AHEAD or not stream.has_room(size):
                stream.wait(0)
                press.sleep(max(wait - AHEAD, SHORT))
                continue
            turn = _claim(press, size)
            if turn is not None:
                stream.hand_over(turn, size)
                turns += 1
            elif stream.wait(LOOK_AROUND):
                # nothing is due, and nothing is on its way
                return False
    finally:
        stream.end()
    return False


def _claim(press: Press, size: int) -> ClaimedTurn | None:
    if not press.ownership.valid():
        raise Unavailable("This process is no longer a sender: its lock is gone.", hint="It registers again by itself.")
    turn = None
    try:
        with press.begin() as tx:
            # first of all, so that it travels with the beginning of the transaction
            go_by_keys(tx.session)
            share = leases.share(tx.session, press.gateway.name, press.ownership.id)
            if share is None:
                return None
            press.throttle.share = share
            turn = batches.claim(
                tx.session,
                press.ownership.id,
                press.sender,
                parts=size,
                up_to=press.up_to(tx.session, tx.now),
                only=press.only,
                now=tx.now,
            )
        if turn is not None:
            press.on_claimed(turn)
    except CannotGoOn as trouble:
        _stop(press, trouble.campaign_id, trouble.error)
        return _claim(press, size)
    except Exception:
        if turn is not None:
            # its commit may stand although nobody told us so; nothing of it was handed over
            nothing = Unreachable("the claim was not confirmed")
            _record(press, turn, settled(turn.parts, [nothing] * len(turn.parts)), closes=True)
        raise
    return turn


def _turned_away(press: Press, turn: ClaimedTurn, trouble: Misconfigured) -> None:
    press.on_turned_away(trouble)
    if turn.campaign_id is not None:
        _stop(press, turn.campaign_id, trouble)
    else:
        # an answer has no campaign that could be stopped: it waits, and nobody would ever know why
        log.error("the carrier turns us away", gateway=press.gateway.name, **in_log(trouble))


def _stop(press: Press, campaign_id: int, trouble: BroadsheetError) -> None:
    with press.begin() as tx:
        stop(tx.session, campaign_id, trouble)
    log.error("a campaign was stopped", gateway=press.gateway.name, campaign=campaign_id, reason=str(trouble))


def _hand_over(press: Press, turn: ClaimedTurn, size: int) -> tuple[Sequence[Outcome], Misconfigured | None]:
    """One outcome per part, and what a person must mend before this gateway takes anything.

    A message that is larger than a turn goes in as many steps as its rate allows. Asked to end, it hands over nothing
    more; but a message that has begun to leave is finished, at its rate.
    """
    outcomes: list[Outcome] = []
    for step in in_bulk(turn.parts, size):
        wait = press.throttle.take(len(step))
        # a press that is asked to end sleeps no more; the rate holds all the same
        (time.sleep if press.stopping() and outcomes else press.sleep)(wait)
        if press.stopping() and not outcomes:
            return [Unreachable("this process was asked to end")] * len(turn.parts), None
        began = monotonic()
        for part in step:
            press.ownership.journal.wrote(turn.id, part.part_id)
        try:
            outcomes += _submit(press.gateway, step)
        except Misconfigured as error:
            # raised only when nothing of the step was handed over
            return [*outcomes, *[Unreachable(str(error))] * (len(turn.parts) - len(outcomes))], error
        for part, outcome in zip(step, outcomes[-len(step) :], strict=True):
            press.ownership.journal.answered(turn.id, part.part_id, outcome)
        press.throttle.took(len(step), monotonic() - began)
    return outcomes, None


def _submit(gateway: Gateway, parts: Sequence[OutboundPart]) -> list[Outcome]:
    try:
        outcomes = gateway.submit(parts)
    except Misconfigured:
        raise
    except Exception as error:
        # a gateway promises not to raise here; if it does, nobody knows how far it got
        log.exception("a gateway broke its contract", gateway=gateway.name)
        return [OutcomeUnknown(type(error).__name__) for _ in parts]
    if len(outcomes) != len(parts):
        log.error("a gateway broke its contract", gateway=gateway.name, parts=len(parts), outcomes=len(outcomes))
        return [OutcomeUnknown("the gateway did not say what became of it") for _ in parts]
    return outcomes


def _record(press: Press, turn: ClaimedTurn, said: Sequence[Settled], *, closes: bool) -> recording.Recorded:
    """Write the outcomes down, however long the database is away: they exist nowhere else."""
    while True:
        try:
            with press.begin() as tx:
                recorded = recording.record(tx.session, turn, said, closes=closes, now=tx.now)
        except (OperationalError, InterfaceError, Unavailable) as error:
            log.warning("outcomes wait for the database", gateway=turn.gateway, parts=len(said), error=str(error))
            if press.stopping():
                raise
            press.sleep(RECORD_PAUSE)
        except Exception:
            if all(isinstance(each.outcome, OutcomeUnknown) for each in said):
                raise
            # better in doubt, and settled by its receipts, than held by nobody
            log.exception("outcomes cannot be written down", gateway=turn.gateway, parts=len(said))
            lost = OutcomeUnknown("its outcome could not be written down")
            said = [each._replace(outcome=lost) for each in said]
        else:
            press.ownership.journal.forget(turn.id, (part.part_id for _, part, _ in said))
            return recorded
