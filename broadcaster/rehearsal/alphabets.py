"""What octets say, by data_coding: GSM 03.38, ASCII, Latin-1, UCS-2 and their kin. Written from the standards. Pure."""

from __future__ import annotations

import codecs
from typing import Literal

#: what an SMSC reads data_coding 0 as: each has one of its own
DefaultAlphabet = Literal["gsm", "latin1", "ascii"]

#: GSM 03.38 6.2.1, from 0x00 to 0x7F; 0x1B leads to the extension
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\N{NO-BREAK SPACE}ÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
#: GSM 03.38 6.2.1.1
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
#: no character: `charmap_decode` shows U+FFFD for it
_NONE = "\ufffe"
_SEPTETS = _BASIC + _NONE * 128
_ESCAPE = b"\x1b"

_CODECS = {1: "ascii", 3: "latin-1", 5: "shift_jis", 6: "iso8859-5", 7: "iso8859-8"}
_DEFAULTS = {"latin1": "latin-1", "ascii": "ascii"}


def decode(octets: bytes, data_coding: int, default: DefaultAlphabet = "gsm") -> str | None:
    """The text, or None for octets that are none (binary, a reserved value). What is not a character is U+FFFD."""
    if data_coding == 8:
        return decode_ucs2(octets)
    # 0xF0 to 0xF3: a message class in the default alphabet; 0xF4 and on are binary
    if data_coding == 0 or data_coding & 0xFC == 0xF0:
        return decode_gsm(octets) if default == "gsm" else octets.decode(_DEFAULTS[default], "replace")
    codec = _CODECS.get(data_coding)
    return octets.decode(codec, "replace") if codec else None


def decode_gsm(octets: bytes) -> str:
    """GSM 03.38, one character an octet as SMPP carries it.

    >>> decode_gsm(b"5 \\x1b\\x65")
    '5 €'
    """
    first, *escaped = octets.split(_ESCAPE)
    text = codecs.charmap_decode(first, "replace", _SEPTETS)[0]
    for piece in escaped:
        if not piece:
            # reserved by the standard, to be shown as a space
            text += " "
            continue
        # an extension that nobody knows is shown as the character that stands there without it
        text += _EXTENSION.get(piece[0]) or codecs.charmap_decode(piece[:1], "replace", _SEPTETS)[0]
        text += codecs.charmap_decode(piece[1:], "replace", _SEPTETS)[0]
    return text


def decode_ucs2(octets: bytes) -> str:
    """UCS-2; surrogate pairs are one character, half of one stays what it is: whoever cut it shall see it."""
    whole = octets[: len(octets) & ~1].decode("utf-16-be", "surrogatepass")
    return whole if len(octets) % 2 == 0 else whole + "\ufffd"


def encode(text: str) -> tuple[int, bytes]:
    """As phones send it: data_coding and octets. Letters and figures are the same in every alphabet."""
    if text.isascii() and text.replace(" ", "").isalnum():
        return 0, text.encode("ascii")
    return 8, text.encode("utf-16-be")
