"""A connector that is told "too fast" slows as a whole, finds out how fast it may be, and is not fooled by chance."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.gateways.smpp.pace import FIRST_PAUSE, LONGEST_PAUSE, Pace

#: seconds until an answer; parts without one
LATENCY, WINDOW = 0.02, 20
#: what the road alone allows
CAPACITY = WINDOW / LATENCY


@dataclass
class Bucket:
    """A carrier that takes so many a second, with some in hand."""

    allowed: float
    in_hand: float = 0.0
    at: float = 0.0

    def __call__(self, now: float) -> bool:
        self.in_hand = min(max(2.0, self.allowed / 10), self.in_hand + (now - self.at) * self.allowed)
        self.at = now
        if self.in_hand < 1:
            return False
        self.in_hand -= 1
        return True


@dataclass
class Seconds:
    """One that counts anew with every second on its clock."""

    allowed: float
    second: int = -1
    counted: int = 0

    def __call__(self, now: float) -> bool:
        if int(now) != self.second:
            self.second, self.counted = int(now), 0
        self.counted += 1
        return self.counted <= self.allowed


def run(
    pace: Pace, takes: Callable[[float], bool], seconds: float, begin: float = 0.0, chance: float = 0.0, seed: int = 1
) -> tuple[int, int]:
    """Parts taken, parts asked; `chance`: of being told "too fast" whatever the carrier could take."""
    lot = random.Random(seed)
    now = begin
    out: list[tuple[float, float, bool]] = []
    taken = asked = 0
    while now < begin + seconds:
        while out and out[0][0] <= now:
            at, written_at, good = heapq.heappop(out)
            if good:
                pace.accepted(written_at, at)
            else:
                pace.complained(written_at, at)
        if len(out) < WINDOW and not pace.delay(now):
            pace.wrote(now)
            good = lot.random() >= chance and takes(now)
            asked, taken = asked + 1, taken + good
            heapq.heappush(out, (now + LATENCY * lot.uniform(0.9, 1.1), now, good))
            continue
        next_time = min([*(each[0] for each in out[:1]), *([now + pace.delay(now)] if len(out) < WINDOW else [])])
        now = max(now + 1e-6, next_time)
    return taken, asked


def any_number(_: float) -> bool:
    return True


def test_no_limit_without_a_complaint() -> None:
    pace = Pace()
    for step in range(1000):
        assert pace.delay(step / 10_000) == 0
        pace.wrote(step / 10_000)
        pace.accepted(step / 10_000, step / 10_000)
    assert pace.rate is None


@settings(max_examples=8)
@given(chance=st.floats(0.01, 0.5), seed=st.integers(0, 10_000))
def test_chance_costs_what_it_refuses_and_little_more(chance: float, seed: int) -> None:
    pace = Pace()
    run(pace, any_number, 10, chance=chance, seed=seed)
    taken, asked = run(pace, any_number, 20, begin=10, chance=chance, seed=seed + 1)
    assert taken >= 0.9 * CAPACITY * (1 - chance) * 20
    assert asked <= 1.1 * taken / (1 - chance)


def test_two_in_a_hundred_do_not_even_make_it_hesitate() -> None:
    pace = Pace()
    taken, _ = run(pace, any_number, 20, chance=0.02)
    assert taken >= 0.97 * CAPACITY * 0.98 * 20


@settings(max_examples=8)
@given(allowed=st.floats(30, 800), seed=st.integers(0, 10_000))
def test_nearly_all_that_is_allowed_goes_out_and_few_are_asked_twice(allowed: float, seed: int) -> None:
    pace, carrier = Pace(), Bucket(allowed)
    run(pace, carrier, 20, seed=seed)
    taken, asked = run(pace, carrier, 30, begin=20, seed=seed + 1)
    assert taken >= 0.9 * allowed * 30 - 5
    assert asked <= 1.2 * taken


@pytest.mark.parametrize("allowed", [20, 100, 500])
def test_a_carrier_that_counts_by_the_second(allowed: int) -> None:
    pace, carrier = Pace(), Seconds(allowed)
    run(pace, carrier, 20)
    taken, asked = run(pace, carrier, 30, begin=20)
    assert taken >= 0.9 * allowed * 30
    assert asked <= 1.2 * taken


@pytest.mark.parametrize("allowed", [5, 8, 13])
def test_a_few_a_second_are_found_out_in_time(allowed: float) -> None:
    pace, carrier = Pace(), Bucket(allowed)
    run(pace, carrier, 30)
    taken, asked = run(pace, carrier, 30, begin=30)
    assert taken >= 0.85 * allowed * 30
    assert asked <= 1.3 * taken


@pytest.mark.parametrize("chance", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("allowed", [50, 200])
def test_a_limit_and_chance_at_once(allowed: float, chance: float) -> None:
    pace, carrier = Pace(), Bucket(allowed)
    run(pace, carrier, 20, chance=chance)
    taken, asked = run(pace, carrier, 40, begin=20, chance=chance, seed=2)
    assert taken >= 0.8 * allowed * 40
    assert asked <= 2 * taken / (1 - chance)


def test_a_limit_that_looked_like_chance_is_found_out_in_the_end() -> None:
    """Half of what the road allows: there, every other part is refused, as if by chance."""
    pace, carrier = Pace(), Bucket(CAPACITY / 2)
    run(pace, any_number, 10, chance=0.5)
    run(pace, carrier, 60, begin=10)
    taken, asked = run(pace, carrier, 20, begin=70)
    assert taken >= 0.9 * CAPACITY / 2 * 20
    assert asked <= 1.2 * taken


def test_complaints_about_one_burst_are_one() -> None:
    pace = Pace()
    for step in range(100):
        pace.accepted(step / 100, step / 100)
    while pace.rate is None:
        pace.complained(0.9, 1.0)
    rate = pace.rate
    for _ in range(50):
        pace.complained(0.99, 1.001)
    assert pace.rate == rate


def test_a_storm_is_asked_ever_more_seldom_and_then_it_goes_on_quickly() -> None:
    pace, carrier = Pace(), Bucket(200)
    run(pace, carrier, 20)
    now, asked, pauses = 20.0, 0, []
    while now < 620:
        now += pace.delay(now)
        pace.wrote(now)
        asked += 1
        now += 0.001
        pauses.append(round(pace.complained(now - 0.001, now), 6))
    assert pauses[-1] == LONGEST_PAUSE
    assert [pause for pause in pauses if pause >= FIRST_PAUSE] == sorted(
        pause for pause in pauses if pause >= FIRST_PAUSE
    )
    # ten minutes, and one part in ten seconds
    assert asked < 150
    run(pace, carrier, 15, begin=now)
    taken, _ = run(pace, carrier, 5, begin=now + 15)
    assert taken >= 0.85 * 200 * 5


def test_while_the_door_is_shut_one_part_knocks() -> None:
    pace, now = Pace(), 0.0
    while not pace.complained(now, now):
        now += 0.001
    now += pace.delay(now)
    pace.wrote(now)
    assert pace.delay(now) > FIRST_PAUSE
    pace.accepted(now, now + 0.01)
    assert pace.delay(now + 0.01) == 0


def test_a_limit_that_is_gone_is_forgotten() -> None:
    pace = Pace()
    run(pace, Bucket(100), 10)
    assert pace.rate is not None
    taken, _ = run(pace, any_number, 30, begin=10)
    assert pace.rate is None
    assert taken >= 0.5 * CAPACITY * 30


def test_a_limit_is_forgotten_by_and_by_when_there_is_nothing_to_send() -> None:
    pace = Pace()
    run(pace, Bucket(100), 10)
    now = 10.0
    while pace.rate is not None and now < 1000:
        now += 1
        pace.delay(now)
    assert pace.rate is None


@settings(max_examples=50)
@given(times=st.lists(st.floats(0, 5), max_size=60))
def test_it_is_never_less_than_one_a_second(times: list[float]) -> None:
    pace, now = Pace(), 0.0
    for passed in times:
        now += passed
        assert 0 <= pace.complained(now, now) <= LONGEST_PAUSE
        assert pace.rate is None or pace.rate >= 1
