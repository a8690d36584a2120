from __future__ import annotations

import pytest

from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.fates import State, Turn, fate, lot, plain_fate
from broadcaster.rehearsal.letters import invented_number, text_of
from subscribers.errors import Invalid
from tests.factories import generated_msisdn

PEOPLE = [generated_msisdn(n).encode() for n in range(2000)]


def share(behaviour: Behaviour, state: State) -> float:
    fates = [fate(behaviour, who, n) for n, who in enumerate(PEOPLE)]
    return sum(any(turn.state is state for turn in each.turns) for each in fates) / len(PEOPLE)


@pytest.mark.parametrize(
    ("name", "state"),
    [("undelivered", State.UNDELIVERABLE), ("expired", State.EXPIRED), ("rejected", State.REJECTED)],
)
def test_fractions_are_what_was_asked_for(name: str, state: State) -> None:
    behaviour = Behaviour(**{name: 0.3})  # type: ignore[arg-type]
    assert 0.25 < share(behaviour, state) < 0.35
    assert 0.65 < share(behaviour, State.DELIVERED) < 0.75


def test_refused_and_lost() -> None:
    behaviour = Behaviour(refuse=0.2, lost=0.2)
    fates = [fate(behaviour, who, n) for n, who in enumerate(PEOPLE)]
    assert 0.15 < sum(each.refused for each in fates) / len(fates) < 0.25
    assert 0.15 < sum(not each.turns and not each.refused for each in fates) / len(fates) < 0.25


def test_the_same_seed_makes_the_same_fates_and_another_other_ones() -> None:
    behaviours = [Behaviour(seed=seed, undelivered=0.5, duplicate=0.5) for seed in (7, 7, 8)]
    first, again, other = ([fate(each, who, n) for n, who in enumerate(PEOPLE[:50])] for each in behaviours)
    assert first == again != other
    assert lot(1, b"a") == 0.4625744663644582
    assert invented_number(1, 1) == invented_number(1, 1) != invented_number(2, 1)
    assert {text_of(1, n) for n in range(300)} >= {"R", "T", "退订", "收到"}


def test_all_parts_of_a_message_and_a_second_attempt_meet_the_same_end() -> None:
    behaviour = Behaviour(undelivered=0.5, refuse=0.2)
    for who in PEOPLE[:50]:
        ends = {(fate(behaviour, who, n).refused, *(t.state for t in fate(behaviour, who, n).turns)) for n in range(5)}
        assert len(ends) == 1


def test_another_attempt_has_another_chance_where_it_was_too_fast() -> None:
    assert {fate(Behaviour(throttle=0.5), PEOPLE[0], n).throttled for n in range(50)} == {True, False}


@pytest.mark.parametrize(
    ("behaviour", "states"),
    [
        (Behaviour(receipt_delay=1), [(1, State.DELIVERED)]),
        (Behaviour(receipt_delay=1, intermediate=1), [(0.3, State.ENROUTE), (1, State.DELIVERED)]),
        (Behaviour(receipt_delay=1, reordered=1), [(1, State.DELIVERED), (1.1, State.ENROUTE)]),
        (Behaviour(receipt_delay=1, duplicate=1), [(1, State.DELIVERED), (1.1, State.DELIVERED)]),
        (Behaviour(receipt_delay=1, late=1, late_delay=5), [(6, State.DELIVERED)]),
        (Behaviour(receipt_delay=1, early=1), [(0, State.DELIVERED)]),
    ],
)
def test_turns(behaviour: Behaviour, states: list[tuple[float, State]]) -> None:
    assert [(turn.after, turn.state) for turn in fate(behaviour, PEOPLE[0], 1).turns] == states


def test_a_plain_day_is_the_same_drawn_or_not() -> None:
    behaviour = Behaviour(receipt_delay=2)
    assert behaviour.is_plain
    assert fate(behaviour, PEOPLE[0], 1) == plain_fate(behaviour)
    assert plain_fate(behaviour).turns == (Turn(2, State.DELIVERED),)


@pytest.mark.parametrize(
    "name",
    [
        *("throttle", "limit", "garbage", "refuse", "undelivered", "expired", "rejected", "lost"),
        *("receipt_spread", "intermediate", "reordered", "duplicate", "early", "late", "unknown_id"),
    ],
)
def test_a_day_with_a_fault_is_not_plain(name: str) -> None:
    assert not Behaviour(**{name: 0.1}).is_plain  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"refuse": 0.6, "lost": 0.6}, "more than all recipients"),
        ({"password": "ninechars"}, "--password has at most 8 characters"),
        ({"system_id": "sixteencharacter"}, "--system-id has at most 15 characters"),
        ({"password": "密码"}, "--password has at most 8 characters"),
    ],
)
def test_behaviour_that_cannot_be(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(Invalid, match=told) as caught:
        Behaviour(**wrong)  # type: ignore[arg-type]
    assert caught.value.hint
