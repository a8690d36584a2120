"""Delivery receipts: optional parameters first, else the text that the standard suggests and every carrier varies.

    id:0123456789 sub:001 dlvrd:001 submit date:2611220203 done date:2611220204 stat:DELIVRD err:000 text:...

Nothing here raises: what cannot be read is a receipt with what there is, kept as an orphan that people can look at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import NamedTuple

from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from broadcaster.gateways.smpp.codec import Deliver
from broadcaster.gateways.smpp.reasons import GSM_ERRORS, MESSAGE_STATES, REASONS
from broadcaster.gateways.smpp.times import moment
from broadcaster.gateways.smpp.words import INTERMEDIATE, MESSAGE_TYPE, RECEIPT, UDHI, Tag

_INTERNATIONAL = 1
_GSM = 3
#: a receipt is shorter; what lies behind is the member's text
_LONGEST = 1000

#: as the standard has it, to the letter: most receipts are, and are read in one go
_STANDARD = re.compile(
    r"id:(?P<id>[0-9A-Za-z-]+) sub:[0-9]* dlvrd:[0-9]* submit date:[0-9]* done date:(?P<done>[0-9]*)"
    r" stat:(?P<stat>[A-Z]+) err:(?P<err>[0-9A-Za-z]*)(?:\s|$)"
)
_KEY = r"id|sub|dlvrd|(?:submit|done)[ _]?(?:date|time)|stat|err"
_FIELD = re.compile(
    rf"(?<![a-z])({_KEY})[ ]?[:=][ \t]*(?!(?:{_KEY}|text)[ ]?[:=])"
    r"""("[^"]*"|[0-9]{2,4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}[ T][0-9]{1,2}:[0-9:]{2,5}|[^\s,;|]*)""",
    re.IGNORECASE,
)
_READ = ("id", "done", "stat", "err")
_TEXT = re.compile(r"(?<![a-z])text[ ]?[:=]", re.IGNORECASE)


class Told(NamedTuple):
    """What a receipt says, before it is anybody's."""

    message_id: str
    state: ReceiptState
    code: str
    permanent: bool | None
    done_at: datetime | None


def is_receipt(told: Deliver, by_text: bool = False) -> bool:
    """Whether a deliver_sm is a receipt: its class or its parameters say so.

    `by_text`: its text alone is enough, for carriers that set neither. A member can write such a text, too.
    """
    if told.esm_class & MESSAGE_TYPE in (RECEIPT, INTERMEDIATE) or Tag.RECEIPTED_MESSAGE_ID in told.tlvs:
        return True
    if not by_text or told.esm_class & UDHI:
        return False
    found = fields(told.octets)
    return bool(found.get("id")) and "stat" in found


def receipt(told: Deliver, gateway: str, zone: tzinfo, reasons: Mapping[str, Reason] = REASONS) -> Receipt:
    """The event. `zone` is the carrier's; `message_id` stays as it came: `ids` finds whose it is."""
    said = read(told, zone, reasons)
    msisdn = number(told.source, told.source_ton)
    # without their names: there are thousands in a second, and names are as dear as all the rest of it
    return Receipt(
        gateway, said.message_id, said.state, said.code, said.permanent, msisdn, None, said.done_at, raw(told)
    )


def read(told: Deliver, zone: tzinfo, reasons: Mapping[str, Reason] = REASONS) -> Told:
    """Id, state and time. A parameter counts more than the same thing in the text."""
    written = fields(told.octets)
    parameter, _, _ = told.tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").partition(b"\0")
    message_id = str(parameter, "latin-1").strip() or written.get("id", "")
    state = told.tlvs.get(Tag.MESSAGE_STATE, b"")[-1:]
    stat = written.get("stat", "").upper()
    if state and state[0] < len(MESSAGE_STATES):
        stat = MESSAGE_STATES[state[0]]
    code, reason = _meaning(stat, written.get("err", ""), told.tlvs.get(Tag.NETWORK_ERROR_CODE, b""), reasons)
    if reason is not None:
        means, permanent = reason.state, reason.permanent
    elif told.esm_class & MESSAGE_TYPE == INTERMEDIATE:
        means, permanent = ReceiptState.IN_NETWORK, None
    else:
        means, permanent = ReceiptState.CARRIER_UNKNOWN, None
    return Told(message_id, means, code, permanent, moment(written.get("done", ""), zone))


def fields(octets: bytes) -> dict[str, str]:
    """The fields of a receipt's text that are there: id, done, stat, err. The member's own text is left alone."""
    written = str(octets[:_LONGEST], "latin-1")
    standard = _STANDARD.match(written)
    if standard is not None:
        return standard.groupdict()
    written = written.replace("\0", " ")
    text = _TEXT.search(written)
    found: dict[str, str] = {}
    for match in _FIELD.finditer(written, 0, text.start() if text else len(written)):
        name = match[1][:4].lower()
        if name in _READ:
            found.setdefault(name, match[2].strip('"'))
    return found


def number(address: str, ton: int) -> str:
    """A number as the house writes it, as far as the carrier says that it is international; else as it came."""
    digits = address.removeprefix("+")
    return f"+{digits}" if (ton == _INTERNATIONAL or digits != address) and digits.isdecimal() else address


def raw(told: Deliver) -> str:
    """What came, to be kept: the text, in hex unless it is ASCII; then the parameters in hex."""
    octets = told.octets
    written = octets.decode("ascii") if octets.isascii() and b"\0" not in octets else octets.hex()
    for tag, value in told.tlvs.items():
        if tag != Tag.MESSAGE_PAYLOAD:
            written += f" {tag:04x}={value.hex()}"
    return written


def _meaning(stat: str, err: str, network: bytes, reasons: Mapping[str, Reason]) -> tuple[str, Reason | None]:
    """The code to keep, and what it means: the most telling one that the table knows."""
    if f"{stat}:{err}" in reasons:
        return f"{stat}:{err}", reasons[f"{stat}:{err}"]
    known = reasons.get(stat)
    if len(network) == 3 and network[0] == _GSM and known is not None and known.state is ReceiptState.FAILED:
        gsm = f"GSM {int.from_bytes(network[1:], 'big')}"
        if gsm in GSM_ERRORS:
            return gsm, GSM_ERRORS[gsm]
    return stat or err, known
