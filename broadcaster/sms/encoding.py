"""Which encoding a text takes on a given gateway, how much a part of it holds, and its octets on the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from . import gsm7

ReferenceBits = Literal[8, 16]


class Encoding(StrEnum):
    """How the characters of a text become units of a part."""

    GSM7 = "gsm7"
    ASCII = "ascii"
    LATIN1 = "latin1"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Alphabet:
    """What a gateway can carry: its encodings in the order they are tried. UCS-2 carries everything and comes last."""

    name: str
    encodings: tuple[Encoding, ...]

    def __post_init__(self) -> None:
        if self.encodings[-1:] != (Encoding.UCS2,) or Encoding.UCS2 in self.encodings[:-1]:
            raise ValueError("the last encoding of an alphabet, and only the last, is UCS-2")


GSM = Alphabet("gsm", (Encoding.GSM7, Encoding.UCS2))
"""SMPP and modems."""
ASCII = Alphabet("ascii", (Encoding.ASCII, Encoding.UCS2))
"""CMPP, SGIP and SMGP: no é £ €, and { costs one."""
LATIN1 = Alphabet("latin1", (Encoding.LATIN1, Encoding.UCS2))
"""An SMPP centre that carries eight bits as they are (data_coding 3)."""
UCS2 = Alphabet("ucs2", (Encoding.UCS2,))
"""A gateway that takes every text as UCS-2."""


class Capacity(NamedTuple):
    """What fits, in units: septets of GSM-7, octets of ASCII and Latin-1, 16-bit code units of UCS-2."""

    single: int
    part: int
    part_16: int

    def of_part(self, reference_bits: ReferenceBits) -> int:
        """The units of one of several parts, beside the concatenation header (six octets, seven with 16 bits)."""
        return self.part if reference_bits == 8 else self.part_16


# 140 octets of user data. The gateways that speak ASCII put it on the air as seven-bit text, so it counts as GSM-7
# does: CMPP, SGIP and SMGP allow 160 octets for format 0 and 140 for every other.
CAPACITY = {
    Encoding.GSM7: Capacity(160, 153, 152),
    Encoding.ASCII: Capacity(160, 153, 152),
    Encoding.LATIN1: Capacity(140, 134, 133),
    Encoding.UCS2: Capacity(70, 67, 66),
}

# Of the control characters only the line ends: the handset's alphabet has no other, so they would arrive as rubbish.
FOREIGN = {
    Encoding.GSM7: gsm7.FOREIGN,
    Encoding.ASCII: re.compile(r"[^\n\r\x20-\x7e]"),
    Encoding.LATIN1: re.compile(r"[^\n\r\x20-\x7e\xa0-\xff]"),
}


def encode_choice(text: str, alphabet: Alphabet = GSM) -> Encoding:
    """The first encoding of the alphabet that has every character of the text."""
    for encoding in alphabet.encodings[:-1]:
        if FOREIGN[encoding].search(text) is None:
            return encoding
    return alphabet.encodings[-1]


def units(text: str, encoding: Encoding) -> int:
    """How many units the text takes in this encoding, which must have its characters."""
    if encoding is Encoding.UCS2:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return gsm7.septets(text) if encoding is Encoding.GSM7 else len(text)


def user_data(part_text: str, encoding: Encoding) -> bytes:
    """The octets of a part: GSM-7 unpacked, one septet per octet, as SMPP has it; UCS-2 as UTF-16, high octet first.

    Half a surrogate pair, which is no character, is sent as a question mark. Raises UnicodeEncodeError for a character
    that the encoding lacks; the encoding of a Split never does.
    """
    if encoding is Encoding.UCS2:
        return part_text.encode("utf-16-be", "replace")
    if encoding is Encoding.GSM7:
        return gsm7.encode(part_text)
    return part_text.encode("ascii" if encoding is Encoding.ASCII else "latin-1")


def decode(octets: bytes, charset: str) -> str:
    """What came in as text: `charset` is `gsm7`, `binary` (shown in hex) or one that Python knows, else it is Latin-1.

    U+FFFD stands for what makes no sense. NUL is left out: no database keeps it.
    """
    if charset == "gsm7":
        return gsm7.decode(octets)
    if charset == "binary":
        return octets.hex()
    if charset == "utf-16-be" and octets[:2] in (b"\xff\xfe", b"\xfe\xff"):
        charset = "utf-16"
    try:
        text = octets.decode(charset, "replace")
    except LookupError:
        text = octets.decode("latin-1")
    return text.replace("\0", "")
