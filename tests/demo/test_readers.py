"""What readers answer is decided by the seed and holds what the demo promises."""

from __future__ import annotations

import random

import pytest

from broadcaster.demo.readers import LETTERS, OPT_OUTS, Say, When, script


def numbers(count: int) -> list[str]:
    return [f"+86199{n:08d}" for n in range(count)]


def said(count: int, seed: int = 1) -> list[Say]:
    return script(random.Random(seed), numbers(count))


@pytest.mark.parametrize("seed", range(20))
def test_three_opt_outs_in_different_words(seed: int) -> None:
    opt_outs = [say.text for say in said(1800, seed) if say.text in OPT_OUTS]
    assert len(opt_outs) == len(set(opt_outs)) == 3


@pytest.mark.parametrize("count", [1, 2, 20, 1800, 10_000])
def test_one_of_them_before_their_own_message_leaves_and_late_in_the_order(count: int) -> None:
    first, *others = said(count)
    assert first.text in OPT_OUTS
    assert first.when is When.BEFORE_THEIRS
    assert numbers(count).index(first.msisdn) >= count * 0.98 - 1
    assert {say.when for say in others} <= {When.AFTER_DELIVERY}


@pytest.mark.parametrize(("count", "letters"), [(1, 0), (2, 0), (3, 0), (4, 1), (20, 1), (1800, 40), (10_000, 222)])
def test_nobody_writes_twice_and_letters_grow_with_the_readers(count: int, letters: int) -> None:
    says = said(count)
    assert len({say.msisdn for say in says}) == len(says)
    assert {say.msisdn for say in says} <= set(numbers(count))
    assert sum(say.text in LETTERS for say in says) == letters


def test_letters_differ_until_all_were_written() -> None:
    texts = {say.text for say in said(1800)}
    assert texts >= set(LETTERS)


def test_the_seed_decides() -> None:
    assert said(300, 7) == said(300, 7)
    assert said(300, 7) != said(300, 8)


def test_nobody_to_ask() -> None:
    assert said(0) == []


def test_repr_gives_nobody_away() -> None:
    [say] = said(1)
    assert repr(say) == "Say(when=<When.BEFORE_THEIRS: 'before_theirs'>)"
