"""What the codes of SMPP 3.4 mean: `command_status`, the states of receipts, the errors of GSM networks."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from broadcaster.gateways.events import Reason, ReceiptState

_REJECTED = ReceiptState.REJECTED
_FAILED = ReceiptState.FAILED
_IN_NETWORK = ReceiptState.IN_NETWORK


class Kind(StrEnum):
    """What a status asks of the sender."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"
    """Too fast: the connector slows down, the part comes again."""
    QUEUE_FULL = "queue_full"
    """The carrier's queue is full: the same, and it may take longer."""
    TEMPORARY = "temporary"
    """Trouble over there: refused, but another try may succeed."""
    PERMANENT = "permanent"
    """Refused for good."""
    OPTED_OUT = "opted_out"
    """On the carrier's list of those who want nothing. No code of the standard; carriers' own, by the settings."""
    LINK = "link"
    """About the bind and not about a part: wrong password, bound twice, not bound for this."""


class Status(NamedTuple):
    """One `command_status`."""

    name: str
    kind: Kind
    reason: Reason


_TAKEN = Reason(_IN_NETWORK, None, "The carrier has taken it")
_TOO_LONG = Reason(_REJECTED, True, "The carrier finds the text too long")
_FIELD = Reason(_REJECTED, True, "The carrier does not accept a field of the request: its gateway's settings are wrong")
_UNREADABLE = Reason(_REJECTED, True, "The carrier cannot read the request")
_SENDER = Reason(_REJECTED, True, "The carrier does not accept the sender")
_NUMBER = Reason(_REJECTED, True, "The carrier does not accept this number")
_NO_MESSAGE = Reason(_REJECTED, True, "The carrier does not know this message, or can do nothing with it any more")
_FULL = Reason(_REJECTED, False, "The carrier's queue is full")
_TOO_FAST = Reason(_REJECTED, False, "Too fast for the carrier")
_TROUBLE = Reason(_REJECTED, False, "The carrier has trouble of its own")
_REFUSED = Reason(_REJECTED, True, "The carrier refused it without a reason")
_NOT_BOUND = Reason(_REJECTED, False, "The carrier does not let this connection do that")
_BOUND = Reason(_REJECTED, False, "This account is signed on already, or as often as it may")
_SIGN_ON = Reason(_REJECTED, True, "The carrier does not let this account sign on")
_PASSWORD = Reason(_REJECTED, True, "The password is wrong")
_ACCOUNT = Reason(_REJECTED, True, "The carrier does not know this account")

STATUSES: Mapping[int, Status] = MappingProxyType(
    {
        0x00: Status("ESME_ROK", Kind.ACCEPTED, _TAKEN),
        0x01: Status("ESME_RINVMSGLEN", Kind.PERMANENT, _TOO_LONG),
        0x02: Status("ESME_RINVCMDLEN", Kind.PERMANENT, _UNREADABLE),
        0x03: Status("ESME_RINVCMDID", Kind.PERMANENT, _UNREADABLE),
        0x04: Status("ESME_RINVBNDSTS", Kind.LINK, _NOT_BOUND),
        0x05: Status("ESME_RALYBND", Kind.LINK, _BOUND),
        0x06: Status("ESME_RINVPRTFLG", Kind.PERMANENT, _FIELD),
        0x07: Status("ESME_RINVREGDLVFLG", Kind.PERMANENT, _FIELD),
        0x08: Status("ESME_RSYSERR", Kind.TEMPORARY, _TROUBLE),
        0x0A: Status("ESME_RINVSRCADR", Kind.PERMANENT, _SENDER),
        0x0B: Status("ESME_RINVDSTADR", Kind.PERMANENT, _NUMBER),
        0x0C: Status("ESME_RINVMSGID", Kind.PERMANENT, _NO_MESSAGE),
        0x0D: Status("ESME_RBINDFAIL", Kind.LINK, _SIGN_ON),
        0x0E: Status("ESME_RINVPASWD", Kind.LINK, _PASSWORD),
        0x0F: Status("ESME_RINVSYSID", Kind.LINK, _ACCOUNT),
        0x11: Status("ESME_RCANCELFAIL", Kind.PERMANENT, _NO_MESSAGE),
        0x13: Status("ESME_RREPLACEFAIL", Kind.PERMANENT, _NO_MESSAGE),
        0x14: Status("ESME_RMSGQFUL", Kind.QUEUE_FULL, _FULL),
        0x15: Status("ESME_RINVSERTYP", Kind.PERMANENT, _FIELD),
        0x33: Status("ESME_RINVNUMDESTS", Kind.PERMANENT, _FIELD),
        0x34: Status("ESME_RINVDLNAME", Kind.PERMANENT, _FIELD),
        0x40: Status("ESME_RINVDESTFLAG", Kind.PERMANENT, _FIELD),
        0x42: Status("ESME_RINVSUBREP", Kind.PERMANENT, _FIELD),
        0x43: Status("ESME_RINVESMCLASS", Kind.PERMANENT, _FIELD),
        0x44: Status("ESME_RCNTSUBDL", Kind.PERMANENT, _FIELD),
        0x45: Status("ESME_RSUBMITFAIL", Kind.PERMANENT, _REFUSED),
        0x48: Status("ESME_RINVSRCTON", Kind.PERMANENT, _SENDER),
        0x49: Status("ESME_RINVSRCNPI", Kind.PERMANENT, _SENDER),
        0x50: Status("ESME_RINVDSTTON", Kind.PERMANENT, _FIELD),
        0x51: Status("ESME_RINVDSTNPI", Kind.PERMANENT, _FIELD),
        0x53: Status("ESME_RINVSYSTYP", Kind.LINK, _SIGN_ON),
        0x54: Status("ESME_RINVREPFLAG", Kind.PERMANENT, _FIELD),
        0x55: Status("ESME_RINVNUMMSGS", Kind.PERMANENT, _FIELD),
        0x58: Status("ESME_RTHROTTLED", Kind.THROTTLED, _TOO_FAST),
        0x61: Status("ESME_RINVSCHED", Kind.PERMANENT, _FIELD),
        0x62: Status("ESME_RINVEXPIRY", Kind.PERMANENT, _FIELD),
        0x63: Status("ESME_RINVDFTMSGID", Kind.PERMANENT, _FIELD),
        0x64: Status("ESME_RX_T_APPN", Kind.TEMPORARY, _TROUBLE),
        0x65: Status("ESME_RX_P_APPN", Kind.PERMANENT, _REFUSED),
        0x66: Status("ESME_RX_R_APPN", Kind.PERMANENT, _REFUSED),
        0x67: Status("ESME_RQUERYFAIL", Kind.PERMANENT, _NO_MESSAGE),
        0xC0: Status("ESME_RINVOPTPARSTREAM", Kind.PERMANENT, _UNREADABLE),
        0xC1: Status("ESME_ROPTPARNOTALLWD", Kind.PERMANENT, _FIELD),
        0xC2: Status("ESME_RINVPARLEN", Kind.PERMANENT, _FIELD),
        0xC3: Status("ESME_RMISSINGOPTPARAM", Kind.PERMANENT, _FIELD),
        0xC4: Status("ESME_RINVOPTPARAMVAL", Kind.PERMANENT, _FIELD),
        0xFE: Status("ESME_RDELIVERYFAILURE", Kind.PERMANENT, _REFUSED),
        0xFF: Status("ESME_RUNKNOWNERR", Kind.PERMANENT, _REFUSED),
    }
)
_OWN = Reason(_REJECTED, True, "The carrier refused it with a code of its own: ask the carrier what it means")

_DELIVERED = Reason(ReceiptState.DELIVERED, None, "Delivered")
_EXPIRED = Reason(ReceiptState.EXPIRED, False, "The carrier gave up: the phone stayed out of reach too long")
_DELETED = Reason(_FAILED, None, "The carrier deleted it")
_UNDELIVERABLE = Reason(_FAILED, None, "The carrier could not deliver it")
_ON_ITS_WAY = Reason(_IN_NETWORK, None, "Waiting in the carrier's network")
_NOBODY_KNOWS = Reason(ReceiptState.CARRIER_UNKNOWN, None, "The carrier does not know what became of it")
_BLOCKED = Reason(_REJECTED, True, "The carrier rejected the message")

#: `stat` of a receipt, in the standard's seven characters and in longer spellings that are met
STATS: Mapping[str, Reason] = MappingProxyType(
    {
        "DELIVRD": _DELIVERED,
        "DELIVERED": _DELIVERED,
        "EXPIRED": _EXPIRED,
        "DELETED": _DELETED,
        "UNDELIV": _UNDELIVERABLE,
        "UNDELIVERABLE": _UNDELIVERABLE,
        "UNDELIVERED": _UNDELIVERABLE,
        "FAILED": _UNDELIVERABLE,
        "SKIPPED": _UNDELIVERABLE,
        # of the standard it is an end, of the carriers it is "taken over": a later DELIVRD must not be lost
        "ACCEPTD": _ON_ITS_WAY,
        "ACCEPTED": _ON_ITS_WAY,
        "ENROUTE": _ON_ITS_WAY,
        "BUFFERD": _ON_ITS_WAY,
        "BUFFERED": _ON_ITS_WAY,
        "SCHEDULED": _ON_ITS_WAY,
        "UNKNOWN": _NOBODY_KNOWS,
        "REJECTD": _BLOCKED,
        "REJECTED": _BLOCKED,
    }
)

#: the optional parameter `message_state`, 0 and 9 as of SMPP 5
MESSAGE_STATES: tuple[str, ...] = (
    "SCHEDULED",
    "ENROUTE",
    "DELIVRD",
    "EXPIRED",
    "DELETED",
    "UNDELIV",
    "ACCEPTD",
    "UNKNOWN",
    "REJECTD",
    "SKIPPED",
)

#: `network_error_code` of a GSM network (3GPP 29.002), where a failure says no more than UNDELIV
GSM_ERRORS: Mapping[str, Reason] = MappingProxyType(
    {
        "GSM 1": Reason(_FAILED, True, "There is no such number", unknown_number=True),
        "GSM 5": Reason(_FAILED, False, "The phone is switched off or out of reach"),
        "GSM 6": Reason(_FAILED, False, "The phone is switched off or out of reach"),
        "GSM 9": Reason(_FAILED, False, "The number is suspended"),
        "GSM 11": Reason(_FAILED, True, "This number cannot receive messages"),
        "GSM 13": Reason(_FAILED, False, "The number is suspended"),
        "GSM 21": Reason(_FAILED, True, "This number cannot receive messages"),
        "GSM 27": Reason(_FAILED, False, "The phone is switched off or out of reach"),
        "GSM 31": Reason(_FAILED, False, "The phone could not take it"),
        "GSM 32": Reason(_FAILED, False, "The phone could not take it"),
    }
)


def status_code(status: int) -> str:
    """A `command_status` as it is written down and shown: 0x00000058."""
    return f"0x{status:08X}"


def status(number: int) -> Status:
    """What a `command_status` means; one of a carrier's own is a refusal for good."""
    return STATUSES.get(number) or Status(status_code(number), Kind.PERMANENT, _OWN)


REASONS: Mapping[str, Reason] = MappingProxyType(
    {**{status_code(number): known.reason for number, known in STATUSES.items()}, **STATS, **GSM_ERRORS}
)
"""`Gateway.reasons` of this kind: refusals by `status_code`, receipts by `stat`, failures in GSM networks."""
