"""Octets that are no answer: what broken carriers and broken lines send. Pure."""

from __future__ import annotations

from broadcaster.rehearsal import pdu
from broadcaster.rehearsal.pdu import HEADER, Command, pack

_STRANGE = 0x7FFF_FF00


def garbage(kind: int) -> bytes:
    """One of the kinds. The first ones are whole PDUs; behind the others no client can find its place again."""
    return _KINDS[kind % len(_KINDS)]


#: a deliver_sm that is right, and what is made of it
_LETTER = pdu.deliver(b"\x01\x018619900000000\0", b"\0\0106900\0", 0, 0, b"?", b"")

_KINDS = (
    # an answer to something that was never asked
    pack(Command.SUBMIT_SM | pdu.RESPONSE, 0, _STRANGE, b"0\0"),
    pack(Command.ENQUIRE_LINK | pdu.RESPONSE, 0, _STRANGE),
    # commands that there are not
    pack(0x0000_0777, 0, _STRANGE),
    pack(0x8000_0777, 0, _STRANGE),
    # a parameter that ends behind its PDU; a text without NUL; one longer than its PDU
    pack(Command.DELIVER_SM, 0, _STRANGE, _LETTER + b"\x04\x27\x00\xff\x02"),
    pack(Command.DELIVER_SM, 0, _STRANGE, b"\xff" * 40),
    pack(Command.DELIVER_SM, 0, _STRANGE, _LETTER[:-2] + b"\xfe?"),
    # lengths that cannot be
    HEADER.pack(2**31 - 1, Command.DELIVER_SM, 0, _STRANGE),
    *(HEADER.pack(length, Command.ENQUIRE_LINK, 0, _STRANGE) for length in (0, 1, 15)),
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
)
