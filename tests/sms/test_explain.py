from __future__ import annotations

import string
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broadcaster.sms import ASCII, GSM, LATIN1, UCS2, Alphabet, Encoding, count, encode_choice, explain, split, why
from subscribers.errors import Invalid

from .texts import any_texts, mixed_texts


def test_one_quote_and_what_it_costs() -> None:
    answer = why("It’s " + "a" * 195)
    (quote,) = answer.forced_by
    assert (quote.character, quote.position, quote.name) == ("’", 2, "RIGHT SINGLE QUOTATION MARK")
    assert quote.replacement == "'"
    assert (answer.parts, answer.parts_otherwise) == (3, 2)
    assert answer.because == explain.CHARACTERS
    assert answer.because.format(**answer.fields) == (
        "Because of ’, 1 in all, a part holds 67 characters instead of 153; parts more: 1."
    )


def test_one_part_speaks_of_the_capacity_of_one_part() -> None:
    assert why("It’s").fields == {
        "encoding": "ucs2",
        "capacity": 70,
        "otherwise": 160,
        "characters": "’",
        "times": 1,
        "more": 0,
    }
    assert why("社区").fields["capacity"] == 70
    assert why("社" * 71).fields["capacity"] == 67
    assert why("社" * 71, reference_bits=16).fields["capacity"] == 66


@pytest.mark.parametrize(
    ("text", "alphabet", "because"),
    [
        ("", GSM, explain.EMPTY),
        ("Meeting at 9", GSM, explain.PLAIN),
        ("社区食堂", UCS2, explain.PLAIN),
        ("社区食堂", GSM, explain.SCRIPT),
        ("【东城之声】社区食堂", GSM, explain.SCRIPT),
        ("Meeting at 9 社", GSM, explain.SCRIPT),
        ("Встреча в девять часов", GSM, explain.SCRIPT),
        ("Meeting at 9 😀", GSM, explain.CHARACTERS),
        ("Meeting – “at” ９ …", GSM, explain.CHARACTERS),
        ("Café at 9", ASCII, explain.CHARACTERS),
        ("Café at 9 for 5 €", LATIN1, explain.CHARACTERS),
        ("Café, señor, über, là: " + "all is said here in plain letters. " * 2, ASCII, explain.CHARACTERS),
        ("né à où", ASCII, explain.CHARACTERS),
        ("né à où ç", ASCII, explain.SCRIPT),
        ("1ª, 2º", ASCII, explain.CHARACTERS),
        ("【东城之声】Meeting at 9", GSM, explain.SIGNATURE),
        ("【East City】Meeting at 9", GSM, explain.SIGNATURE),
        ("Meeting at 9【东城】", ASCII, explain.SIGNATURE),
        (" 【东城】It\xa0is at 9", ASCII, explain.SIGNATURE),
        ("【东城】Meeting at 9 😀", GSM, explain.SCRIPT),
        ("【East】Café at 9", ASCII, explain.CHARACTERS),
    ],
)
def test_the_reason(text: str, alphabet: Alphabet, because: str) -> None:
    answer = why(text, alphabet)
    assert answer.because == because
    assert bool(answer.forced_by) == (because == explain.CHARACTERS)
    assert bool(answer.signature) == (because == explain.SIGNATURE)


def test_the_signature_is_the_reason_for_what_it_costs() -> None:
    answer = why("Meeting at nine in room three. " * 5 + "【东城】")
    assert answer.signature == answer.fields["signature"] == "【东城】"
    assert (answer.parts, answer.parts_otherwise) == (3, 1)


def test_a_character_without_a_lookalike_is_named_without_one() -> None:
    assert [each.replacement for each in why("Café, it’s 9", ASCII).forced_by] == [None, "'"]
    # The plain form of a full-width yen sign is not in ASCII either.
    assert [each.replacement for each in why("Price: ￥9", ASCII).forced_by] == [None]
    assert [each.replacement for each in why("Price: ￥9", GSM).forced_by] == ["¥"]


def test_the_figures_of_the_composer() -> None:
    answer = why("社" * 133)
    assert (answer.parts, answer.units, answer.room_left, answer.surplus) == (2, 133, 1, 63)
    assert (why("社" * 70).room_left, why("社" * 70).surplus) == (0, 0)
    assert (why("").parts, why("").room_left) == (0, 160)


@given(st.one_of(mixed_texts, any_texts), st.sampled_from([GSM, ASCII, LATIN1, UCS2]), st.sampled_from([8, 16]))
def test_room_and_surplus_are_exact(text: str, alphabet: Alphabet, bits: int) -> None:
    assume(text)
    reference_bits: Literal[8, 16] = 8 if bits == 8 else 16
    answer = why(text, alphabet, reference_bits=reference_bits)
    result = split(text, alphabet, reference_bits=reference_bits)
    assert (answer.encoding, answer.parts, answer.units) == (result.encoding, len(result.parts), sum(result.units))
    filler = "社" if answer.encoding is Encoding.UCS2 else "a"
    assert count(text + filler * answer.room_left, alphabet, reference_bits=reference_bits) == answer.parts
    assert count(text + filler * (answer.room_left + 1), alphabet, reference_bits=reference_bits) == answer.parts + 1
    if answer.surplus and encode_choice(text[: -answer.surplus], alphabet) == answer.encoding:
        assert count(text[: -answer.surplus], alphabet, reference_bits=reference_bits) == answer.parts - 1
        nearly = text[: len(text) - answer.surplus + 1]
        assert count(nearly, alphabet, reference_bits=reference_bits) == answer.parts
    else:
        assert answer.surplus or answer.parts == 1


@given(any_texts, st.sampled_from([GSM, ASCII, LATIN1, UCS2]))
def test_every_reason_can_be_told(text: str, alphabet: Alphabet) -> None:
    answer = why(text, alphabet)
    assert answer.because.format(**answer.fields)
    named = {name for _, name, _, _ in string.Formatter().parse(answer.because) if name}
    assert named <= set(answer.fields)
    assert answer.parts_otherwise <= answer.parts


def test_a_text_that_is_too_long_is_refused_here_too() -> None:
    with pytest.raises(Invalid, match="at most"):
        why("社" * 20_000)
