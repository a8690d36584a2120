from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.sms import (
    ASCII,
    GSM,
    LATIN1,
    UCS2,
    Alphabet,
    Encoding,
    concatenation_header,
    encode_choice,
    split,
    user_data,
)

from .texts import any_texts

ALPHABETS = [GSM, ASCII, LATIN1, UCS2]


@pytest.mark.parametrize(
    ("text", "gsm", "ascii_", "latin1"),
    [
        ("Meeting at 9", "gsm7", "ascii", "latin1"),
        ("a { b }\n", "gsm7", "ascii", "latin1"),
        ("café £5", "gsm7", "ucs2", "latin1"),
        ("5 €", "gsm7", "ucs2", "ucs2"),
        ("Ωmega", "gsm7", "ucs2", "ucs2"),
        ("`quoted`", "ucs2", "ascii", "latin1"),
        ("ç", "ucs2", "ucs2", "latin1"),
        ("It’s", "ucs2", "ucs2", "ucs2"),
        ("a\tb", "ucs2", "ucs2", "ucs2"),
        ("a\x1bb", "ucs2", "ucs2", "ucs2"),
        ("a\x00b", "ucs2", "ucs2", "ucs2"),
        ("社区", "ucs2", "ucs2", "ucs2"),
        ("", "gsm7", "ascii", "latin1"),
    ],
)
def test_the_first_encoding_that_has_every_character(text: str, gsm: str, ascii_: str, latin1: str) -> None:
    assert encode_choice(text, GSM) == gsm
    assert encode_choice(text, ASCII) == ascii_
    assert encode_choice(text, LATIN1) == latin1
    assert encode_choice(text, UCS2) == "ucs2"


def test_an_alphabet_may_try_several_encodings_in_its_order() -> None:
    both = Alphabet("both", (Encoding.GSM7, Encoding.LATIN1, Encoding.UCS2))
    assert [encode_choice(text, both) for text in ("é", "ç", "社")] == ["gsm7", "latin1", "ucs2"]


@pytest.mark.parametrize("encodings", [(), (Encoding.GSM7,), (Encoding.UCS2, Encoding.GSM7), (Encoding.UCS2,) * 2])
def test_an_alphabet_ends_with_ucs2(encodings: tuple[Encoding, ...]) -> None:
    with pytest.raises(ValueError, match="UCS-2"):
        Alphabet("wrong", encodings)


@pytest.mark.parametrize(
    ("text", "encoding", "octets"),
    [
        ("a{é", Encoding.GSM7, b"a\x1b\x28\x05"),
        ("a{", Encoding.ASCII, b"a{"),
        ("aé", Encoding.LATIN1, b"a\xe9"),
        ("社𠮷", Encoding.UCS2, b"\x79\x3e\xd8\x42\xdf\xb7"),
        ("a\ud83d", Encoding.UCS2, b"\x00a\x00?"),
    ],
)
def test_the_octets_on_the_wire(text: str, encoding: Encoding, octets: bytes) -> None:
    assert user_data(text, encoding) == octets


@pytest.mark.parametrize(("text", "encoding"), [("社", Encoding.GSM7), ("é", Encoding.ASCII), ("€", Encoding.LATIN1)])
def test_a_character_that_the_encoding_lacks_is_not_sent_as_another(text: str, encoding: Encoding) -> None:
    with pytest.raises(UnicodeEncodeError):
        user_data(text, encoding)


@given(any_texts, st.sampled_from(ALPHABETS), st.sampled_from([8, 16]))
def test_every_part_of_any_text_fits_the_air_with_its_header(text: str, alphabet: Alphabet, bits: int) -> None:
    result = split(text, alphabet, reference_bits=8 if bits == 8 else 16)
    several = len(result.parts) > 1
    for number, (part, used) in enumerate(zip(result.parts, result.units, strict=True), start=1):
        header = concatenation_header(7, len(result.parts), number, 8 if bits == 8 else 16) if several else b""
        octets = user_data(part, result.encoding)
        if result.encoding in (Encoding.GSM7, Encoding.ASCII):
            assert len(octets) == used
            assert len(header) * 8 + used * 7 <= 140 * 8
        else:
            assert len(octets) == used * (2 if result.encoding is Encoding.UCS2 else 1)
            assert len(header) + len(octets) <= 140
