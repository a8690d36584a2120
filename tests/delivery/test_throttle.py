"""Never more than the rate within any second, by a clock that the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.delivery.throttle import Throttle


class Watch:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _hand_over(throttle: Throttle, watch: Watch, wanted: int, pause: float) -> tuple[float, int]:
    watch.now += pause
    watch.now += throttle.wait_for(wanted)
    watch.now += throttle.take(wanted)
    return watch.now, wanted


def _most_within_a_second(handed: list[tuple[float, int]]) -> int:
    return max(sum(n for at, n in handed if start <= at < start + 0.999999) for start, _ in handed)


@given(
    st.integers(1, 200),
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0.0, 0.0, 0.01, 0.3, 0.5, 0.99, 3.0])), max_size=60),
)
def test_no_second_has_more_than_the_rate(rate: int, asked: list[tuple[int, float]]) -> None:
    watch = Watch()
    throttle = Throttle(rate, clock=watch)
    handed = [_hand_over(throttle, watch, min(n, throttle.turn_size(60)), pause) for n, pause in asked]
    assert not handed or _most_within_a_second(handed) <= rate


@pytest.mark.parametrize("rate", [1, 2.5, 7, 100, 333])
def test_the_whole_rate_is_used(rate: float) -> None:
    watch = Watch()
    throttle = Throttle(rate, clock=watch)
    handed = [_hand_over(throttle, watch, throttle.turn_size(50), 0.0) for _ in range(400)]
    sent = sum(n for _, n in handed)
    assert sent / (watch.now - 1000) == pytest.approx(rate, rel=0.05)


def test_two_with_half_the_share_each_keep_the_rate() -> None:
    watch = Watch()
    both = [Throttle(100, clock=watch), Throttle(100, clock=watch)]
    handed: list[tuple[float, int]] = []
    for throttle in both:
        throttle.share = 0.5
    while watch.now < 1010:
        for throttle in both:
            n = throttle.turn_size(50)
            if throttle.wait_for(n) == 0:
                throttle.take(n)
                handed.append((watch.now, n))
        watch.now += 0.003
    assert _most_within_a_second(handed) <= 100
    assert sum(n for _, n in handed) >= 950


def test_it_waits_as_long_as_it_must_and_no_longer() -> None:
    watch = Watch()
    throttle = Throttle(10, clock=watch)
    for count in (3, 3, 4):
        assert throttle.take(count) == 0
        watch.now += 0.2
    # 0.6 have passed since the first three, 0.4 since the next
    assert throttle.wait_for(3) == pytest.approx(0.4)
    assert throttle.wait_for(5) == pytest.approx(0.6)
    assert throttle.wait_for(10) == throttle.wait_for(99) == pytest.approx(0.8)
    assert throttle.take(4) == pytest.approx(0.6)


def test_a_rate_of_nothing_is_no_limit() -> None:
    throttle = Throttle(0, clock=Watch())
    assert throttle.turn_size(10) == 10
    assert throttle.take(10**6) == throttle.wait_for(10**6) == 0


@pytest.mark.parametrize("rate", [20, 100, 333])
def test_what_is_urgent_never_waits_longer_than_a_turn_takes(rate: float) -> None:
    """A second that was used up at its beginning would keep an answer waiting for the rest of it."""
    watch = Watch()
    throttle = Throttle(rate, clock=watch)
    while watch.now < 1010:
        n = throttle.turn_size(1000)
        watch.now += throttle.wait_for(n)
        throttle.take(n)
        # what was made up for at the beginning is missing at its end
        assert throttle.wait_for(1) <= 2 * Throttle.TURN_SECONDS


def test_who_was_late_makes_up_for_it() -> None:
    watch = Watch()
    throttle = Throttle(100, clock=watch)
    sent = 0
    while watch.now < 1010:
        n = throttle.turn_size(1000)
        watch.now += throttle.wait_for(n)
        sent += n
        throttle.take(n)
        watch.now += 0.1
    assert sent >= 950


def test_a_turn_is_a_fifth_of_a_second_at_most() -> None:
    assert Throttle(20).turn_size(50) == 4
    assert Throttle(1).turn_size(50) == 1
    assert _after(Throttle(1000), 0.01, 0.01).turn_size(50) == 50


def _after(throttle: Throttle, *seconds: float, window: int = 50) -> Throttle:
    """One that has seen a full turn answered after each of so many seconds."""
    for each in seconds:
        throttle.took(throttle.turn_size(window), each)
    return throttle


@pytest.mark.parametrize("rate", [0, 100_000])
@pytest.mark.parametrize("per_part", [0.005, 0.05, 0.5])
def test_a_carrier_that_is_slower_than_anybody_said_is_handed_half_a_second(rate: float, per_part: float) -> None:
    throttle = Throttle(rate, clock=Watch())
    longest = 0.0
    for _ in range(30):
        parts = throttle.turn_size(1000)
        longest = max(longest, parts * per_part)
        throttle.took(parts, parts * per_part)
    # it is felt for once; what is left with the slowest is a few parts
    assert parts * per_part <= max(1, 8 * per_part)
    assert longest <= max(2, 16 * per_part)


def test_a_quick_carrier_has_its_window_filled_soon() -> None:
    assert _after(Throttle(0), *[0.1] * 6, window=1000).turn_size(1000) == 1000


def test_a_carrier_that_takes_its_time_for_each_answer_keeps_its_window() -> None:
    """Many in flight at once, each answered after 0.8 seconds: smaller turns would only make it slower."""
    throttle = _after(Throttle(0), *[0.1] * 2)
    assert _after(throttle, *[0.8] * 20).turn_size(50) == 50


def test_small_turns_say_nothing_about_large_ones() -> None:
    throttle = Throttle(0)
    for _ in range(20):
        throttle.took(1, 0.01)
    assert throttle.turn_size(1000) == 16


@pytest.mark.parametrize("rate", [0, 100])
def test_a_pause_holds_up_everything(rate: float) -> None:
    watch = Watch()
    throttle = Throttle(rate, clock=watch)
    throttle.slow_down(2)
    throttle.slow_down(1)
    assert throttle.wait_for(1) == throttle.take(1) == 2
    watch.now += 2
    assert throttle.wait_for(1) == 0


@given(
    st.integers(4, 200),
    st.lists(st.tuples(st.integers(1, 60), st.sampled_from([0.0, 0.01, 0.3, 1.0, 5.0])), max_size=40),
)
def test_what_is_fed_and_stalls_keeps_the_rate_when_it_is_written(rate: int, asked: list[tuple[int, float]]) -> None:
    """A gateway that streams writes what it was fed when the carrier lets it: all at once, after a stall."""
    watch = Watch()
    throttle = Throttle(rate, clock=watch)
    written: list[tuple[float, int]] = []
    fed = 0
    for wanted, stall in asked:
        count = min(wanted, throttle.turn_size(60))
        if throttle.wait_for(count) == 0:
            throttle.reserve(count)
            fed += count
        watch.now += stall
        if stall:
            for _ in range(fed):
                throttle.wrote()
            written.append((watch.now, fed))
            fed = 0
    assert not written or _most_within_a_second(written) <= rate


def test_rights_that_are_not_used_are_given_back() -> None:
    watch = Watch()
    throttle = Throttle(10, clock=watch)
    throttle.reserve(10)
    assert throttle.wait_for(1) > 0
    assert throttle.wait_for(10, kept=True) == 0
    for _ in range(4):
        throttle.wrote()
    throttle.give_back(6)
    watch.now += 0.4
    assert throttle.wait_for(6) == 0
    assert throttle.wait_for(7) == pytest.approx(0.6)


@pytest.mark.parametrize("rate", [0, 100])
def test_a_pause_holds_up_what_was_fed_as_well(rate: float) -> None:
    throttle = Throttle(rate, clock=Watch())
    throttle.reserve(5)
    throttle.slow_down(2)
    assert throttle.wait_for(5, kept=True) == 2
