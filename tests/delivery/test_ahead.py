"""Claims beside one another: when a second one begins, what an empty answer says, and that none is left behind."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from broadcaster.delivery.ahead import AT_ONCE, Ahead
from broadcaster.delivery.recording import ClaimedTurn


def turn(number: int) -> ClaimedTurn:
    return ClaimedTurn(number, None, "carrier", 0, [], [])


def begin_all(ahead: Ahead, size: int = 5) -> int:
    """Begin as many as there is room for."""
    begun = 0
    while ahead.has_room(0):
        ahead.begin(size)
        begun += 1
    return begun


def test_the_first_one_is_alone_and_once_it_has_found_something_they_work_beside_one_another() -> None:
    meet = threading.Barrier(AT_ONCE)
    numbers = iter(range(10))

    def claim(_size: int) -> ClaimedTurn:
        number = next(numbers)
        if number:
            # a second one that waited for the first would never come
            meet.wait(20)
        return turn(number)

    ahead = Ahead(claim)
    assert begin_all(ahead) == 1
    assert ahead.next() == (turn(0), 5)
    assert begin_all(ahead) == AT_ONCE
    assert ahead.parts == 5 * AT_ONCE
    assert {each.id for each, _ in ahead.end()} == {1, 2}
    assert not ahead


def test_while_a_turn_waits_to_be_fed_one_fewer_is_begun_but_never_none() -> None:
    ahead = Ahead(lambda _size: turn(1))
    assert ahead.has_room(1)
    begin_all(ahead)
    ahead.next()
    assert ahead.has_room(1)
    ahead.begin(1)
    assert not ahead.has_room(1)
    assert ahead.has_room(0)
    assert len(list(ahead.end())) == 1


def test_an_empty_answer_says_that_nothing_is_due_only_of_one_that_was_alone() -> None:
    found = iter([turn(1), turn(2), None, None])
    lock = threading.Lock()

    def claim(_size: int) -> ClaimedTurn | None:
        with lock:
            return next(found)

    ahead = Ahead(claim)
    begin_all(ahead)
    ahead.next()
    begin_all(ahead)
    dry = []
    while ahead:
        _, _ = ahead.next()
        dry.append(ahead.is_dry)
    # the other one held what there was
    assert dry == [False] * AT_ONCE
    assert begin_all(ahead) == 1
    assert ahead.next() == (None, 5)
    assert ahead.is_dry
    assert not list(ahead.end())


def test_one_that_fails_keeps_nobody_from_the_others() -> None:
    numbers = iter(range(10))
    begun = threading.Barrier(AT_ONCE)

    def claim(_size: int) -> ClaimedTurn:
        number = next(numbers)
        if number:
            begun.wait(20)
        if number == 1:
            raise OSError("no database")
        return turn(number)

    ahead = Ahead(claim)
    begin_all(ahead)
    ahead.next()
    begin_all(ahead)
    with capture_logs() as logged:
        assert [each.id for each, _ in ahead.end()] == [2]
    assert [line["error"] for line in logged] == ["no database"]


def test_what_a_claim_raises_is_raised_to_who_asks_for_it() -> None:
    def claim(_size: int) -> ClaimedTurn:
        raise OSError("no database")

    ahead = Ahead(claim)
    ahead.begin(5)
    with pytest.raises(OSError, match="no database"):
        ahead.next()
    assert not list(ahead.end())
