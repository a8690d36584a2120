"""Which part of which message: user data headers, SAR parameters, message_payload. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.rehearsal.alphabets import DefaultAlphabet, decode
from broadcaster.rehearsal.pdu import UDH, Malformed, Status, Submit, Tag

#: information elements: concatenation with a reference of 8 and of 16 bits
_SHORT_REFERENCE, _LONG_REFERENCE = 0x00, 0x08


@dataclass(slots=True)
class Piece:
    """What a part says. `text` is None for binary octets; `reference` is None where it stands alone."""

    text: str | None
    octets: bytes
    number: int = 1
    total: int = 1
    reference: int | None = None
    #: what told that it is one of several: "udh8", "udh16", "sar" or ""
    by: str = ""


def read_piece(submit: Submit, default: DefaultAlphabet) -> Piece:
    """What is in a submit_sm. Raises `Malformed` when its header or its parameters make no sense."""
    tlvs = submit.tlvs
    octets = tlvs.get(Tag.MESSAGE_PAYLOAD, submit.message) if tlvs else submit.message
    number, total, reference, by = 1, 1, None, ""
    if submit.esm_class & UDH:
        octets, number, total, reference, by = _without_header(octets)
    if Tag.SAR_REFERENCE in tlvs:
        number, total, reference, by = *_sar(tlvs), "sar"
    return Piece(decode(octets, submit.data_coding, default), octets, number, total, reference, by)


def _without_header(octets: bytes) -> tuple[bytes, int, int, int | None, str]:
    """The octets behind a user data header, and what it says: number, total, reference."""
    if not octets or octets[0] >= len(octets):
        raise Malformed(Status.SUBMIT_FAILED)
    at, end = 1, octets[0] + 1
    number, total, reference, by = 1, 1, None, ""
    while at < end:
        if at + 2 > end or at + 2 + octets[at + 1] > end:
            raise Malformed(Status.SUBMIT_FAILED)
        element, size = octets[at], octets[at + 1]
        value = octets[at + 2 : at + 2 + size]
        if (element, size) in ((_SHORT_REFERENCE, 3), (_LONG_REFERENCE, 4)):
            reference, total, number = int.from_bytes(value[:-2]), value[-2], value[-1]
            by = "udh8" if size == 3 else "udh16"
        at += 2 + size
    _check(number, total)
    return octets[end:], number, total, reference, by


def _sar(tlvs: dict[int, bytes]) -> tuple[int, int, int]:
    found = [tlvs.get(tag, b"") for tag in (Tag.SAR_REFERENCE, Tag.SAR_TOTAL, Tag.SAR_NUMBER)]
    if [len(value) for value in found] != [2, 1, 1]:
        raise Malformed(Status.BAD_TLV_STREAM)
    reference, total, number = (int.from_bytes(value) for value in found)
    _check(number, total)
    return number, total, reference


def _check(number: int, total: int) -> None:
    if not 1 <= number <= total:
        raise Malformed(Status.SUBMIT_FAILED)
