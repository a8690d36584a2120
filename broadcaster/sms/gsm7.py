"""GSM 03.38, the seven-bit alphabet of every handset: 128 characters, and ten more behind an escape.

A septet is one seven-bit unit. SMPP carries septets unpacked, one per octet; a modem carries them packed,
eight in seven octets.
"""

from __future__ import annotations

import re

ESCAPE = 0x1B

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

EXTENDED = re.compile("[" + re.escape("".join(EXTENSION)) + "]")
# The escape is a place in the table but not a character: sent as text it would change the character after it.
FOREIGN = re.compile("[^" + re.escape((BASIC + "".join(EXTENSION)).replace("\x1b", "")) + "]")

_TO_SEPTETS = str.maketrans(
    {character: chr(septet) for septet, character in enumerate(BASIC)}
    | {character: chr(ESCAPE) + chr(septet) for character, septet in EXTENSION.items()}
)
_FROM_EXTENSION = {septet: character for character, septet in EXTENSION.items()}


def septets(text: str) -> int:
    """How many septets a text of this alphabet takes: two for a character of the extension, one for any other."""
    return len(text) + len(EXTENDED.findall(text))


def encode(text: str) -> bytes:
    """The septets of a text, one per octet. Raises UnicodeEncodeError for a character that the alphabet lacks."""
    if foreign := FOREIGN.search(text):
        raise UnicodeEncodeError("gsm7", text, foreign.start(), foreign.end(), "not in GSM 03.38")
    return text.translate(_TO_SEPTETS).encode("latin-1")


def decode(octets: bytes) -> str:
    """The text of unpacked septets, read as a handset reads them (3GPP 23.038, 6.2.1.1).

    An escape before a code without an extended character yields the basic character, an escape at the end a space.
    The eighth bit of an octet is ignored.
    """
    text: list[str] = []
    escaped = False
    for octet in octets:
        septet = octet & 0x7F
        if escaped:
            text.append(" " if septet == ESCAPE else _FROM_EXTENSION.get(septet, BASIC[septet]))
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            text.append(BASIC[septet])
    if escaped:
        text.append(" ")
    return "".join(text)


def pack(octets: bytes, *, fill: int = 0) -> bytes:
    """Unpacked septets as packed octets: the first septet in the lowest bits.

    `fill` is the number of empty bits before the first septet, so that it begins on a septet border after a header:
    1 after a header of six octets, 0 after one of seven or none.
    """
    bits = 0
    for position, septet in enumerate(octets):
        bits |= septet << (fill + 7 * position)
    return bits.to_bytes((fill + 7 * len(octets) + 7) // 8, "little") if octets else b""
