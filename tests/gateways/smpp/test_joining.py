from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.gateways.smpp.joining import MISSING, Joined, Joiner
from broadcaster.gateways.smpp.texts import Concatenation, Incoming
from broadcaster.sms import gsm7

A, B, PORT = "+8619900000001", "+8619900000002", "1069"


def part(
    octets: bytes, number: int, total: int = 3, reference: int = 7, bits: int = 8, charset: str = "latin-1"
) -> Incoming:
    return Incoming(octets, charset, Concatenation(reference, total, number, bits))


def add(joiner: Joiner[int], piece: Incoming, now: float = 0.0, sender: str = A, held: int = 0) -> list[Joined[int]]:
    return joiner.add(sender, PORT, piece, held, now)


def test_a_single_part_is_whole_at_once() -> None:
    joiner = Joiner[int]()
    [joined] = add(joiner, Incoming(b"TD", "latin-1", None), held=5)
    assert (joined.sender, joined.destination, joined.text, joined.missing, joined.held) == (A, PORT, "TD", (), [5])
    assert len(joiner) == 0


@given(st.permutations([1, 2, 3]), st.integers(0, 2))
def test_any_order_and_repeats(order: list[int], again: int) -> None:
    joiner = Joiner[int]()
    order.insert(2, order[again] if again < 2 else order[0])
    joined = [each for number in order for each in add(joiner, part(b"%d" % number, number), held=number)]
    assert [each.text for each in joined] == ["123"]
    assert joined[0].held == order
    assert joined[0].missing == ()
    assert len(joiner) == 0


@pytest.mark.parametrize(
    "stranger",
    [
        (B, PORT, part(b"x", 2)),
        (A, "1070", part(b"x", 2)),
        (A, PORT, part(b"x", 2, reference=8)),
        (A, PORT, part(b"x", 2, total=4)),
        (A, PORT, part(b"x", 2, bits=16)),
    ],
)
def test_parts_of_other_messages_stay_apart(stranger: tuple[str, str, Incoming]) -> None:
    joiner = Joiner[int]()
    add(joiner, part(b"1", 1))
    assert joiner.add(*stranger, 0, 0.0) == []
    assert add(joiner, part(b"3", 3)) == []
    assert [each.text for each in add(joiner, part(b"2", 2))] == ["123"]
    assert len(joiner) == 1


def test_a_reference_that_comes_again_is_another_message() -> None:
    joiner = Joiner[int]()
    add(joiner, part(b"old", 1), held=1)
    [old] = add(joiner, part(b"new", 1), held=2)
    assert (old.text, old.missing, old.held) == (f"old{MISSING}", (2, 3), [1])
    add(joiner, part(b"er", 2))
    [new] = add(joiner, part(b"!", 3))
    assert new.text == "newer!"


def test_what_is_not_whole_in_time_is_let_go_with_a_mark() -> None:
    joiner = Joiner[int](patience=60)
    add(joiner, part(b"1", 1), now=100.0)
    add(joiner, part(b"3", 3), now=150.0)
    assert joiner.due(159.9) == []
    [joined] = joiner.due(160.0)
    assert (joined.text, joined.missing) == (f"1{MISSING}3", (2,))
    assert joiner.due(1000.0) == []


def test_a_part_that_is_repeated_after_the_whole_brings_the_whole_again() -> None:
    joiner = Joiner[int](patience=60)
    add(joiner, part(b"1", 1, 2), held=1)
    [first] = add(joiner, part(b"2", 2, 2), held=2)
    [again] = add(joiner, part(b"2", 2, 2), now=59.0, held=3)
    assert (again.text, again.digest, again.held) == ("12", first.digest, [3])
    assert len(joiner) == 0
    # later, or with other words, it belongs to another message
    assert add(joiner, part(b"2", 2, 2), now=61.0) == []
    [other] = add(joiner, part(b"x", 1, 2), now=62.0)
    assert other.text == "x2"
    assert add(joiner, part(b"y", 1, 2), now=63.0) == []


def test_no_more_whole_messages_are_remembered_than_a_thousand() -> None:
    joiner = Joiner[int]()
    for reference in range(3000):
        add(joiner, part(b"1", 1, 2, reference, 16))
        add(joiner, part(b"2", 2, 2, reference, 16))
    assert len(joiner._whole) <= 1001


def test_neighbouring_gaps_have_one_mark() -> None:
    joiner = Joiner[int]()
    add(joiner, part(b"1", 1, 6))
    add(joiner, part(b"4", 4, 6))
    [joined] = joiner.due(float("inf"))
    assert (joined.text, joined.missing) == (f"1{MISSING}4{MISSING}", (2, 3, 5, 6))
    assert len(joiner) == 0


def test_characters_that_were_cut_in_half_are_whole_again() -> None:
    joiner = Joiner[int]()
    octets = "会𠮷好".encode("utf-16-be")
    add(joiner, part(octets[:4], 1, 2, charset="utf-16-be"))
    [joined] = add(joiner, part(octets[4:], 2, 2, charset="utf-16-be"))
    assert joined.text == "会𠮷好"
    septets = gsm7.encode("a€b")
    add(joiner, part(septets[:2], 1, 2, charset="gsm7"))
    [joined] = add(joiner, part(septets[2:], 2, 2, charset="gsm7"))
    assert joined.text == "a€b"


def test_parts_in_different_charsets_are_read_each_in_its_own() -> None:
    joiner = Joiner[int]()
    add(joiner, part("会".encode("utf-16-be"), 1, 2, charset="utf-16-be"))
    [joined] = add(joiner, part(b"\0", 2, 2, charset="gsm7"))
    assert joined.text == "会@"


def test_a_flood_of_beginnings_does_not_fill_the_memory() -> None:
    joiner = Joiner[int](most_octets=10_000)
    released = []
    for reference in range(5000):
        released += add(joiner, part(b"x" * 100, 1, reference=reference, bits=16), held=reference)
    assert len(joiner) <= 40
    assert [each.held for each in released] == [[n] for n in range(5000 - len(joiner))], "the oldest go first"


def test_a_repeat_has_the_same_digest_and_another_message_has_not() -> None:
    joiner = Joiner[int]()

    def digest(octets: bytes, sender: str = A) -> str:
        return add(joiner, Incoming(octets, "latin-1", None), sender=sender)[0].digest

    assert digest(b"TD") == digest(b"TD")
    assert len({digest(b"TD"), digest(b"td"), digest(b"TD", B)}) == 3


@settings(max_examples=60)
@given(st.data())
def test_of_many_messages_mixed_up_each_comes_out_once(data: st.DataObject) -> None:
    messages = data.draw(
        st.dictionaries(
            st.tuples(st.sampled_from([A, B]), st.integers(0, 3), st.integers(2, 4)),
            st.binary(min_size=4, max_size=12),
            max_size=6,
        )
    )
    pieces = []
    for (sender, reference, total), octets in messages.items():
        step = -(-len(octets) // total)
        for number in range(1, total + 1):
            cut = octets[(number - 1) * step : number * step]
            pieces.append((sender, part(cut, number, total, reference)))
    joiner = Joiner[int]()
    joined = [
        each for sender, piece in data.draw(st.permutations(pieces)) for each in add(joiner, piece, sender=sender)
    ]
    assert sorted((each.sender, each.text) for each in joined) == sorted(
        (sender, octets.decode("latin-1").replace("\0", "")) for (sender, _, _), octets in messages.items()
    )
    assert not any(each.missing for each in joined)
    assert len(joiner) == 0


def test_numbers_and_texts_are_not_shown() -> None:
    [joined] = add(Joiner[int](), Incoming(b"secret", "latin-1", None))
    assert "secret" not in repr(joined)
    assert "19900000001" not in repr(joined)
