"""Delivery receipts: optional parameters first, else the text that the standard suggests and every carrier varies.

    id:0123456789 sub:001 dlvrd:001 submit date:2611220203 done date:2611220204 stat:DELIVRD err:000 text:...

Nothing here raises: what cannot be read is a receipt with what there is, kept as an orphan that people can look at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import tzinfo

from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from broadcaster.gateways.smpp.codec import Deliver
from broadcaster.gateways.smpp.reasons import GSM_ERRORS, MESSAGE_STATES, REASONS
from broadcaster.gateways.smpp.times import moment
from broadcaster.gateways.smpp.words import INTERMEDIATE, MESSAGE_TYPE, RECEIPT, UDHI, Tag

_INTERNATIONAL = 1
_GSM = 3
#: a receipt is shorter; what lies behind is the member's text
_LONGEST = 1000

_ID, _STATE = int(Tag.RECEIPTED_MESSAGE_ID), int(Tag.MESSAGE_STATE)
_NETWORK, _PAYLOAD = int(Tag.NETWORK_ERROR_CODE), int(Tag.MESSAGE_PAYLOAD)

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
    octets, tlvs = told.octets, told.tlvs
    # there are thousands of these in a second: text and fields in one go, and no names of arguments
    written = _text(octets)
    standard = _STANDARD.match(written, 0, _LONGEST)
    message_id, done, stat, err = standard.groups() if standard is not None else _told(fields(octets))
    network = b""
    if tlvs:
        # a parameter counts more than the same thing in the text
        message_id = str(tlvs.get(_ID, b"").partition(b"\0")[0], "latin-1").strip() or message_id
        state = tlvs.get(_STATE, b"")[-1:]
        if state and state[0] < len(MESSAGE_STATES):
            stat = MESSAGE_STATES[state[0]]
        network = tlvs.get(_NETWORK, b"")
        written += parameters(tlvs)
    code, means, permanent = _means(told.esm_class, stat, err, network, reasons)
    msisdn = number(told.source, told.source_ton)
    return Receipt(gateway, message_id, means, code, permanent, msisdn, None, moment(done, zone), written)


def _told(found: Mapping[str, str]) -> tuple[str, str, str, str]:
    return found.get("id", ""), found.get("done", ""), found.get("stat", "").upper(), found.get("err", "")


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
    return _text(told.octets) + parameters(told.tlvs)


def _text(octets: bytes) -> str:
    return octets.decode("ascii") if octets.isascii() and b"\0" not in octets else octets.hex()


def parameters(tlvs: Mapping[int, bytes]) -> str:
    """All but the text, as `raw` has them."""
    return "".join(f" {tag:04x}={value.hex()}" for tag, value in tlvs.items() if tag != _PAYLOAD)


def _means(
    esm_class: int, stat: str, err: str, network: bytes, reasons: Mapping[str, Reason]
) -> tuple[str, ReceiptState, bool | None]:
    """The code to keep, what it says of the part, and whether that is for good."""
    code, reason = _meaning(stat, err, network, reasons)
    if reason is not None:
        return code, reason.state, reason.permanent
    if esm_class & MESSAGE_TYPE == INTERMEDIATE:
        return code, ReceiptState.IN_NETWORK, None
    return code, ReceiptState.CARRIER_UNKNOWN, None


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
