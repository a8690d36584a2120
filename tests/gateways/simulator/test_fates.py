from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from broadcaster.gateways.simulator.fates import Behaviour, draw, fate
from broadcaster.gateways.simulator.reasons import BAD_NUMBER, BLACKLISTED, BUFFERED, DELIVERED, FAILURES, REASONS

QUIET = {"failed": 0, "late": 0, "never": 0}
NUMBERS = [f"+86199{number:08d}" for number in range(3000)]


def test_the_same_in_every_process() -> None:
    program = "from broadcaster.gateways.simulator.fates import draw; print(draw(1, 'fate', '+8619900000001', 2))"
    environment = {"PYTHONHASHSEED": "99"}
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert float(told.stdout) == draw(1, "fate", "+8619900000001", 2)


@settings(max_examples=50)
@given(st.integers(), st.text(), st.integers(1, 10))
def test_a_draw_is_a_fraction(seed: int, number: str, part: int) -> None:
    assert 0 <= draw(seed, number, part) < 1


def test_fractions_come_out_as_asked() -> None:
    behaviour = Behaviour(refused=0.05, blacklisted=0.05, failed=0.2, late=0.1, never=0.1)
    seen: Counter[str] = Counter()
    for number in NUMBERS:
        found = fate(behaviour, number, 1, 1)
        if found.refusal:
            seen[found.refusal] += 1
        elif not found.turns:
            seen["never"] += 1
        elif found.turns[-1].code in FAILURES:
            seen["failed"] += 1
        else:
            assert found.turns[-1].code == DELIVERED
            seen["late" if found.turns[-1].after > 2 else "delivered"] += 1
    wanted = {BAD_NUMBER: 0.05, BLACKLISTED: 0.05, "failed": 0.2, "late": 0.1, "never": 0.1, "delivered": 0.5}
    assert set(seen) == set(wanted)
    for what, fraction in wanted.items():
        assert seen[what] / len(NUMBERS) == pytest.approx(fraction, abs=0.025), what


def test_receipts_come_between_the_shortest_and_the_longest_delay() -> None:
    delays = [fate(Behaviour(**QUIET), number, 1, 1).turns[0].after for number in NUMBERS]
    assert 0.3 <= min(delays) < 0.35
    assert 1.95 < max(delays) <= 2.0


def test_every_reason_to_fail_occurs() -> None:
    codes = {fate(Behaviour(failed=1, late=0, never=0), number, 1, 1).turns[0].code for number in NUMBERS}
    assert codes == set(FAILURES)
    assert codes < set(REASONS)


def test_all_parts_to_one_number_share_its_fate_and_not_its_time() -> None:
    behaviour = Behaviour(failed=0.5)
    for number in NUMBERS[:100]:
        one, two = (fate(behaviour, number, part, 2) for part in (1, 2))
        assert [turn.code for turn in one.turns] == [turn.code for turn in two.turns]
        if one.turns:
            assert one.turns[0].after != two.turns[0].after


def test_another_seed_is_another_run() -> None:
    runs = [[fate(Behaviour(seed=seed), number, 1, 1) for number in NUMBERS[:50]] for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_receipt_on_the_way_comes_first() -> None:
    turns = fate(Behaviour(**QUIET, intermediate=1), NUMBERS[0], 1, 1).turns
    assert [turn.code for turn in turns] == [BUFFERED, DELIVERED]
    assert turns[0].after < turns[1].after


def test_members_answer_once_when_the_last_part_has_come() -> None:
    behaviour = Behaviour(**QUIET, replies=1, reply_texts=("R",))
    assert [turn.reply for turn in fate(behaviour, NUMBERS[0], 1, 2).turns] == [""]
    delivered, answer = fate(behaviour, NUMBERS[0], 2, 2).turns
    assert answer.reply == "R"
    assert answer.after > delivered.after


def test_who_was_not_reached_does_not_answer() -> None:
    behaviour = Behaviour(failed=1, late=0, never=0, replies=1)
    assert not any(turn.reply for number in NUMBERS[:100] for turn in fate(behaviour, number, 1, 1).turns)


@pytest.mark.parametrize("wrong", [{"failed": 0.7, "late": 0.7}, {"delay": (2, 1)}, {"throttled": 2}, {"never": -1}])
def test_what_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Behaviour.model_validate(wrong)
