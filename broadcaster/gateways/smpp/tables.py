"""Any PDU of SMPP 3.4 by one table: binding, asking, cancelling. What comes by the thousand has `codec`.

Tolerant where carriers are sloppy: a response may lack its body, one with an error the end of it; tags nobody knows
are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from broadcaster.gateways.smpp.octets import HEADER, Malformed, c_string, head, header, tlv
from broadcaster.gateways.smpp.octets import tlvs as read_tlvs
from broadcaster.gateways.smpp.words import RESPONSE, Command

Value = int | str | bytes

OCTET = 0
TEXT = -1
"""`sm_length` and so many octets."""

_ADDRESS = (("source_addr_ton", OCTET), ("source_addr_npi", OCTET), ("source_addr", 65))
_TO = (("dest_addr_ton", OCTET), ("dest_addr_npi", OCTET), ("destination_addr", 65))
_BIND = (
    ("system_id", 16),
    ("password", 9),
    ("system_type", 13),
    ("interface_version", OCTET),
    ("addr_ton", OCTET),
    ("addr_npi", OCTET),
    ("address_range", 41),
)
_MESSAGE = (
    ("service_type", 6),
    *_ADDRESS,
    *_TO,
    ("esm_class", OCTET),
    ("protocol_id", OCTET),
    ("priority_flag", OCTET),
    ("schedule_delivery_time", 17),
    ("validity_period", 17),
    ("registered_delivery", OCTET),
    ("replace_if_present_flag", OCTET),
    ("data_coding", OCTET),
    ("sm_default_msg_id", OCTET),
    ("short_message", TEXT),
)
_DATA_MESSAGE = (
    ("service_type", 6),
    *_ADDRESS,
    *_TO,
    ("esm_class", OCTET),
    ("registered_delivery", OCTET),
    ("data_coding", OCTET),
)
_SYSTEM = (("system_id", 16),)
_ID = (("message_id", 65),)

#: command -> its fields in order: a C string with its largest size (NUL included), one octet, or a text with its length
LAYOUTS: Mapping[int, tuple[tuple[str, int], ...]] = {
    Command.BIND_RECEIVER: _BIND,
    Command.BIND_TRANSMITTER: _BIND,
    Command.BIND_TRANSCEIVER: _BIND,
    Command.BIND_RECEIVER_RESP: _SYSTEM,
    Command.BIND_TRANSMITTER_RESP: _SYSTEM,
    Command.BIND_TRANSCEIVER_RESP: _SYSTEM,
    Command.OUTBIND: (("system_id", 16), ("password", 9)),
    Command.SUBMIT_SM: _MESSAGE,
    Command.SUBMIT_SM_RESP: _ID,
    Command.DELIVER_SM: _MESSAGE,
    Command.DELIVER_SM_RESP: _ID,
    Command.DATA_SM: _DATA_MESSAGE,
    Command.DATA_SM_RESP: _ID,
    Command.QUERY_SM: (*_ID, *_ADDRESS),
    Command.QUERY_SM_RESP: (*_ID, ("final_date", 17), ("message_state", OCTET), ("error_code", OCTET)),
    Command.CANCEL_SM: (("service_type", 6), *_ID, *_ADDRESS, *_TO),
    Command.CANCEL_SM_RESP: (),
    Command.ALERT_NOTIFICATION: (
        *_ADDRESS,
        ("esme_addr_ton", OCTET),
        ("esme_addr_npi", OCTET),
        ("esme_addr", 65),
    ),
    Command.UNBIND: (),
    Command.UNBIND_RESP: (),
    Command.ENQUIRE_LINK: (),
    Command.ENQUIRE_LINK_RESP: (),
    Command.GENERIC_NACK: (),
}


class Pdu(NamedTuple):
    """Any PDU, read by the table. Strings are Latin-1: every octet has a character."""

    command: int
    status: int
    sequence: int
    fields: dict[str, Value]
    tlvs: dict[int, bytes]


def encode(
    command: int,
    sequence: int,
    fields: Mapping[str, Value] | None = None,
    *,
    status: int = 0,
    tlvs: Mapping[int, bytes] | None = None,
) -> bytes:
    """Any PDU of the table `LAYOUTS`; fields left out are empty or 0. Raises ValueError for what does not fit."""
    given = dict(fields or {})
    pieces = []
    for name, size in LAYOUTS[command]:
        value = given.pop(name, 0 if size <= 0 else "")
        if size == OCTET:
            pieces.append(bytes((int(value),)))
        elif size == TEXT:
            octets = value if isinstance(value, bytes) else b""
            pieces.append(bytes((len(octets),)) + octets)
        else:
            pieces.append(c_string(str(value), size - 1))
    if given:
        raise ValueError(f"there is no field {', '.join(given)}")
    pieces += [tlv(tag, value) for tag, value in (tlvs or {}).items()]
    body = b"".join(pieces)
    return header.pack(HEADER + len(body), command, status, sequence) + body


def decode(pdu: bytes) -> Pdu:
    """Read any PDU of the table. Raises `Malformed`, also for a command that nobody knows."""
    command, status, sequence = head(pdu)
    layout = LAYOUTS.get(command)
    if layout is None:
        raise Malformed("there is no such command", pdu)
    fields: dict[str, Value] = {}
    at, length = HEADER, len(pdu)
    if at == length and command & RESPONSE:
        return Pdu(command, status, sequence, fields, {})
    for name, size in layout:
        if at == length and status and command & RESPONSE:
            break
        if size > 0:
            end = pdu.find(0, at)
            if end < 0:
                raise Malformed(f"{name} has no end", pdu)
            fields[name] = str(pdu[at:end], "latin-1")
            at = end + 1
            continue
        if at >= length:
            raise Malformed(f"{name} is missing", pdu)
        fields[name] = pdu[at]
        at += 1
        if size == TEXT:
            end = at + pdu[at - 1]
            if end > length:
                raise Malformed("the text is shorter than sm_length says", pdu)
            fields[name] = pdu[at:end]
            at = end
    return Pdu(command, status, sequence, fields, read_tlvs(pdu, at))
