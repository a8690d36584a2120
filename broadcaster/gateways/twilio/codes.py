"""Twilio's words and codes, and what they mean to us: https://www.twilio.com/docs/api/errors, as of 2026."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from broadcaster.gateways.events import Reason, ReceiptState

_S = ReceiptState

#: Twilio's status of a message -> what a receipt says
STATES: Mapping[str, ReceiptState] = MappingProxyType(
    {
        "accepted": _S.IN_NETWORK,
        "scheduled": _S.IN_NETWORK,
        "queued": _S.IN_NETWORK,
        "sending": _S.IN_NETWORK,
        "sent": _S.IN_NETWORK,
        "delivered": _S.DELIVERED,
        "partially_delivered": _S.DELIVERED,
        "read": _S.DELIVERED,
        "undelivered": _S.FAILED,
        "failed": _S.FAILED,
        "canceled": _S.FAILED,
    }
)

OPTED_OUT = "21610"
#: too fast, or the queue of the sender is full: the same again, later
THROTTLED = frozenset({"20429", "21611", "14107"})
#: it is not this message that is wrong, but the account, the credentials or the sender: no message would be taken
CONFIGURATION = frozenset(
    {
        "20003",  # authenticate
        "20005",  # account not active
        "20006",  # access denied
        "20403",  # forbidden
        "20404",  # no such account at this address
        "21212",  # from: no number
        "21603",  # from: missing
        "21606",  # from: not one of the account's numbers that can send
        "21609",  # status callback: no address that Twilio could call
        "21659",  # from: no number of Twilio's
        "21660",  # from: another account's
        "21701",  # messaging service: there is none
        "21703",  # messaging service: without senders
        "21705",  # messaging service: no sid
        "30002",  # account suspended
    }
)

_NOBODY = Reason(_S.FAILED, True, "There is no such number", unknown_number=True)
_NOT_A_NUMBER = Reason(_S.REJECTED, True, "The carrier does not accept this number")
_OUT_OF_REACH = Reason(_S.FAILED, False, "The phone is switched off or out of reach")
_LANDLINE = Reason(_S.REJECTED, True, "The number is a landline, or its operator takes no messages")
_BLOCKED = Reason(_S.REJECTED, True, "The carrier blocked the text")
_TOO_LONG = Reason(_S.REJECTED, True, "The text is too long for the carrier, or empty")
_NO_WAY = Reason(_S.REJECTED, True, "The sender cannot reach this number")
_NOT_ALLOWED = Reason(_S.REJECTED, True, "The account may not send to this country; Twilio's console opens it")
_UNREGISTERED = Reason(_S.REJECTED, True, "The sender is not registered where the number is; register it with Twilio")
_CROWDED = Reason(_S.FAILED, False, "The carrier had too much to do")
_LIMIT = Reason(_S.REJECTED, False, "A limit of the sender for this day or this network is used up")
_LATE = Reason(_S.EXPIRED, False, "The carrier gave up: the message waited longer than it may")
_DEAR = Reason(_S.REJECTED, True, "It would have cost more than the account allows for one message")
_SUSPENDED = Reason(_S.REJECTED, False, "The account at the carrier is suspended or has no money left")
_UNSURE = Reason(_S.CARRIER_UNKNOWN, None, "The carrier does not know what became of it")
_ON_ITS_WAY = Reason(_S.IN_NETWORK, None, "Waiting in the carrier's network")

#: words for a code that is not in the table
UNKNOWN_CODE = Reason(_S.REJECTED, True, "The carrier refused it, with a code that is not in our table")

REASONS: Mapping[str, Reason] = MappingProxyType(
    {
        **{status: _ON_ITS_WAY for status, state in STATES.items() if state is _S.IN_NETWORK},
        "delivered": Reason(_S.DELIVERED, None, "Delivered"),
        "partially_delivered": Reason(_S.DELIVERED, None, "Delivered"),
        "read": Reason(_S.DELIVERED, None, "Delivered"),
        "undelivered": Reason(_S.FAILED, None, "It did not arrive, and the carrier does not say why"),
        "failed": Reason(_S.FAILED, None, "It did not arrive, and the carrier does not say why"),
        "canceled": Reason(_S.FAILED, None, "It was cancelled at the carrier before it left"),
        "21211": _NOT_A_NUMBER,
        "21214": _NO_WAY,
        "21217": _NOT_A_NUMBER,
        "21408": _NOT_ALLOWED,
        "21602": _TOO_LONG,
        "21604": _NOT_A_NUMBER,
        "21605": _TOO_LONG,
        OPTED_OUT: Reason(_S.REJECTED, True, "The number is on the carrier's list of refusals", opted_out=True),
        "21611": _CROWDED,
        "21612": _NO_WAY,
        "21614": _LANDLINE,
        "21617": _TOO_LONG,
        "21619": _TOO_LONG,
        "21635": _LANDLINE,
        "30001": _CROWDED,
        "30002": _SUSPENDED,
        "30003": _OUT_OF_REACH,
        "30004": Reason(_S.REJECTED, True, "The number's operator or owner blocks these messages"),
        "30005": _NOBODY,
        "30006": _LANDLINE,
        "30007": _BLOCKED,
        "30008": _UNSURE,
        "30010": _DEAR,
        "30017": _CROWDED,
        "30018": _UNREGISTERED,
        "30022": _LIMIT,
        "30023": _LIMIT,
        "30024": _UNREGISTERED,
        "30032": _UNREGISTERED,
        "30034": _UNREGISTERED,
        "30036": _LATE,
        "30410": _UNSURE,
        "30450": _BLOCKED,
        "30453": _BLOCKED,
    }
)
