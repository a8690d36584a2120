"""Long letters are joined once, whichever process heard which part, and never from parts of two of them."""

from __future__ import annotations

import io
import random
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from broadcaster import ingest, logs
from broadcaster.gateways.events import Event, InboundMessage, InboundPart, made_id
from broadcaster.replies import long_letters, receive, router
from broadcaster.replies.keywords import MISSING
from broadcaster.replies.long_letters import text_of
from broadcaster.replies.models import Letter, LetterPart, LetterState
from broadcaster.sms import gsm7
from subscribers import consent
from subscribers.db import Wake
from tests.databases import Clock, Transactions
from tests.delivery.ledger import look
from tests.factories import generated_msisdn, make_member
from tests.replies.test_letters import DESK

A, B = generated_msisdn(88_000_001), generated_msisdn(88_000_002)
PORT = "1069"


def part(octets: bytes, number: int, total: int = 3, reference: int = 7, **more: Any) -> InboundPart:
    told: dict[str, Any] = {"msisdn": A, "destination": PORT, "bits": 8, "charset": "latin-1", "gateway": "carrier"}
    return InboundPart(reference=reference, total=total, number=number, octets=octets, **told | more)


def hear(begin: Transactions, *events: Event) -> None:
    """As one process does: in a transaction of its own."""
    with begin() as tx:
        ingest.accept(tx.session, events, {}, region="CN", now=tx.now)


def route(begin: Transactions) -> None:
    with begin() as tx:
        router.wake_forgotten(tx.session, now=tx.now)
    with begin() as tx:
        router.route(tx.session, DESK, now=tx.now)


def letters(begin: Transactions) -> list[str]:
    found: list[str] = look(begin, lambda s: s.scalars(select(Letter.text).order_by(Letter.id)).all())
    return found


def kept(begin: Transactions) -> int:
    return int(look(begin, lambda s: s.scalar(select(func.count(LetterPart.id)))))


def later(begin: Transactions, clock: Clock, seconds: float) -> None:
    """The sweep comes every second."""
    clock.advance(seconds=seconds)
    route(begin)


@pytest.mark.parametrize("together", [True, False], ids=["in one go", "one by one"])
@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1, 2), (1, 1, 3, 2, 3)])
def test_any_order_and_repeats(begin: Transactions, together: bool, order: tuple[int, ...]) -> None:
    parts = [part(b"%d" % number, number) for number in order]
    for lot in [parts] if together else [[each] for each in parts]:
        hear(begin, *lot)
        route(begin)
    assert letters(begin) == ["123"]
    assert Wake(receive.ROUTE) in begin.wakes


def test_until_it_is_whole_it_is_no_letter(begin: Transactions, clock: Clock) -> None:
    hear(begin, part(b"1", 1), part(b"2", 2))
    later(begin, clock, 59)
    assert letters(begin) == []
    hear(begin, part(b"3", 3))
    route(begin)
    [letter] = look(begin, lambda s: s.scalars(select(Letter)).all())
    assert (letter.text, letter.msisdn, letter.destination, letter.state) == ("123", A, PORT, LetterState.OPEN)
    assert letter.received_at == clock.now - timedelta(seconds=59), "when it began to come"


@pytest.mark.parametrize(
    "stranger",
    [
        part(b"x", 2, msisdn=B),
        part(b"x", 2, destination="1070"),
        part(b"x", 2, gateway="other"),
        part(b"x", 2, reference=8),
        part(b"x", 2, total=4),
        part(b"x", 2, bits=16),
    ],
)
def test_parts_of_other_letters_stay_apart(begin: Transactions, stranger: InboundPart) -> None:
    for each in (part(b"1", 1), stranger, part(b"3", 3)):
        hear(begin, each)
        route(begin)
    assert letters(begin) == []
    hear(begin, part(b"2", 2))
    route(begin)
    assert letters(begin) == ["123"]


@pytest.mark.parametrize("together", [True, False], ids=["in one go", "one by one"])
def test_a_reference_that_comes_again_is_another_letter(begin: Transactions, together: bool) -> None:
    parts = [part(b"old", 1), part(b"new", 1), part(b"er", 2), part(b"!", 3)]
    for lot in [parts] if together else [[each] for each in parts]:
        hear(begin, *lot)
    route(begin)
    assert letters(begin) == [f"old{MISSING}", "newer!"]


@pytest.mark.parametrize("together", [True, False], ids=["in one go", "one by one"])
def test_one_that_is_whole_stays_whole_when_its_reference_comes_again(begin: Transactions, together: bool) -> None:
    parts = [part(b"a", 1, 2), part(b"b", 2, 2), part(b"c", 1, 2), part(b"d", 2, 2), part(b"e", 1, 2)]
    for lot in [parts] if together else [[each] for each in parts]:
        hear(begin, *lot)
    route(begin)
    assert sorted(letters(begin)) == ["ab", "cd"]
    hear(begin, part(b"f", 2, 2))
    route(begin)
    assert sorted(letters(begin)) == ["ab", "cd", "ef"]


def test_what_is_not_whole_in_time_is_let_go_with_a_mark(begin: Transactions, clock: Clock) -> None:
    hear(begin, part(b"1", 1, patience=60))
    later(begin, clock, 50)
    hear(begin, part(b"3", 3, patience=60))
    later(begin, clock, 9)
    assert letters(begin) == []
    later(begin, clock, 1)
    assert letters(begin) == [f"1{MISSING}3"]
    assert kept(begin) == 0


def test_an_hour_later_it_is_another_letter(begin: Transactions, clock: Clock) -> None:
    """Even if nobody has swept in between."""
    hear(begin, part(b"morning", 1, 2))
    clock.advance(hours=1)
    hear(begin, part(b"evening", 2, 2))
    route(begin)
    assert letters(begin) == [f"morning{MISSING}"]
    later(begin, clock, 60)
    assert letters(begin) == [f"morning{MISSING}", f"{MISSING}evening"]


def test_a_repeat_after_the_whole_makes_no_second_letter(begin: Transactions, clock: Clock) -> None:
    both = [part(b"1", 1, 2), part(b"2", 2, 2)]
    hear(begin, *both)
    route(begin)
    assert look(begin, lambda s: set(s.scalars(select(LetterPart.octets)))) == {b""}, "the words are in the letter"
    for again in (both[1:], both[:1], both):
        clock.advance(seconds=15)
        hear(begin, *again)
        route(begin)
    assert letters(begin) == ["12"]
    later(begin, clock, 16)
    assert kept(begin) == 0
    # a minute later it is a part of something new
    hear(begin, part(b"2", 2, 2))
    later(begin, clock, 60)
    assert letters(begin) == ["12", f"{MISSING}2"]


def test_the_same_words_under_another_reference_at_once_are_a_repeat(begin: Transactions) -> None:
    for reference in (7, 8):
        hear(begin, part(b"1", 1, 2, reference), part(b"2", 2, 2, reference))
        route(begin)
    assert letters(begin) == ["12"]


@pytest.mark.parametrize("seconds", [0, 20, 59])
def test_a_short_letter_that_is_repeated_to_another_process(begin: Transactions, clock: Clock, seconds: int) -> None:
    """`deliver_sm` has no id, and the minute may have ended in between."""
    clock.now = datetime.fromisoformat("2026-11-22T07:59:50+00:00")
    short = InboundMessage("carrier", made_id(A, PORT, b"R"), A, PORT, "R", repeats_within=60)
    hear(begin, short, short)
    clock.advance(seconds=seconds)
    hear(begin, short)
    assert letters(begin) == ["R"]
    clock.advance(seconds=60)
    hear(begin, short)
    assert letters(begin) == ["R", "R"]


def test_an_opt_out_that_was_cut_counts_once_it_is_whole(begin: Transactions, clock: Clock) -> None:
    with begin() as tx:
        member = make_member(tx.session, msisdn=A)
    words = "退订".encode("utf-16-be")
    hear(begin, part(words[2:], 2, 2, charset="utf-16-be"))
    route(begin)
    assert look(begin, lambda s: consent.is_reachable(s, A))
    hear(begin, part(words[:2], 1, 2, charset="utf-16-be"))
    route(begin)
    assert not look(begin, lambda s: consent.is_reachable(s, A))
    [letter] = look(begin, lambda s: s.scalars(select(Letter)).all())
    assert (letter.handled_as, letter.member_id) == ("opt_out", member.id)


@pytest.mark.parametrize("half", ["TD", "START", "加入 张伟"])
def test_half_a_letter_decides_nothing(begin: Transactions, clock: Clock, half: str) -> None:
    with begin() as tx:
        make_member(tx.session, msisdn=A)
    hear(begin, part(half.encode("utf-16-be"), 1, 2, charset="utf-16-be"))
    later(begin, clock, 61)
    [letter] = look(begin, lambda s: s.scalars(select(Letter)).all())
    assert (letter.text, letter.state, letter.handled_as) == (f"{half}{MISSING}", LetterState.OPEN, "inbox")
    assert look(begin, lambda s: consent.is_reachable(s, A))


@pytest.mark.parametrize(
    "broken",
    [
        part(b"alone", 0),
        part(b"alone", 4),
        part(b"alone", -1),
        part(b"alone", 1, 0),
        part(b"alone", 1, 256),
        part(b"alone", 1, 2, reference=2**40),
        part(b"alone", 1, 2, bits=7),
    ],
)
def test_what_can_be_no_part_is_a_letter(begin: Transactions, broken: InboundPart) -> None:
    hear(begin, broken)
    route(begin)
    assert letters(begin) == ["alone"]
    assert kept(begin) == 0


def test_strange_parts_are_taken_in(begin: Transactions, clock: Clock) -> None:
    hear(
        begin,
        part(b"\xff" * 5_000, 1, 2, 1, charset="no such charset, and a name that is far too long"),
        part(b"\0\xd8\x3d", 1, 2, 2, charset="utf-16-be"),
        part(b"\0" * 140, 1, 2, 3, msisdn="x" * 300, destination="y" * 300),
        part(b"", 1, 2, 4, charset="rot13"),
    )
    later(begin, clock, 61)
    assert len(letters(begin)) == 4
    assert kept(begin) == 0


def test_nobody_fills_the_table(begin: Transactions, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of ever new letters, each of which shall have 255, and none ever comes to its end."""
    most = 2 * long_letters.AT_ONCE
    monkeypatch.setattr(long_letters, "MOST", most)
    hear(begin, part(b"b", 1, 2, msisdn=B))
    for start in range(0, 3 * most, most // 2):
        hear(begin, *(part(b"%d" % n, 1 + n % 255, 255, n, bits=16) for n in range(start, start + most // 2)))
        assert kept(begin) <= most + 1
    assert len(letters(begin)) == 2 * most, "what was let go is there to be read"
    route(begin)
    hear(begin, part(b"!", 2, 2, msisdn=B))
    route(begin)
    assert "b!" in letters(begin)
    later(begin, clock, 61)
    for _ in range(most // long_letters.AT_ONCE):
        route(begin)
    assert len(letters(begin)) == 3 * most + 1


def test_the_longest_there_can_be(begin: Transactions) -> None:
    numbers = list(range(1, 256))
    random.Random(5).shuffle(numbers)
    for start in range(0, 255, 50):
        hear(begin, *(part(b"%d " % n, n, 255) for n in numbers[start : start + 50]))
    route(begin)
    assert letters(begin) == ["".join(f"{n} " for n in range(1, 256))]


def test_no_number_and_no_words_in_the_log(begin: Transactions, clock: Clock) -> None:
    log = io.StringIO()
    logs.configure(stream=log)
    hear(begin, half := part(b"a private matter", 1, 2))
    later(begin, clock, 61)
    written = log.getvalue() + repr(half)
    assert "incomplete" in written
    assert "private" not in written
    assert A.lstrip("+") not in written


def test_two_processes_hear_a_part_each_at_the_same_instant(begin: Transactions) -> None:
    """And two workers join them: one letter. Each of twenty, and each part comes to both."""
    parts = [part(f"{reference}-{n} ".encode(), n, 2, reference) for reference in range(20) for n in (1, 2)]

    def work(mine: list[InboundPart]) -> Callable[[], None]:
        def run() -> None:
            for each in mine:
                hear(begin, each)
                route(begin)

        return run

    orders = [parts, parts[::-1], parts[1::2] + parts[::2]]
    threads = [threading.Thread(target=work(order)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    route(begin)
    assert sorted(letters(begin)) == sorted(f"{reference}-1 {reference}-2 " for reference in range(20))


def until_it_waits(session: Session, thread: threading.Thread) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while thread.is_alive() and not session.scalar(waiting):
        thread.join(0.01)


@pytest.fixture
def on_postgresql(begin: Transactions) -> None:
    if begin.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")


@pytest.mark.usefixtures("on_postgresql")
def test_other_words_at_the_same_instant_are_not_lost(begin: Transactions) -> None:
    """Of two transactions that keep the same number of the same letter, the second looks again."""
    hearing = threading.Thread(target=hear, args=(begin, part(b"other", 1, 2)))
    with begin() as tx:
        ingest.accept(tx.session, [part(b"first", 1, 2)], {}, region="CN", now=tx.now)
        hearing.start()
        until_it_waits(tx.session, hearing)
    hearing.join()
    hear(begin, part(b" words", 2, 2))
    route(begin)
    assert letters(begin) == [f"first{MISSING}", "other words"]


@pytest.mark.usefixtures("on_postgresql")
def test_the_last_part_at_the_last_moment(begin: Transactions, clock: Clock) -> None:
    """Whoever lets go of a letter waits for those who are bringing more of it."""

    def let_go() -> None:
        with begin() as tx:
            long_letters.join(tx.session, now=tx.now + timedelta(seconds=61))

    hear(begin, part(b"1", 1, 2))
    letting_go = threading.Thread(target=let_go)
    with begin() as tx:
        ingest.accept(tx.session, [part(b"2", 2, 2)], {}, region="CN", now=tx.now)
        letting_go.start()
        until_it_waits(tx.session, letting_go)
    letting_go.join()
    route(begin)
    assert letters(begin) == ["12"]


@settings(max_examples=60)
@given(st.integers(1, 5), st.data())
def test_a_text_that_was_cut_anywhere_is_whole_again(total: int, data: st.DataObject) -> None:
    words = data.draw(st.text(st.sampled_from("会𠮷好a👩"), min_size=total, max_size=20))
    octets = words.encode("utf-16-be")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(octets)), min_size=total - 1, max_size=total - 1)))
    borders = [0, *cuts, len(octets)]
    pieces = {n + 1: (octets[borders[n] : borders[n + 1]], "utf-16-be") for n in range(total)}
    assert text_of(total, pieces) == words


def test_texts_of_parts() -> None:
    septets = gsm7.encode("a€b")
    assert text_of(2, {1: (septets[:2], "gsm7"), 2: (septets[2:], "gsm7")}) == "a€b"
    assert text_of(2, {1: ("会".encode("utf-16-be"), "utf-16-be"), 2: (b"\0", "gsm7")}) == "会@"
    assert text_of(6, {1: (b"1", "latin-1"), 4: (b"4", "latin-1")}) == f"1{MISSING}4{MISSING}"
