from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.sms import ASCII as ASCII_ALPHABET
from broadcaster.sms import GSM, Alphabet, Encoding, Split, borders, split
from broadcaster.sms.borders import _PLAIN_PAIR

from .test_parts import greedy_count, weight
from .texts import mixed_texts

FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    "thing",
    [
        *(FAMILY, "🇨🇳", "1️⃣", "👍🏽", "❤️", "e\u0301\u0323", "社\U000e0100", "क्षि", "\r\n", "𠮷", "【东城之声】"),
        *("https://example.org/p/214", "http://a.cn", "www.example.org/a?b=c", "example.cn/p/1", "sub.example.cn"),
    ],
)
def test_a_thing_across_the_border_goes_whole_into_the_next_part(thing: str) -> None:
    for before in range(67 - len(thing), 67):
        text = "社" * before + thing + "区" * 40
        parts = split(text).parts
        assert len(parts) == 2
        assert sum(thing in part for part in parts) == 1, parts
        # and moved only when it had to
        units = before + sum(weight(character, Encoding.UCS2) for character in thing)
        assert (thing in parts[0]) == (units <= 67)


def test_a_link_is_not_cut_in_a_latin_text() -> None:
    text = "word " * 29 + "(see https://example.org/p/214?a=b#c). " + "word " * 10
    first, second = split(text).parts
    assert first.endswith("(see ")
    assert second.startswith("https://example.org/p/214?a=b#c). word")


def test_a_link_without_a_scheme_keeps_its_first_label() -> None:
    for before in range(55, 67):
        assert any("news.example.cn" in part for part in split("社" * before + "news.example.cn" + "区" * 40).parts)


def test_words_are_cut_as_they_come() -> None:
    assert split("word " * 40, ASCII_ALPHABET).parts[0] == ("word " * 40)[:153]


def test_a_signature_at_the_end_stays_whole() -> None:
    text = "社" * 64 + "【东城之声】"
    assert split(text).parts == (text,)
    text = "社" * 65 + "【东城之声】"
    assert split(text).parts == ("社" * 65, "【东城之声】")
    text = "社" * 132 + "【东城之声】"
    assert split(text).parts == ("社" * 67, "社" * 65, "【东城之声】")


def test_phrases_to_keep() -> None:
    text = "社" * 64 + "拒收请回复R" + "区" * 20
    assert split(text).parts[0] == "社" * 64 + "拒收请"
    assert split(text, keep=["", "拒收请回复R"]).parts[0] == "社" * 64
    assert split(text, keep=["社拒收请回复R"]).parts[0] == "社" * 63
    # A phrase that ends just at the border is whole already.
    text = "社" * 61 + "拒收请回复R" + "区" * 20
    assert split(text, keep=["拒收请回复R"]).parts[0] == "社" * 61 + "拒收请回复R"


def test_nothing_is_kept_whole_at_the_price_of_a_part() -> None:
    text = "社" * 64 + "【东城之声】" + "区" * 64
    assert len(text) == 134
    assert split(text).parts == (text[:67], text[67:])
    assert len(split(text + "区").parts) == 3
    assert split(text + "区").parts[0] == "社" * 64


def test_what_must_be_cut_is_cut_as_late_as_can_be() -> None:
    text = "社" * 64 + FAMILY + "区" * 57
    assert split(text).units == (67, 65)


def test_room_that_one_border_uses_is_gone_for_the_next() -> None:
    # Three parts hold 201. The first link may take 27 of the 30 units to spare, the second must be cut.
    link = "https://example.org/p/" + "9" * 8
    text = "社" * 40 + link + "区" * 32 + link + "堂" * 39
    parts = split(text).parts
    assert len(text) == 171
    assert len(parts) == 3
    assert parts[0] == "社" * 40
    assert parts[1].endswith("区https")


def test_a_smaller_thing_is_kept_when_a_larger_one_cannot_be() -> None:
    text = "社" * 30 + "【" + "区" * 35 + FAMILY + "】" + "社" * 55
    parts = split(text).parts
    assert len(parts) == 2
    assert parts[1].startswith(FAMILY)


def test_a_thing_longer_than_a_part_fills_what_there_is() -> None:
    link = "https://example.org/" + "x" * 60
    assert split("社" * 10 + link + "区" * 10).parts[0] == "社" * 10 + link[:57]
    link = "https://example.org/" + "x" * 52
    assert split("社" * 30 + link + "区" * 40).parts[0] == "社" * 30 + link[:37]
    marks = "e" + "\u0301" * 200
    assert [len(part) for part in split(marks).parts] == [67, 67, 67]


def test_flags_are_cut_between_flags() -> None:
    text = "社" * 65 + "🇨🇳🇫🇷🇩🇪"
    assert split(text).parts == ("社" * 65, "🇨🇳🇫🇷🇩🇪")
    text = "🇨🇳" * 30
    assert [len(part) for part in split(text).parts] == [32, 28]


def test_the_quick_test_for_plain_neighbours_is_never_wrong() -> None:
    cluster = regex.compile(r"\X")
    plain = [character for code in range(0x20, 0x10000) if _PLAIN_PAIR.match((character := chr(code)) * 2)]
    assert len(plain) > 27_000
    # Whether two characters join depends on their classes only: each against a few of every kind says enough.
    for other in "a\n1é。ア社Ａ©〰㊗":
        if not _PLAIN_PAIR.match(other * 2):
            continue
        text = "".join(character + other for character in plain)
        assert len(cluster.findall(text)) == len(text)


def things(text: str, start: int) -> list[tuple[int, int]]:
    """Every cluster, bracket and link of the text, as its readers see them from the start of a part on."""
    rest = text[start:]
    found = [match.span() for match in regex.finditer(r"\X", rest)]
    found += [match.span() for match in re.finditer("【[^【】]*】", rest)]
    found += [match.span() for match in re.finditer(r"(?<![!-~])https://example\.org/p/214(?![!-~])", rest)]
    return [(begin + start, end + start) for begin, end in found]


def is_needed(text: str, result: Split, number: int, start: int, begin: int, end: int) -> bool:
    """Whether the thing from `begin` to `end` had to be cut at the end of part `number`, which begins at `start`."""
    if begin <= start or sum(weight(each, result.encoding) for each in text[begin:end]) > result.capacity_part:
        return True
    rest = Split(result.encoding, (), (), result.capacity_part, result.capacity_part)
    return greedy_count(text[begin:], rest) > len(result.parts) - number


@settings(max_examples=400)
@given(mixed_texts)
def test_nothing_is_cut_that_could_be_kept(text: str) -> None:
    for alphabet in (GSM, Alphabet("ucs2", (Encoding.UCS2,))):
        result = split(text, alphabet)
        start = 0
        for number, part in enumerate(result.parts[:-1], start=1):
            cut = start + len(part)
            for begin, end in things(text, start):
                if begin < cut < end:
                    assert is_needed(text, result, number, start, begin, end), text[begin:end]
            start = cut


@given(mixed_texts, st.integers(1, 60), st.sampled_from([(), ("【晨晖】",), ("拒收回复R", "例")]))
@settings(max_examples=300)
def test_where_plainly_nothing_lies_nothing_is_found(text: str, cut: int, keep: tuple[str, ...]) -> None:
    """Most borders are looked at in a short way; it must not pass over anything that the long one finds."""
    if cut < len(text) and borders._is_clear(text, 0, cut, keep):
        assert list(borders._things_across(text, 0, cut, 2 * cut + 1, keep)) == []
