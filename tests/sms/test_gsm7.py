from __future__ import annotations

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.sms import gsm7

from .texts import BASIC, EXTENSION, gsm_texts

ORACLE = gsm0338.Codec()


def test_every_code_of_both_tables_is_that_of_an_independent_codec() -> None:
    for code in range(128):
        if code != gsm7.ESCAPE:
            assert gsm7.decode(bytes([code])) == ORACLE.decode(bytes([code]))[0]
    for character in BASIC + EXTENSION:
        assert gsm7.encode(character) == ORACLE.encode(character)[0]
        assert gsm7.septets(character) == len(ORACLE.encode(character)[0])


def test_no_other_character_of_the_basic_plane_is_in_the_alphabet() -> None:
    alphabet = set(BASIC + EXTENSION)
    assert len(alphabet) == 127 + 10
    for code in range(0x10000):
        assert (gsm7.FOREIGN.search(chr(code)) is None) == (chr(code) in alphabet)


def test_a_backtick_is_not_a_section_sign() -> None:
    assert gsm7.encode("§") == b"\x5f"
    with pytest.raises(UnicodeEncodeError):
        gsm7.encode("`")


def test_the_escape_itself_is_not_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        gsm7.encode("\x1be")


@given(gsm_texts)
def test_encoding_agrees_with_an_independent_codec_and_comes_back(text: str) -> None:
    octets = gsm7.encode(text)
    assert octets == ORACLE.encode(text)[0]
    assert gsm7.septets(text) == len(octets)
    assert gsm7.decode(octets) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [(b"\x1b\x65", "€"), (b"\x1b\x41", "A"), (b"\x1b", " "), (b"\x1b\x1b\x41", " A"), (b"\xc1", "A"), (b"", "")],
)
def test_decoding_reads_odd_escapes_as_a_handset_does(octets: bytes, text: str) -> None:
    assert gsm7.decode(octets) == text


def test_packing_is_that_of_the_standard() -> None:
    # The usual worked example of packed user data.
    assert gsm7.pack(gsm7.encode("hellohello")) == bytes.fromhex("e8329bfd4697d9ec37")
    assert len(gsm7.pack(b"a" * 160)) == 140
    assert len(gsm7.pack(b"a" * 153, fill=1)) == 140 - 6
    assert len(gsm7.pack(b"a" * 152)) == 140 - 7
    assert gsm7.pack(b"") == b""


@given(st.binary(max_size=160).map(lambda octets: bytes(octet & 0x7F for octet in octets)), st.integers(0, 6))
def test_packed_septets_are_found_bit_by_bit(octets: bytes, fill: int) -> None:
    bits = int.from_bytes(gsm7.pack(octets, fill=fill), "little")
    assert bytes(bits >> (fill + 7 * position) & 0x7F for position in range(len(octets))) == octets
