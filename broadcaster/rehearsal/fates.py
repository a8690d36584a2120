"""What becomes of a part, decided by the seed: the same submits in the same order meet the same fate. Pure.

What hangs on the phone (refused, delivered or not) is drawn from the number, so that all parts of a message share it
and a second attempt changes nothing. What hangs on the carrier's mood (too fast, late, twice) is drawn anew for each
submit.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum

from broadcaster.rehearsal.behaviour import Behaviour

_LOTS = struct.Struct(">10I")
#: between a receipt and one that comes behind it, out of order or twice
GAP = 0.1


class State(IntEnum):
    """message_state of the specification."""

    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8


@dataclass(frozen=True, slots=True)
class Turn:
    """A receipt, so many seconds after the answer; a strange one is about a part that nobody sent."""

    after: float
    state: State
    error: int = 0
    strange: bool = False


@dataclass(frozen=True, slots=True)
class Fate:
    """Too fast, refused, or accepted and then these receipts; `early`: the first comes before the answer."""

    throttled: bool = False
    refused: bool = False
    early: bool = False
    garbage: int | None = None
    turns: tuple[Turn, ...] = ()


#: network error codes of phones that are off, unknown, full; and what a carrier says about a text it does not want
_UNDELIVERED = (1, 27, 34)
_EXPIRED, _REJECTED = 254, 69


def plain_fate(behaviour: Behaviour) -> Fate:
    """The fate of every part where nothing goes wrong."""
    return Fate(turns=(Turn(behaviour.receipt_delay, State.DELIVERED),))


def fate(behaviour: Behaviour, destination: bytes, nth: int) -> Fate:
    """The fate of the n-th submit, which goes to this number."""
    lots = [lot / 2**32 for lot in _LOTS.unpack(_digest(behaviour.seed, b"submit", b"%d" % nth))]
    throttle, spread, intermediate, reordered, duplicate, early, late, unknown, garbage, kind = lots
    noise = int(kind * 2**16) if garbage < behaviour.garbage else None
    if throttle < behaviour.throttle:
        return Fate(throttled=True, garbage=noise)
    outcome = _outcome(behaviour, destination)
    if outcome is None:
        return Fate(refused=True, garbage=noise)
    state, error = outcome
    if state is State.UNKNOWN:
        return Fate(garbage=noise)
    done = behaviour.receipt_delay + spread * behaviour.receipt_spread
    if late < behaviour.late:
        done += behaviour.late_delay
    if is_early := early < behaviour.early:
        done = 0.0
    turns = [Turn(done, state, error)]
    if intermediate < behaviour.intermediate and not is_early:
        turns.insert(0, Turn(done * 0.3, State.ENROUTE))
    if reordered < behaviour.reordered:
        turns.append(Turn(done + GAP, State.ENROUTE))
    if duplicate < behaviour.duplicate:
        turns.append(Turn(done + GAP, state, error))
    if unknown < behaviour.unknown_id:
        turns.append(Turn(done + GAP, state, error, strange=True))
    return Fate(early=is_early, garbage=noise, turns=tuple(turns))


def lot(seed: int, *what: bytes) -> float:
    """A number in [0, 1) that is the same in every process."""
    drawn: int = _LOTS.unpack(_digest(seed, *what))[0]
    return drawn / 2**32


def _outcome(behaviour: Behaviour, destination: bytes) -> tuple[State, int] | None:
    """What a phone does with what comes: the final state and its code, None for refused; UNKNOWN: nothing is heard."""
    drawn = lot(behaviour.seed, b"phone", destination)
    which = int(lot(behaviour.seed, b"reason", destination) * len(_UNDELIVERED))
    for fraction, outcome in (
        (behaviour.refuse, None),
        (behaviour.lost, (State.UNKNOWN, 0)),
        (behaviour.undelivered, (State.UNDELIVERABLE, _UNDELIVERED[which])),
        (behaviour.expired, (State.EXPIRED, _EXPIRED)),
        (behaviour.rejected, (State.REJECTED, _REJECTED)),
    ):
        if drawn < fraction:
            return outcome
        drawn -= fraction
    return State.DELIVERED, 0


def _digest(seed: int, *what: bytes) -> bytes:
    return hashlib.blake2b(b"\0".join((b"%d" % seed, *what)), digest_size=_LOTS.size).digest()
