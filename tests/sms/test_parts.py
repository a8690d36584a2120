from __future__ import annotations

import random
from typing import Literal

import pytest
import smsutil
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from broadcaster.sms import (
    ASCII,
    GSM,
    LATIN1,
    UCS2,
    Alphabet,
    Encoding,
    Split,
    billed_parts,
    concatenation_header,
    count,
    count_many,
    cut_many,
    split,
)
from broadcaster.sms.gsm7 import EXTENSION
from subscribers.errors import Invalid

from .texts import CHINESE, RARE, any_texts, chinese_texts, gsm_texts, mixed_texts

ALPHABETS = [GSM, ASCII, LATIN1, UCS2]


def weight(character: str, encoding: Encoding) -> int:
    if encoding is Encoding.UCS2:
        return 2 if ord(character) > 0xFFFF else 1
    return 2 if encoding is Encoding.GSM7 and character in EXTENSION else 1


def greedy_count(text: str, result: Split) -> int:
    """The parts of the plainest cut: fill each part, character by character."""
    weights = [weight(character, result.encoding) for character in text]
    if sum(weights) <= result.capacity_single:
        return 1 if text else 0
    parts, used = 1, 0
    for each in weights:
        if used + each > result.capacity_part:
            parts, used = parts + 1, 0
        used += each
    return parts


@given(st.lists(any_texts, max_size=6), st.sampled_from(ALPHABETS), st.sampled_from([8, 16]))
def test_many_texts_are_cut_as_each_by_itself(texts: list[str], alphabet: Alphabet, bits: Literal[8, 16]) -> None:
    keep = ("【东城之声】", "拒收请回复R")
    alone = [split(text, alphabet, reference_bits=bits, keep=keep) for text in texts]
    together = cut_many(texts, alphabet, reference_bits=bits, keep=keep)
    assert together == [(each.encoding, each.parts) for each in alone]
    assert count_many(texts, alphabet, reference_bits=bits) == [len(each.parts) for each in alone]


@pytest.mark.parametrize("other", ["𠮷" * 40, "a", ""])
def test_one_text_with_pairs_is_not_measured_by_the_others(other: str) -> None:
    assert [len(cut.parts) for cut in cut_many(["社" * 69 + "😀", other, "社" * 70])][::2] == [2, 1]


@pytest.mark.parametrize(
    ("text", "alphabet", "bits", "units"),
    [
        ("a" * 160, GSM, 8, [160]),
        ("a" * 161, GSM, 8, [153, 8]),
        ("a" * 306, GSM, 8, [153, 153]),
        ("a" * 307, GSM, 8, [153, 153, 1]),
        ("a" * 304, GSM, 16, [152, 152]),
        ("a" * 305, GSM, 16, [152, 152, 1]),
        ("社" * 70, GSM, 8, [70]),
        ("社" * 71, GSM, 8, [67, 4]),
        ("社" * 134, GSM, 8, [67, 67]),
        ("社" * 135, GSM, 8, [67, 67, 1]),
        ("社" * 132, GSM, 16, [66, 66]),
        ("社" * 133, GSM, 16, [66, 66, 1]),
        ("a" * 70, UCS2, 8, [70]),
        ("a" * 71, UCS2, 8, [67, 4]),
        ("€" * 80, GSM, 8, [160]),
        ("€" * 81, GSM, 8, [152, 10]),
        ("a" * 152 + "€" * 5, GSM, 8, [152, 10]),
        ("a" * 151 + "€" * 5, GSM, 8, [153, 8]),
        ("{" * 160, ASCII, 8, [160]),
        ("{" * 161, ASCII, 8, [153, 8]),
        ("{" * 161, ASCII, 16, [152, 9]),
        ("é" * 140, LATIN1, 8, [140]),
        ("é" * 141, LATIN1, 8, [134, 7]),
        ("é" * 141, LATIN1, 16, [133, 8]),
        ("é" * 71, ASCII, 8, [67, 4]),
        ("{社" * 36, GSM, 8, [67, 5]),
        ("𠮷" * 35, GSM, 8, [70]),
        ("𠮷" * 36, GSM, 8, [66, 6]),
        ("社" * 66 + "𠮷" + "社" * 10, GSM, 8, [66, 12]),
        ("\f" * 81, GSM, 8, [152, 10]),
    ],
)
def test_units_of_each_part(text: str, alphabet: Alphabet, bits: Literal[8, 16], units: list[int]) -> None:
    result = split(text, alphabet, reference_bits=bits)
    assert list(result.units) == units
    assert "".join(result.parts) == text
    assert count(text, alphabet, reference_bits=bits) == len(units)


def test_an_empty_text_has_no_parts() -> None:
    assert split("").parts == ()
    assert split("").units == ()
    assert count("") == 0
    assert billed_parts("", "chars_70_67") == 0


def test_the_capacities_stand_in_the_result() -> None:
    assert (split("a").capacity_single, split("a").capacity_part) == (160, 153)
    assert split("社", reference_bits=16).capacity_part == 66


def test_255_parts_are_the_most() -> None:
    assert count("社" * 67 * 255) == 255
    with pytest.raises(Invalid, match=r"needs 256 parts.*255 at most") as caught:
        split("社" * 67 * 255 + "社")
    assert caught.value.hint
    with pytest.raises(Invalid, match="needs 300 parts"):
        count("€" * 76 * 300)
    assert count_many(["社" * 67 * 255]) == [255]
    with pytest.raises(Invalid):
        count_many(["社" * (67 * 255 + 1)])


def test_two_lone_surrogates_that_belong_together_do_not_crash() -> None:
    result = split("\ud83d\ude00" * 40)
    assert result.units == (67, 13)


@settings(max_examples=400)
@given(any_texts, st.sampled_from(ALPHABETS), st.sampled_from([8, 16]))
def test_parts_give_the_text_back_fit_and_are_as_few_as_can_be(text: str, alphabet: Alphabet, bits: int) -> None:
    reference_bits: Literal[8, 16] = 8 if bits == 8 else 16
    result = split(text, alphabet, reference_bits=reference_bits, keep=["拒收请回复R"])
    assert "".join(result.parts) == text
    assert all(result.parts)
    assert len(result.parts) == len(result.units) == greedy_count(text, result)
    assert count(text, alphabet, reference_bits=reference_bits) == len(result.parts)
    most = result.capacity_single if len(result.parts) == 1 else result.capacity_part
    for part, used in zip(result.parts, result.units, strict=True):
        assert used == sum(weight(character, result.encoding) for character in part) <= most


@settings(max_examples=400)
@given(st.one_of(gsm_texts, chinese_texts, mixed_texts))
def test_an_independent_splitter_counts_the_same(text: str) -> None:
    assume(text)
    oracle = smsutil.split(text)
    result = split(text)
    assert (result.encoding is Encoding.GSM7) == (oracle.encoding == "gsm0338")
    assert len(result.parts) == len(oracle.parts)
    per_unit = 1 if result.encoding is Encoding.GSM7 else 2
    assert sum(result.units) * per_unit == oracle.total_bytes


def test_it_counts_the_same_over_thousands_of_random_texts() -> None:
    draw = random.Random(3338)
    kinds = ["abc é@\n", "abc{€", CHINESE, CHINESE + "abc{", RARE + CHINESE, "😀👨\u200d👩🇨🇳社", "a’"]
    for _ in range(3000):
        text = "".join(draw.choices(draw.choice(kinds), k=draw.randint(1, 500)))
        result, oracle = split(text), smsutil.split(text)
        assert (result.encoding is Encoding.GSM7) == (oracle.encoding == "gsm0338")
        assert len(result.parts) == len(oracle.parts)


@settings(max_examples=300)
@given(st.text(st.sampled_from("abc {€é"), max_size=700), st.text(st.sampled_from("社区𠮷"), max_size=300))
def test_an_independent_splitter_cuts_the_same_where_nothing_is_kept_whole(latin: str, chinese: str) -> None:
    for text in filter(None, (latin, chinese)):
        assert list(split(text).parts) == [part.content for part in smsutil.split(text).parts]


def test_where_the_independent_splitter_is_wrong() -> None:
    # It takes an escape for a character: the handset would read the next one from the extension table.
    assert smsutil.split("\x1be").encoding == "gsm0338"
    assert split("\x1be").encoding is Encoding.UCS2
    # It takes an empty text for one part.
    assert len(smsutil.split("").parts) == 1


@pytest.mark.parametrize(
    ("text", "how", "parts"),
    [
        ("a" * 70, "chars_70_67", 1),
        ("a" * 71, "chars_70_67", 2),
        ("a" * 135, "chars_70_67", 3),
        ("a" * 135, "parts", 1),
        ("社" * 71, "chars_70_67", 2),
        ("😀" * 35, "chars_70_67", 1),
        ("😀" * 36, "chars_70_67", 2),
    ],
)
def test_billed_parts(text: str, how: Literal["parts", "chars_70_67"], parts: int) -> None:
    assert billed_parts(text, how) == parts


def test_chars_70_67_bills_by_length_where_pairs_make_the_sent_parts_more() -> None:
    text = "𠮷" * 67
    assert count(text) == 3
    assert billed_parts(text, "chars_70_67") == 2


def test_the_header_that_joins_parts() -> None:
    assert concatenation_header(0xA7, 3, 2) == bytes.fromhex("050003a70302")
    assert concatenation_header(0x12A7, 255, 255, 16) == bytes.fromhex("06080412a7ffff")


@pytest.mark.parametrize(
    ("reference", "total", "number", "bits"),
    [(256, 2, 1, 8), (-1, 2, 1, 8), (65536, 2, 1, 16), (0, 2, 3, 8), (0, 2, 0, 8), (0, 256, 1, 8)],
)
def test_a_header_that_cannot_be_is_refused(reference: int, total: int, number: int, bits: Literal[8, 16]) -> None:
    with pytest.raises(ValueError, match=r"reference|part"):
        concatenation_header(reference, total, number, bits)
