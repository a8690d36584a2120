from __future__ import annotations

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.rehearsal.alphabets import decode, decode_gsm, decode_ucs2, encode


def test_every_character_is_that_of_the_standard() -> None:
    codec = gsm0338.Codec()
    for septet in range(128):
        if septet != 0x1B:
            assert decode_gsm(bytes((septet,))) == codec.decode(bytes((septet,)))[0], hex(septet)
    for septet in (0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65):
        assert decode_gsm(bytes((0x1B, septet))) == codec.decode(bytes((0x1B, septet)))[0], hex(septet)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"5 \x1be = {\x1b(\x1b)}", "5 € = ä{}ñ"),
        (b"a\x1b", "a "),
        (b"\x1b\x1bb", " b"),
        (b"\x1bA", "A"),
        (b"\x80\xff", "\ufffd\ufffd"),
        (b"", ""),
    ],
)
def test_escapes_and_what_is_no_septet(octets: bytes, text: str) -> None:
    assert decode_gsm(octets) == text


@pytest.mark.parametrize(
    ("data_coding", "default", "octets", "text"),
    [
        (0, "gsm", b"\0\x11", "@_"),
        (0, "latin1", b"\xe9@", "é@"),
        (0, "ascii", b"\xe9@", "\ufffd@"),
        (0xF1, "gsm", b"\0", "@"),
        (1, "gsm", b"@A", "@A"),
        (3, "gsm", b"\xe9", "é"),
        (8, "gsm", "会𠮷👍".encode("utf-16-be"), "会𠮷👍"),
        (4, "gsm", b"\1\2", None),
        (2, "gsm", b"\1\2", None),
        (0xF5, "gsm", b"\1\2", None),
        (200, "gsm", b"\1\2", None),
    ],
)
def test_data_codings(data_coding: int, default: str, octets: bytes, text: str | None) -> None:
    assert decode(octets, data_coding, default) == text  # type: ignore[arg-type]


def test_half_a_character_is_shown_as_it_is() -> None:
    high, low = "𠮷".encode("utf-16-be")[:2], "𠮷".encode("utf-16-be")[2:]
    assert decode_ucs2(high) == "\ud842"
    assert decode_ucs2(low) == "\udfb7"
    assert decode_ucs2(high + low) == "𠮷"
    assert decode_ucs2(high[:1]) == "\ufffd"


@given(st.binary(max_size=300), st.integers(0, 255), st.sampled_from(["gsm", "latin1", "ascii"]))
def test_any_octets_say_something(octets: bytes, data_coding: int, default: str) -> None:
    text = decode(octets, data_coding, default)  # type: ignore[arg-type]
    assert text is None or len(text) <= len(octets)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=70))
def test_what_phones_send_is_what_they_mean(text: str) -> None:
    assert decode(encode(text)[1], encode(text)[0]) == text
