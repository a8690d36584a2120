from __future__ import annotations

import pytest
from hypothesis import given

from broadcaster.sms import encode_choice, find_lookalikes, repair

from .texts import any_texts, gsm_texts


@pytest.mark.parametrize(
    ("text", "repaired", "kinds"),
    [
        ("It’s “fine”", 'It\'s "fine"', ["quote"] * 3),
        ("9–10 … and — so", "9-10 ... and - so", ["dash"] * 3),
        ("`code`", "'code'", ["quote"] * 2),
        ("Room\xa03\u202f000", "Room 3 000", ["space"] * 2),
        ("a\tb", "a b", ["space"]),
        ("a\u2028b", "a\nb", ["space"]),
        ("ａＢ９！￥", "aB9!¥", ["full_width"] * 5),
        ("a\u200bb\ufeff\xad", "ab", ["invisible"] * 3),
        ("call \u202d10690000\u202c", "call 10690000", ["invisible"] * 2),
        ("a\u200db", "ab", ["invisible"]),
        ("\u200da", "a", ["invisible"]),
        ("\u200d😀", "😀", ["invisible"]),
        ("ΔΩ “Φ”", 'ΔΩ "Φ"', ["quote"] * 2),
        ("a\x00\x1bb", "ab", ["control"] * 2),
        ("a\ud83db", "a?b", ["control"]),
        ("第２１４期\u3000要闻", "第214期 要闻", ["full_width"] * 3 + ["space"]),
        ("社区\u200b食堂\u200d", "社区食堂", ["invisible"] * 2),
    ],
)
def test_what_is_found_and_how_it_is_repaired(text: str, repaired: str, kinds: list[str]) -> None:
    assert [each.kind for each in find_lookalikes(text)] == kinds
    assert repair(text) == repaired


@pytest.mark.parametrize(
    "text",
    [
        "The branch meets at 9 {room 3}\r\nBring a book",
        "【东城之声】他说：“周一——周五……”，《学习》！",
        "Он сказал «да» — и ушёл…",
        "café Ñandú ΔΩ €",
        "👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 1️⃣ ❤️",
        "می‌خواهم",
        "क्‍ष",
        "שלום \u200e(1)\u200f",
        "",
    ],
)
def test_what_belongs_there_is_left_alone(text: str) -> None:
    assert find_lookalikes(text) == []
    assert repair(text) == text


def test_a_lookalike_says_where_it_is_and_what_it_is_called() -> None:
    (quote,) = find_lookalikes("It’s")
    assert (quote.character, quote.position, quote.replacement) == ("’", 2, "'")
    assert quote.name == "RIGHT SINGLE QUOTATION MARK"
    (escape,) = find_lookalikes("😀\x1b")
    assert (escape.position, escape.name, escape.replacement) == (1, "U+001B", "")


@given(any_texts)
def test_repairing_once_is_enough(text: str) -> None:
    repaired = repair(text)
    assert find_lookalikes(repaired) == []
    assert repair(repaired) == repaired
    repaired.encode("utf-8")


@given(gsm_texts)
def test_repairing_never_makes_a_text_dearer(text: str) -> None:
    assert encode_choice(repair(text)) == "gsm7"
