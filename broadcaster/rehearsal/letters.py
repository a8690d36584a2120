"""What members write, in the ways their phones send it: one part, or several joined in one of three ways. Pure."""

from __future__ import annotations

from typing import Literal

from broadcaster.rehearsal.alphabets import encode
from broadcaster.rehearsal.fates import lot
from broadcaster.rehearsal.pdu import UDH, Tag, deliver, tlv

Join = Literal["udh8", "udh16", "sar"]
JOINS: tuple[Join, ...] = ("udh8", "udh16", "sar")

#: opt-outs in their many forms, short answers, questions, a long letter
TEXTS = (
    "收到",
    "1",
    "R",
    "谢谢",
    "A",
    "退订",
    "参加",
    "T",
    "好的，周五一定到",
    "TD",
    "2 4",
    "几点开会？在哪里？",
    "r",
    "👍",
    (
        "您好，我已搬到女儿家住，手机号码没变，但参加活动要坐两个小时的公交车，能不能转到这边的组织？上次体检的报告一直没有收到，请问要自己去取吗？"
        "还有，老同事𠮷田先生托我问大家好，下次活动如果有合影，请也给他寄一张。谢谢你们！"
    ),
)
#: UTF-16 units in a part with a header of 6 or of 7 octets; SAR parameters take no room
_ROOM: dict[Join, int] = {"udh8": 67, "udh16": 66, "sar": 70}
_TON_INTERNATIONAL, _NPI_E164 = 1, 1


def address(digits: str) -> bytes:
    """A number as on the wire; one with a + or of 11 digits and more is international."""
    plain = digits.removeprefix("+")
    ton = _TON_INTERNATIONAL if plain != digits or len(plain) > 11 else 0
    return bytes((ton, _NPI_E164)) + plain.encode("ascii", "replace") + b"\0"


def letter_bodies(source: bytes, destination: bytes, text: str, reference: int, join: Join) -> list[bytes]:
    """The bodies of the deliver_sm that bring a text, in order."""
    data_coding, octets = encode(text)
    if len(octets) <= (160 if data_coding == 0 else 140):
        return [deliver(source, destination, 0, data_coding, octets, b"")]
    pieces = [piece.encode("utf-16-be") for piece in _cut(text, _ROOM[join])]
    bodies = []
    for number, piece in enumerate(pieces, start=1):
        header, tlvs = b"", b""
        if join == "udh8":
            header = bytes((5, 0, 3, reference % 256, len(pieces), number))
        elif join == "udh16":
            header = b"\x06\x08\x04" + (reference % 65536).to_bytes(2) + bytes((len(pieces), number))
        else:
            tlvs = tlv(Tag.SAR_REFERENCE, (reference % 65536).to_bytes(2))
            tlvs += tlv(Tag.SAR_TOTAL, bytes((len(pieces),))) + tlv(Tag.SAR_NUMBER, bytes((number,)))
        bodies.append(deliver(source, destination, UDH if header else 0, 8, header + piece, tlvs))
    return bodies


def invented_number(seed: int, nth: int) -> str:
    """A number from the range that belongs to nobody."""
    return f"86199{int(lot(seed, b'number', b'%d' % nth) * 10**8):08d}"


def text_of(seed: int, nth: int) -> str:
    """What the n-th writer says."""
    return TEXTS[int(lot(seed, b"text", b"%d" % nth) * len(TEXTS))]


def _cut(text: str, room: int) -> list[str]:
    """Pieces of so many UTF-16 units; a character of two is not cut."""
    pieces, piece, used = [], "", 0
    for character in text:
        units = 1 if ord(character) < 0x10000 else 2
        if used + units > room:
            pieces.append(piece)
            piece, used = "", 0
        piece += character
        used += units
    return [*pieces, piece]
