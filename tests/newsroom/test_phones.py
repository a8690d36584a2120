"""A text on the drawn phone: nothing is lost, and what is added is told from what was written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.campaigns.dress import PLACES, Dress, cut, dressed
from broadcaster.campaigns.proof import Seen, VariantProof
from broadcaster.campaigns.reach import Reach, VariantReach
from broadcaster.gateways.contract import Capabilities
from broadcaster.language import set_language
from broadcaster.newsroom.phones import bubbles, people_words, phone, skipped_words
from broadcaster.sms import why

REACH = Reach([VariantReach("everyone", 1, 1, {}, {})], 0, is_exact=True)
CAN = Capabilities(inbound=True)


def seen(body: str, place: str = "front") -> Seen:
    dress = Dress("【晨晖】", "拒收请回复R", PLACES[place])
    text = dressed(dress, body)
    return Seen("李敏", body, text, dress, cut(dress, text, CAN), why(text, CAN.alphabet))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="一二三 abc\n\U0001f600’", max_size=300), st.sampled_from(sorted(PLACES)))
def test_the_stretches_are_the_text(body: str, place: str) -> None:
    shown = seen(body, place)
    stretches = [each for bubble in bubbles(shown) for each in bubble.stretches]
    assert "".join(each.text for each in stretches) == shown.text
    assert "".join(each.text for each in stretches if each.kind == "written") == body.rstrip()
    assert all(0 < bubble.used <= bubble.width for bubble in bubbles(shown))


@pytest.mark.parametrize(("place", "kind"), [("front", "added"), ("tail", "added"), ("carrier", "carrier")])
def test_whose_the_signature_is(place: str, kind: str) -> None:
    stretches = [each for bubble in bubbles(seen("今天供暖。", place)) for each in bubble.stretches]
    assert [each.kind for each in stretches if "晨晖" in each.text] == [kind]


def test_what_forces_the_alphabet_is_named() -> None:
    set_language("en")
    one = seen("Don’t go out " * 12)
    told = phone(VariantProof("everyone", 1, True, 3, 3, Decimal("0.1"), one, one, one), "typical", "CNY", REACH, 0)
    assert told["is_dear"] is False, "the signature is Chinese: the quote forces nothing"
    plain = Dress()
    text = "Don’t go out " * 12
    bare = Seen("Ann", text, text, plain, cut(plain, text, CAN), why(text, CAN.alphabet))
    told = phone(VariantProof("everyone", 1, True, 3, 3, Decimal("0.1"), bare, bare, bare), "typical", "CNY", REACH, 0)
    assert told["is_dear"] is True
    assert "’" in told["because"]


def test_people_are_told_with_why_not() -> None:
    set_language("en")
    told = VariantReach("everyone", 1274, 1247, {"no_number": 7, "no_consent": 20}, {})
    assert people_words(told, is_exact=True) == "1,274 people · 1,247 can be sent to"
    assert skipped_words(told, is_exact=True) == "no number 7, never agreed to receive the paper 20"
    assert people_words(VariantReach("everyone", 1, 1, {}, {}), is_exact=True) == "1 person"
    assert people_words(told, is_exact=False) == "about 1,300 people · about 1,200 can be sent to"
    assert people_words(VariantReach("everyone", 0, 0, {}, {}), is_exact=False) == "few people or nobody"
