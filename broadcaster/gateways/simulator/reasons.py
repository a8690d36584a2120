"""The simulated carrier's codes, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from broadcaster.gateways.events import Reason, ReceiptState

DELIVERED = "000"
NO_SUCH_USER = "001"
SWITCHED_OFF = "002"
INBOX_FULL = "003"
SUSPENDED = "004"
BLOCKED_CONTENT = "005"
EXPIRED = "006"
CARRIER_UNKNOWN = "009"
BUFFERED = "030"
BAD_NUMBER = "101"
BLACKLISTED = "102"

REASONS: Mapping[str, Reason] = MappingProxyType(
    {
        DELIVERED: Reason(ReceiptState.DELIVERED, None, "Delivered"),
        NO_SUCH_USER: Reason(ReceiptState.FAILED, True, "There is no such number", unknown_number=True),
        SWITCHED_OFF: Reason(ReceiptState.FAILED, False, "The phone is switched off or out of reach"),
        INBOX_FULL: Reason(ReceiptState.FAILED, False, "The phone's inbox is full"),
        SUSPENDED: Reason(ReceiptState.FAILED, False, "The number is suspended"),
        BLOCKED_CONTENT: Reason(ReceiptState.REJECTED, True, "The carrier blocked the text"),
        EXPIRED: Reason(ReceiptState.EXPIRED, False, "The carrier gave up: the phone stayed out of reach too long"),
        CARRIER_UNKNOWN: Reason(ReceiptState.CARRIER_UNKNOWN, None, "The carrier does not know what became of it"),
        BUFFERED: Reason(ReceiptState.IN_NETWORK, None, "Waiting in the carrier's network"),
        BAD_NUMBER: Reason(ReceiptState.REJECTED, True, "The carrier does not accept this number"),
        BLACKLISTED: Reason(ReceiptState.REJECTED, True, "The number is on the carrier's list of refusals"),
    }
)

#: what becomes of the parts that fail, each as often as it stands here
FAILURES = (
    NO_SUCH_USER,
    NO_SUCH_USER,
    NO_SUCH_USER,
    SWITCHED_OFF,
    SWITCHED_OFF,
    INBOX_FULL,
    SUSPENDED,
    BLOCKED_CONTENT,
    EXPIRED,
    CARRIER_UNKNOWN,
)
