"""A state never goes back, and a final one stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.delivery.states import (
    BY_RECEIPT,
    FINAL,
    REACHED_FROM,
    WAITING,
    State,
    advance,
    contradicts,
    message_state,
)

#: how far a part is, on the way that only goes forward once the carrier may have it
DISTANCE = {
    State.SUBMITTING: 0,
    State.UNKNOWN: 1,
    State.SUBMITTED: 2,
    State.IN_NETWORK: 3,
    State.NO_RECEIPT: 4,
    **dict.fromkeys(FINAL, 5),
}
receipts = st.lists(st.sampled_from(sorted(BY_RECEIPT)), max_size=12)


@given(st.sampled_from(sorted(set(DISTANCE) - FINAL)), receipts)
def test_receipts_only_move_a_part_forward(state: State, told: list[State]) -> None:
    for to in told:
        moved = advance(state, to)
        if moved is not None:
            assert moved is to
            assert DISTANCE[moved] > DISTANCE[state]
            state = moved


@given(st.sampled_from(sorted(FINAL)), receipts)
def test_nothing_moves_a_final_state(state: State, told: list[State]) -> None:
    assert all(advance(state, to) is None for to in told)


@given(receipts.filter(lambda told: any(to in FINAL for to in told)))
def test_the_first_final_receipt_decides_and_others_contradict(told: list[State]) -> None:
    state = State.SUBMITTED
    for to in told:
        assert contradicts(state, to) == (state in FINAL and to in FINAL and to is not state)
        state = advance(state, to) or state
    assert state == next(to for to in told if to in FINAL)


def test_a_late_receipt_still_tells() -> None:
    assert advance(State.NO_RECEIPT, State.DELIVERED) is State.DELIVERED
    assert advance(State.NO_RECEIPT, State.FAILED) is State.FAILED
    assert advance(State.NO_RECEIPT, State.IN_NETWORK) is None


def test_what_is_in_doubt_is_never_queued_again_by_itself() -> None:
    assert REACHED_FROM[State.QUEUED] == {State.HELD, State.SUBMITTING}
    assert all(State.UNKNOWN not in REACHED_FROM[state] for state in WAITING)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([State.DELIVERED, State.DELIVERED], State.DELIVERED),
        ([State.DELIVERED, State.SUBMITTED], State.SUBMITTED),
        ([State.SUBMITTED, State.IN_NETWORK], State.IN_NETWORK),
        ([State.IN_NETWORK, State.NO_RECEIPT], State.NO_RECEIPT),
        ([State.NO_RECEIPT, State.EXPIRED], State.EXPIRED),
        ([State.EXPIRED, State.REJECTED], State.REJECTED),
        ([State.REJECTED, State.FAILED], State.FAILED),
        ([State.FAILED, State.UNKNOWN], State.UNKNOWN),
        ([State.UNKNOWN, State.QUEUED], State.QUEUED),
        ([State.DELIVERED, State.SKIPPED], State.DELIVERED),
    ],
)
def test_a_message_is_its_worst_part(parts: list[State], message: State) -> None:
    assert message_state(parts) is message
    assert message_state(parts[::-1]) is message
