"""The contract between the press and a way out. `docs/adding_a_gateway.md` tells how to write one.

A gateway is handed parts, never messages: texts are encoded and cut before. It keeps nothing that must survive it, and
it knows no database. `submit` gives one outcome per part, in order, because a batch has mixed ends.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from broadcaster.gateways.errors import Unsupported
from broadcaster.gateways.events import Event, InboundAnswer, InboundRequest, Reason
from broadcaster.sms import GSM, Alphabet, Encoding

Bill = Literal["parts", "chars_70_67"]


@dataclass(frozen=True, slots=True)
class OutboundPart:
    """One SMS piece on its way out. Number and text stay out of `repr`."""

    part_id: int
    msisdn: str = field(repr=False)
    sender: str
    text: str = field(repr=False)
    encoding: Encoding
    number: int
    """1 for the first part of `total`."""
    total: int
    reference: int
    """Joins the parts of one message on the handset; counted per sender and number, never drawn at random."""
    client_reference: str
    """Our id of the part, for carriers that echo one."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier took the part and gave it this id."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier said no. Permanent: this part has failed for good."""

    code: str
    reason: str
    permanent: bool = True


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too fast: the same part again, by the same gateway, after this many seconds. The connector slows as a whole."""

    retry_after: float


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Nothing was handed over, for certain: the part may be queued again or go by another gateway."""

    reason: str


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """It was handed over and no answer came: it may have gone. Never submitted again by itself."""

    reason: str


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The carrier keeps a list of those who want nothing, and this number is on it. The registry is told."""

    code: str
    reason: str


Outcome = Accepted | Refused | Throttled | Unreachable | OutcomeUnknown | OptedOut


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this gateway can do as it is configured. Checks and counts of parts are made against it."""

    alphabet: Alphabet = GSM
    reference_bits: Literal[8, 16] = 8
    echoes_reference: bool = False
    """Receipts carry our `client_reference`."""
    window: int = 1
    """Parts that may be without an answer at once; at most so many are in doubt after a crash."""
    receipts: bool = True
    inbound: bool = False
    bill: Bill = "parts"
    max_parts: int = 10
    forbidden: str = ""
    """Characters that the carrier refuses in a text."""
    idempotent: bool = False
    """A part may be submitted again under the same `client_reference`, and goes out once all the same."""


class GatewayConfig(BaseModel):
    """The keys that every `[gateways.NAME]` has; each kind adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: str
    sender: str = ""
    """The source address or short code."""
    price: Annotated[Decimal, Field(ge=0, le=1_000)] = Decimal(0)
    """Of one part, in `currency`."""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "CNY"
    bill: Bill = "parts"
    parts_per_second: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    """0: no limit of our own. Shared by the binds."""
    window: Annotated[int, Field(ge=1, le=1_000)] = 50
    binds: Annotated[int, Field(ge=1, le=100)] = 1
    receipt_timeout: Annotated[float, Field(gt=0, le=30 * 24 * 3600)] = 72 * 3600
    """Seconds after which a part without a receipt counts as `no_receipt`."""


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """What a gateway may know of the house it stands in."""

    data_dir: Path
    time_zone: ZoneInfo
    """For carriers' times that come without a zone."""


class Gateway(ABC):
    """A way out. It may be used by several threads at once."""

    kind: ClassVar[str]
    Config: ClassVar[type[GatewayConfig]] = GatewayConfig
    reasons: ClassVar[Mapping[str, Reason]] = MappingProxyType({})
    """The carrier's codes in plain words, for receipts and refusals alike."""

    def __init__(self, name: str, config: GatewayConfig, context: GatewayContext) -> None:
        self.name = name
        self.config = config
        self.context = context

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What this gateway can do as it is configured."""

    @abstractmethod
    def open(self) -> None:
        """Get ready. Opening twice is opening once. Raises `Misconfigured`; `LinkDown` if it holds a link."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything. Closing twice is closing once; parts submitted afterwards are `Unreachable`."""

    @abstractmethod
    def submit(self, parts: Sequence[OutboundPart]) -> list[Outcome]:
        """Hand parts to the carrier: one outcome per part, in order. What the carrier does is never an exception."""

    def verify(self, request: InboundRequest) -> None:
        """Raise `ForgedRequest` unless the request proves that the carrier sent it."""
        raise _takes_no_requests(self.name)

    def parse(self, request: InboundRequest) -> list[Event]:
        """The receipts and messages in a verified request."""
        raise _takes_no_requests(self.name)

    def answer(self, events: Sequence[Event]) -> InboundAnswer:
        """What the carrier wants to hear once these events are stored."""
        raise _takes_no_requests(self.name)


class ListeningGateway(Gateway):
    """A gateway whose events come over a connection that it holds, not to a hook."""

    @abstractmethod
    def listen(self, on_events: Callable[[list[Event]], None], stop: threading.Event) -> None:
        """Hand events over as they come, until `stop` is set.

        A list is acknowledged after `on_events` has returned and never before. What `on_events` raises ends the
        listening and comes out of here; the list stays unacknowledged, and the carrier repeats it to the next
        listener. Raises `LinkDown` when the connection is lost.
        """


def _takes_no_requests(name: str) -> Unsupported:
    return Unsupported(
        "Gateway {name} takes no HTTP requests: its events come another way.",
        hint="Remove its address from the carrier's configuration.",
        name=name,
    )
