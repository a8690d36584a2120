"""The states of a message and of its parts, and the rule that none of them ever goes back. Pure."""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """Where a part, or the message it belongs to, is.

    The numbers are kept in the database, and their order means something: a message is the least of its parts. What
    still has to happen comes first, then what went worst.
    """

    #: waits for a sender
    QUEUED = 1
    #: waits for a person, the hour or the budget
    HELD = 2
    #: committed before the first byte; only its owner knows more
    SUBMITTING = 3
    #: handed over, no answer; left only by a receipt or a person
    UNKNOWN = 4
    #: stopped before it left
    CANCELLED = 5
    #: the carrier could not deliver it
    FAILED = 6
    #: refused for its content, its sender or its recipient's wish
    REJECTED = 7
    #: the carrier's own EXPIRED
    EXPIRED = 8
    #: the deadline passed without a word; a late receipt may still tell
    NO_RECEIPT = 9
    #: an intermediate receipt: on its way
    IN_NETWORK = 10
    #: the gateway said yes
    SUBMITTED = 11
    #: on the handset
    DELIVERED = 12
    #: never sent, with a reason
    SKIPPED = 13

    @property
    def word(self) -> str:
        """The name that stands in every interface: `in_network`."""
        return self.name.lower()


_S = State

#: by the number that is kept
STATES: dict[int, State] = {int(state): state for state in State}

#: nothing more is expected of the carrier
FINAL = frozenset({_S.DELIVERED, _S.FAILED, _S.REJECTED, _S.EXPIRED, _S.SKIPPED, _S.CANCELLED})
#: still to be handed over
WAITING = frozenset({_S.QUEUED, _S.HELD, _S.SUBMITTING})
#: handed over, and a receipt may still come
AWAITED = frozenset({_S.SUBMITTED, _S.IN_NETWORK})
#: what a receipt may bring
BY_RECEIPT = frozenset({_S.IN_NETWORK, _S.DELIVERED, _S.FAILED, _S.REJECTED, _S.EXPIRED})

#: for each state, the states it may be reached from: the guard of every update
REACHED_FROM: dict[State, frozenset[State]] = {
    # a definite non-acceptance puts it back
    _S.QUEUED: frozenset({_S.HELD, _S.SUBMITTING}),
    _S.HELD: frozenset({_S.QUEUED}),
    _S.SUBMITTING: frozenset({_S.QUEUED}),
    # a late answer, or a receipt that proves it, settles an unknown one
    _S.SUBMITTED: frozenset({_S.SUBMITTING, _S.UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.SUBMITTING}),
    _S.REJECTED: frozenset({_S.SUBMITTING, _S.UNKNOWN, _S.SUBMITTED, _S.IN_NETWORK, _S.NO_RECEIPT}),
    # a receipt may overtake the answer to its submit
    _S.IN_NETWORK: frozenset({_S.SUBMITTING, _S.UNKNOWN, _S.SUBMITTED}),
    _S.DELIVERED: frozenset({_S.SUBMITTING, _S.UNKNOWN, _S.SUBMITTED, _S.IN_NETWORK, _S.NO_RECEIPT}),
    _S.FAILED: frozenset({_S.SUBMITTING, _S.UNKNOWN, _S.SUBMITTED, _S.IN_NETWORK, _S.NO_RECEIPT}),
    _S.EXPIRED: frozenset({_S.SUBMITTING, _S.UNKNOWN, _S.SUBMITTED, _S.IN_NETWORK}),
    _S.NO_RECEIPT: frozenset({_S.SUBMITTED, _S.IN_NETWORK}),
    _S.SKIPPED: frozenset({_S.QUEUED, _S.HELD}),
    _S.CANCELLED: frozenset({_S.QUEUED, _S.HELD}),
}


def advance(current: State, to: State) -> State | None:
    """The state after a receipt says `to`: `to` itself, or None when it would go back or contradict a final one."""
    return to if current in REACHED_FROM[to] else None


def contradicts(current: State, to: State) -> bool:
    """Whether a receipt names another final state than the one that is already known: kept and counted, not applied."""
    return current in FINAL and to in FINAL and current != to


def message_state(parts: list[State]) -> State:
    """What a message is when its parts are these (at least one)."""
    return min(parts)
