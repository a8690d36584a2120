"""What gateways tell us: receipts for parts we submitted, and messages from members.

Numbers and texts are kept out of `repr`, so that an event in a log line or a traceback gives nobody away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal


class ReceiptState(StrEnum):
    """What a receipt says about a part, in the words of the field."""

    IN_NETWORK = "in_network"
    """On its way; not final."""
    DELIVERED = "delivered"
    """The handset has it."""
    FAILED = "failed"
    """It did not arrive: no such user, switched off, inbox full."""
    EXPIRED = "expired"
    """The carrier gave up when the part's validity ended; nothing else is called so."""
    REJECTED = "rejected"
    """Refused for its content or its sender."""
    CARRIER_UNKNOWN = "carrier_unknown"
    """The carrier itself does not know, or its code is not in our table."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What one code of a carrier means: a line of the table that stands next to each gateway's parser."""

    state: ReceiptState
    permanent: bool | None
    """Is another try pointless? None: the code does not tell."""
    words: str
    """In plain English, a msgid of the catalogue."""
    unknown_number: bool = False
    """Nobody has this number. Said again and again, it suspends the number until a person has verified it."""
    opted_out: bool = False
    """Whoever has this number wants nothing, says the carrier. The registry is told."""


# not frozen, though nobody changes one: as `contract.OutboundPart`
@dataclass(slots=True)
class Receipt:
    """A delivery receipt. It may come before the submit answer, twice, out of order, or for an id nobody knows."""

    gateway: str
    message_id: str
    state: ReceiptState
    code: str
    """The carrier's own code, as it came."""
    permanent: bool | None = None
    msisdn: str | None = field(default=None, repr=False)
    client_reference: str | None = None
    """Our id of the part, where the carrier echoes one."""
    done_at: datetime | None = None
    """When the carrier says that it happened; the same each time it repeats the receipt."""
    raw: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message from a member (MO). Carriers repeat it until it is acknowledged."""

    gateway: str
    message_id: str
    msisdn: str = field(repr=False)
    destination: str
    """The number or short code it was sent to."""
    text: str = field(repr=False)
    received_at: datetime | None = None
    raw: str = field(default="", repr=False)
    taken_as: Literal["", "opt_out", "come_back"] = ""
    """What the carrier itself has made of it, and answered: the registry is told, and we answer nothing more."""
    repeats_within: float = 0
    """Seconds in which the same id is the carrier's repeat, where `message_id` is `made_id`; 0: whenever it comes."""


@dataclass(frozen=True, slots=True)
class InboundPart:
    """A part of a member's long message, as it came. Parts are joined above the gateways: each may come to another
    process, so none of them can wait for the others in its memory.
    """

    gateway: str
    msisdn: str = field(repr=False)
    destination: str
    reference: int
    bits: int
    """The width of the reference: the same number in another width is another message."""
    total: int
    number: int
    """1 for the first part of `total`."""
    octets: bytes = field(repr=False)
    """The text without its header."""
    charset: str
    """Of `sms.decode`. Neighbours in one charset are read together: some handsets cut characters in half."""
    patience: float = 60.0
    """Seconds to wait for the other parts."""
    repeats_within: float = 60.0
    """As in `InboundMessage`, from when it is whole."""


Event = Receipt | InboundMessage | InboundPart


def made_id(msisdn: str, destination: str, octets: bytes) -> str:
    """An id for a message whose carrier gives none: the same for the same octets from the same number."""
    made = hashlib.blake2b(digest_size=8)
    for piece in (msisdn.encode(), destination.encode(), octets):
        made.update(len(piece).to_bytes(4, "big") + piece)
    return made.hexdigest()


@dataclass(frozen=True, slots=True)
class InboundRequest:
    """An HTTP request to our hook, free of any web framework. Header names are lower case."""

    method: str
    url: str
    """The configured public URL with path and query as received, which signatures cover; without one, these alone."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class InboundAnswer:
    """What the carrier wants to hear once its request has been stored."""

    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    body: bytes = b""
