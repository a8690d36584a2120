"""SMPP 3.4 as a server needs it: headers, what clients ask, what is answered. Pure; numbers are of the specification.

What is read lies in a buffer between two places, so that a long burst is not copied message by message.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

HEADER = struct.Struct(">IIII")
_TLV = struct.Struct(">HH")
#: message_payload holds 65,535 octets at most; the rest of a PDU is small
LONGEST = 70_000

RESPONSE = 0x8000_0000
INTERFACE_VERSION = 0x34


class Command(IntEnum):
    """What a PDU asks for."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    QUERY_SM = 0x03
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    CANCEL_SM = 0x08
    BIND_TRANSCEIVER = 0x09
    ENQUIRE_LINK = 0x15
    DATA_SM = 0x103
    GENERIC_NACK = 0x8000_0000


class Status(IntEnum):
    """What is answered."""

    OK = 0x00
    BAD_MESSAGE_LENGTH = 0x01
    BAD_COMMAND_LENGTH = 0x02
    BAD_COMMAND = 0x03
    BAD_BIND_STATUS = 0x04
    ALREADY_BOUND = 0x05
    SYSTEM_ERROR = 0x08
    BAD_SOURCE = 0x0A
    BAD_DESTINATION = 0x0B
    BAD_MESSAGE_ID = 0x0C
    BIND_FAILED = 0x0D
    BAD_PASSWORD = 0x0E
    BAD_SYSTEM_ID = 0x0F
    CANCEL_FAILED = 0x11
    QUEUE_FULL = 0x14
    SUBMIT_FAILED = 0x45
    THROTTLED = 0x58
    BAD_SCHEDULE = 0x61
    BAD_VALIDITY = 0x62
    BAD_TLV_STREAM = 0xC0


class Tag(IntEnum):
    """Optional parameters."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_REFERENCE = 0x020C
    SAR_TOTAL = 0x020E
    SAR_NUMBER = 0x020F
    INTERFACE_VERSION = 0x0210
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


#: esm_class: the message begins with a user data header
UDH = 0x40
#: esm_class of what the carrier says about a message
RECEIPT, INTERMEDIATE = 0x04, 0x20


class Malformed(Exception):
    """A PDU that cannot be read; `status` is what to answer."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.name)
        self.status = status


@dataclass(slots=True)
class Submit:
    """A submit_sm. An address is as on the wire: type, plan, digits and NUL."""

    source: bytes
    destination: bytes
    esm_class: int
    registered: int
    data_coding: int
    message: bytes
    tlvs: dict[int, bytes]


@dataclass(slots=True)
class Bind:
    """Who wants to be bound."""

    system_id: str
    password: str


def pack(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """A whole PDU."""
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def answer(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """The answer to a command; one that says no has no body."""
    return pack(command | RESPONSE, status, sequence, b"" if status else body)


def tlv(tag: int, value: bytes) -> bytes:
    """An optional parameter."""
    return _TLV.pack(tag, len(value)) + value


def read_bind(buffer: bytes, at: int, end: int) -> Bind:
    """A bind of any kind. Raises `Malformed`."""
    system_id, at = _text(buffer, at, end, 16, Status.BAD_SYSTEM_ID)
    password, at = _text(buffer, at, end, 9, Status.BAD_PASSWORD)
    _, at = _text(buffer, at, end, 13, Status.BIND_FAILED)
    # interface_version, addr_ton, addr_npi
    _text(buffer, at + 3, end, 41, Status.BIND_FAILED)
    return Bind(system_id, password)


def read_submit(buffer: bytes, at: int, end: int) -> Submit:
    """A submit_sm. Raises `Malformed`."""
    _, at = _text(buffer, at, end, 6, Status.BAD_COMMAND_LENGTH)
    source, at = _address(buffer, at, end, Status.BAD_SOURCE)
    destination, at = _address(buffer, at, end, Status.BAD_DESTINATION)
    if not destination[2:-1].removeprefix(b"+").isdigit():
        raise Malformed(Status.BAD_DESTINATION)
    if at + 3 > end:
        raise Malformed(Status.BAD_COMMAND_LENGTH)
    esm_class = buffer[at]
    _, at = _text(buffer, at + 3, end, 17, Status.BAD_SCHEDULE)
    _, at = _text(buffer, at, end, 17, Status.BAD_VALIDITY)
    if at + 5 > end:
        raise Malformed(Status.BAD_COMMAND_LENGTH)
    registered, data_coding, length = buffer[at], buffer[at + 2], buffer[at + 4]
    at += 5
    if length > 254 or at + length > end:
        raise Malformed(Status.BAD_MESSAGE_LENGTH)
    message = buffer[at : at + length]
    at += length
    tlvs = read_tlvs(buffer, at, end) if at < end else {}
    if length and Tag.MESSAGE_PAYLOAD in tlvs:
        raise Malformed(Status.BAD_MESSAGE_LENGTH)
    return Submit(source, destination, esm_class, registered, data_coding, message, tlvs)


def read_query(buffer: bytes, at: int, end: int) -> tuple[str, bytes]:
    """A query_sm: the message id, and who sent it. Raises `Malformed`."""
    message_id, at = _text(buffer, at, end, 65, Status.BAD_MESSAGE_ID)
    source, _ = _address(buffer, at, end, Status.BAD_SOURCE)
    return message_id, source


def read_cancel(buffer: bytes, at: int, end: int) -> tuple[str, bytes, bytes]:
    """A cancel_sm: message id, source, destination. Raises `Malformed`."""
    _, at = _text(buffer, at, end, 6, Status.BAD_COMMAND_LENGTH)
    message_id, at = _text(buffer, at, end, 65, Status.BAD_MESSAGE_ID)
    source, at = _address(buffer, at, end, Status.BAD_SOURCE)
    destination, _ = _address(buffer, at, end, Status.BAD_DESTINATION)
    return message_id, source, destination


def read_tlvs(buffer: bytes, at: int, end: int) -> dict[int, bytes]:
    """The optional parameters by their tags; one that is there twice counts as the last. Raises `Malformed`."""
    found = {}
    while at < end:
        if at + 4 > end:
            raise Malformed(Status.BAD_TLV_STREAM)
        tag, length = _TLV.unpack_from(buffer, at)
        at += 4
        if at + length > end:
            raise Malformed(Status.BAD_TLV_STREAM)
        found[tag] = buffer[at : at + length]
        at += length
    return found


def deliver(source: bytes, destination: bytes, esm_class: int, data_coding: int, message: bytes, tlvs: bytes) -> bytes:
    """The body of a deliver_sm."""
    flags = bytes((esm_class, 0, 0, 0, 0, 0, 0, data_coding, 0, len(message)))
    return b"\0" + source + destination + flags + message + tlvs


def data(source: bytes, destination: bytes, esm_class: int, data_coding: int, message: bytes, tlvs: bytes) -> bytes:
    """The body of a data_sm: a text is a parameter there."""
    payload = tlv(Tag.MESSAGE_PAYLOAD, message) if message else b""
    return b"\0" + source + destination + bytes((esm_class, 0, data_coding)) + tlvs + payload


def _text(buffer: bytes, at: int, end: int, size: int, wrong: Status) -> tuple[str, int]:
    stop = buffer.find(0, at, end)
    if stop < 0:
        raise Malformed(Status.BAD_COMMAND_LENGTH)
    if stop - at >= size:
        raise Malformed(wrong)
    return (str(buffer[at:stop], "latin-1") if stop > at else ""), stop + 1


def _address(buffer: bytes, at: int, end: int, wrong: Status) -> tuple[bytes, int]:
    stop = buffer.find(0, at + 2, end) + 1
    if not stop:
        raise Malformed(Status.BAD_COMMAND_LENGTH)
    if stop - at > 23:
        raise Malformed(wrong)
    return buffer[at:stop], stop
