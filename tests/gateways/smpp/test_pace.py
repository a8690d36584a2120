"""A connector that is told "too fast" slows as a whole, and finds out how fast it may be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.gateways.smpp.pace import FIRST_PAUSE, LONGEST_PAUSE, Pace


def run(pace: Pace, allowed: float, seconds: float, begin: float = 0.0) -> tuple[int, int]:
    """A carrier that takes so many a second, with a tenth of a second in hand: parts taken, parts asked."""
    now, left, at = begin, max(1.0, allowed / 10), begin
    taken = asked = 0
    while now < begin + seconds:
        wait = pace.delay(now)
        if wait:
            now += wait
            continue
        pace.wrote(now)
        asked += 1
        left = min(max(1.0, allowed / 10), left + (now - at) * allowed)
        at = now
        if left >= 1:
            left -= 1
            taken += 1
            pace.accepted(now)
        else:
            pace.complained(now, now)
        now += 0.0001
    return taken, asked


def test_no_limit_without_a_complaint() -> None:
    pace = Pace()
    for step in range(1000):
        assert pace.delay(step / 10_000) == 0
        pace.wrote(step / 10_000)
        pace.accepted(step / 10_000)
    assert pace.rate is None


@settings(max_examples=15)
@given(allowed=st.floats(12, 2000))
def test_nearly_all_that_is_allowed_goes_out_and_few_are_asked_twice(allowed: float) -> None:
    pace = Pace()
    run(pace, allowed, 10)
    taken, asked = run(pace, allowed, 20, begin=10)
    assert taken >= 0.9 * allowed * 20 - 5
    assert asked <= 1.2 * taken


@pytest.mark.parametrize("allowed", [5, 8, 10])
def test_a_few_a_second_are_found_out_in_time(allowed: float) -> None:
    pace = Pace()
    run(pace, allowed, 30)
    taken, asked = run(pace, allowed, 30, begin=30)
    assert taken >= 0.75 * allowed * 30
    assert asked <= 1.2 * taken


def test_complaints_about_one_burst_are_one() -> None:
    pace = Pace()
    for step in range(100):
        pace.accepted(step / 100)
    pace.complained(0.9, 1.0)
    rate = pace.rate
    for _ in range(50):
        pace.complained(0.99, 1.001)
    assert pace.rate == rate


def test_a_storm_is_asked_ever_more_seldom_and_then_it_goes_on_quickly() -> None:
    pace = Pace()
    run(pace, 200, 20)
    now, pauses = 20.0, []
    for _ in range(12):
        now += pace.delay(now)
        pause = pace.complained(now, now + 0.001)
        pauses.append(pause)
        now += pause
    assert pauses[-1] == LONGEST_PAUSE
    assert pauses == sorted(pauses)
    assert pauses[0] < 3 * FIRST_PAUSE
    run(pace, 200, 15, begin=now)
    taken, _ = run(pace, 200, 5, begin=now + 15)
    assert taken >= 0.85 * 200 * 5


def test_a_limit_that_is_gone_is_forgotten() -> None:
    pace = Pace()
    run(pace, 100, 10)
    assert pace.rate is not None
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
        assert FIRST_PAUSE <= pace.complained(now, now) <= LONGEST_PAUSE
        assert pace.rate is not None
        assert pace.rate >= 1
