"""What every PDU is made of: a header, C strings, optional parameters (TLVs). Shared by `codec` and `tables`.

Strict about borders, because what is read beyond one is somebody else's octets.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER = 16
header = struct.Struct(">IIII")
_tlv = struct.Struct(">HH")


class Head(NamedTuple):
    """The header without its length."""

    command: int
    status: int
    sequence: int


class Malformed(ValueError):
    """The octets of one PDU make no sense; its borders do. `sequence` tells which one to answer with an error."""

    def __init__(self, what: str, pdu: bytes) -> None:
        super().__init__(what)
        self.command, self.status, self.sequence = head(pdu)


def head(pdu: bytes) -> Head:
    """What a PDU is. It must come from a `Framer`, so that 16 octets are there."""
    _, command, status, sequence = header.unpack_from(pdu)
    return Head(command, status, sequence)


def tlv(tag: int, value: bytes) -> bytes:
    """One optional parameter. Raises ValueError above 65,535 octets."""
    if len(value) > 0xFFFF:
        raise ValueError("an optional parameter holds 65,535 octets at most")
    return _tlv.pack(tag, len(value)) + value


def tlvs(pdu: bytes, at: int) -> dict[int, bytes]:
    """The optional parameters from here to the end, also those that nobody knows. Raises `Malformed`."""
    found: dict[int, bytes] = {}
    length = len(pdu)
    while at + 4 <= length:
        tag, size = _tlv.unpack_from(pdu, at)
        at += 4 + size
        if at > length:
            raise Malformed(f"optional parameter {tag:#06x} is longer than the PDU", pdu)
        found[tag] = pdu[at - size : at]
    if any(pdu[at:]):
        # zeros are let pass: some centres fill up with them
        raise Malformed("octets are left over at the end", pdu)
    return found


def c_string(text: str, most: int) -> bytes:
    """Latin-1 and a NUL. Raises ValueError above `most` characters, and for a NUL inside."""
    if len(text) > most or "\0" in text:
        raise ValueError(f"a text of {len(text)} characters; {most} are possible, and no NUL")
    return text.encode("latin-1") + b"\0"
