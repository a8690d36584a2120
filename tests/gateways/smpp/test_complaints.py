"""Whether complaints are news, and whether going slower has helped."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.gateways.smpp.complaints import ENOUGH, GONE, Share, Verdict, judge, weigh

shares = st.builds(lambda answers, part: Share(answers, round(answers * part)), st.integers(1, 400), st.floats(0, 1))


def answers_until_news(usual: float, share: float, most: int, seed: int = 1) -> int:
    """After how many answers with such a share of complaints it is clear that we are too fast, or `most`."""
    chance, news = random.Random(seed), 0.0
    for count in range(1, most + 1):
        news = weigh(news, usual, chance.random() < share)
        if news >= ENOUGH:
            return count
    return most


@given(st.floats(0, 1), st.floats(0, 50), st.booleans())
def test_a_complaint_speaks_for_it_and_an_acceptance_against_it(usual: float, news: float, complaint: bool) -> None:
    after = weigh(news, usual, complaint)
    assert after >= 0
    assert after > news if complaint else after <= news


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5])
def test_what_is_usual_is_no_news(share: float) -> None:
    """Less than once in ten thousand answers."""
    runs = [answers_until_news(share, share, 3_000, seed) for seed in range(30)]
    assert sum(run < 3_000 for run in runs) < sum(runs) / 10_000


def test_a_limit_is_news_soon_and_the_sooner_the_further_off() -> None:
    assert answers_until_news(0, 1, 1_000) <= 5
    assert answers_until_news(0, 0.5, 1_000) <= 30
    assert answers_until_news(0.5, 1, 1_000) <= 70
    assert answers_until_news(0.5, 0.8, 10_000) <= 300


@given(shares, shares)
def test_few_answers_tell_nothing_and_many_always_something(before: Share, after: Share) -> None:
    verdict = judge(before, after)
    assert verdict is None or after.answers >= 8
    assert verdict is not None or after.answers < 40


@given(shares, st.integers(40, 400))
def test_complaints_that_are_gone_were_about_a_limit(before: Share, answers: int) -> None:
    assert judge(before, Share(answers, int(answers * GONE))) is Verdict.LIMIT


@given(st.integers(40, 400), st.integers(40, 400), st.floats(0.1, 0.7))
def test_the_same_share_as_before_is_chance(before: int, after: int, share: float) -> None:
    assert judge(Share(before, round(before * share)), Share(after, round(after * share))) is Verdict.CHANCE


def test_a_share_that_has_halved_is_both() -> None:
    assert judge(Share(100, 80), Share(100, 40)) is Verdict.BOTH


def test_a_plain_case_is_told_early() -> None:
    assert judge(Share(8, 4), Share(12, 6)) is Verdict.CHANCE
    assert judge(Share(6, 6), Share(8, 8)) is Verdict.SHUT
    assert judge(Share(6, 6), Share(14, 0)) is Verdict.LIMIT
    assert judge(Share(6, 6), Share(8, 1)) is None
