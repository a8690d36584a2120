"""The parts that are out: none is lost, none is settled for another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broadcaster.gateways.smpp.window import Feed, Flight, Window
from broadcaster.gateways.testkit import make_part


def flight(number: int, deadline: float) -> Flight:
    return Flight(Feed(lambda settled: None, None), number, make_part(number), deadline=deadline)


@given(st.lists(st.tuples(st.sampled_from(["go", "answer", "late", "wait"]), st.integers(0, 30)), max_size=200))
def test_every_part_is_somewhere_exactly_once(steps: list[tuple[str, int]]) -> None:
    window, now, sequence = Window(5), 0.0, 0
    out: dict[int, Flight] = {}
    late: dict[int, Flight] = {}
    for step, number in steps:
        if step == "go" and window.room > 0:
            sequence += 1
            out[sequence] = flight(sequence, now + 10)
            window.add(sequence, out[sequence])
        elif step == "wait":
            now += number
            overdue = window.overdue(now)
            gone = {key: each for key, each in out.items() if each.deadline <= now}
            assert overdue == list(gone.values())
            late |= gone
            out = {key: each for key, each in out.items() if key not in gone}
        else:
            known = list(out if step == "answer" else late)
            asked = known[number % len(known)] if known else 10_000 + number
            found, was_late = window.answered(asked)
            assert found is (out | late).get(asked)
            if found is not None:
                assert was_late is (asked in late)
            out.pop(asked, None)
            late.pop(asked, None)
        assert len(window) == len(out)
        assert 1 <= window.room + len(window) <= 5 or window.room <= 0
    assert set(window.empty()) == set(out.values())
    assert len(window) == 0


def test_it_shrinks_while_answers_are_late_and_grows_again() -> None:
    window = Window(8)
    for sequence in range(8):
        window.add(sequence, flight(sequence, 1.0))
    assert len(window.overdue(2.0)) == 8
    assert window.room == 4
    for sequence in range(100, 160):
        window.add(sequence, flight(sequence, 9.0))
        window.answered(sequence)
    assert window.room == 8
