"""The contract between the press and a way out. `docs/adding_a_gateway.md` tells how to write one.

A gateway is handed parts: texts are encoded and cut before, save for carriers that cut themselves. It keeps nothing
that must survive it, and it knows no database. `submit` gives one outcome per part, in order, because a batch has mixed
ends.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from broadcaster.gateways.errors import Unsupported
from broadcaster.gateways.events import Event, InboundAnswer, InboundRequest, Reason, Receipt
from broadcaster.sms import GSM, Alphabet, Encoding, Split

Bill = Literal["parts", "chars_70_67"]


# not frozen, though nobody changes one: setting ten fields of a frozen one takes six times as long, for every part
@dataclass(slots=True)
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
    reference_bits: Literal[8, 16] | None = None
    """The width that the parts were cut for; None: that of the gateway."""


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
    whole_messages: bool = False
    """The carrier cuts long texts itself and tells of the whole: each message is handed over as one part."""
    looks_up: bool = False
    """The carrier can be asked what became of a part: see `Gateway.look_up`."""

    def handed_over(self, split: Split) -> tuple[str, ...]:
        """The texts of the parts that a message goes out as. What is counted, shown and billed is the split."""
        return ("".join(split.parts),) if self.whole_messages and split.parts else split.parts


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
    public_url: str = ""
    """Where carriers reach this installation, without a slash at the end; empty: nowhere."""

    def hook(self, gateway: str) -> str:
        """The address at which carriers reach this gateway; empty when there is none."""
        return f"{self.public_url}/hooks/{gateway}" if self.public_url else ""


@dataclass(frozen=True, slots=True)
class Question:
    """A part of whose end nobody has told us, as the carrier is asked about it."""

    client_reference: str
    msisdn: str = field(repr=False)
    text: str = field(repr=False)
    handed_over_at: datetime
    message_id: str | None
    """The carrier's id; None when its answer to the submit was lost."""


class Gateway(ABC):
    """A way out. It may be used by several threads at once."""

    kind: ClassVar[str]
    Config: ClassVar[type[GatewayConfig]] = GatewayConfig
    reasons: ClassVar[Mapping[str, Reason]] = MappingProxyType({})
    """The carrier's codes in plain words, for receipts and refusals alike."""
    rehearses: ClassVar[bool] = False
    """Whether nothing that it takes reaches a phone."""

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
        """Get ready. Opening twice is opening once. Raises `Misconfigured`; `LinkDown` if it holds a link.

        A link that is away is asked for again every two seconds: a carrier that wants to be tried more seldom is tried
        in the gateway's own time.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of everything. Closing twice is closing once; parts submitted afterwards are `Unreachable`."""

    @abstractmethod
    def submit(self, parts: Sequence[OutboundPart]) -> list[Outcome]:
        """Hand parts to the carrier: one outcome per part, in order. What the carrier does is never an exception.

        Raises `Misconfigured` only when it is certain that nothing at all was handed over.
        """

    def look_up(self, questions: Sequence[Question]) -> list[Receipt]:
        """Ask the carrier what became of these parts. Each receipt bears the `client_reference` of its question.

        Where the carrier's id is not known, there is a receipt for each message that may be the one: same number, same
        text, about the same time. Which of them it is, if any, is the caller's to decide. A question that the carrier
        does not answer has no receipt. Raises `LinkDown`, `Misconfigured`.
        """
        raise Unsupported("Gateway {name} cannot be asked what became of a part.", name=self.name)

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

    def learned(self) -> str:
        """What it has found out about the carrier and would have to find out anew after a restart: 200 characters.

        Empty: nothing. It is asked after each list of events, and what has changed is kept for `recall`.
        """
        return ""

    def recall(self, learned: str) -> None:
        """Take up what an earlier process had `learned`; a text that makes no sense any more is passed over."""

    def answer_id(self, receipt_id: str, learned: str) -> str:
        """The id of the answer that a receipt's id means, by a text of `learned`; as it is, where that says nothing.

        It is asked about receipts that a process took in which had not learned it yet.
        """
        return receipt_id

    def explain(self, learned: str) -> str:
        """That text as a sentence for people, a msgid of the catalogue; empty: there is nothing to say."""
        return ""


class Settled(NamedTuple):
    """What became of one part that was fed."""

    position: int
    """Of the part among those of its `feed`, from 0."""
    part: OutboundPart
    outcome: Outcome


def settled(parts: Sequence[OutboundPart], outcomes: Sequence[Outcome]) -> list[Settled]:
    """One outcome per part, each with its part."""
    return [
        Settled(position, part, outcome) for position, (part, outcome) in enumerate(zip(parts, outcomes, strict=True))
    ]


OnOutcomes = Callable[[list[Settled]], None]
BeforeWrite = Callable[[int], None]


class SessionGateway(ListeningGateway):
    """A gateway that holds a session: parts stream through its window, and answers come when they come.

    The window is the gateway's, not the caller's: it takes the next claim while earlier parts are still without an
    answer, so that no claim waits for the one before it to drain.
    """

    @abstractmethod
    def feed(
        self, parts: Sequence[OutboundPart], on_outcomes: OnOutcomes, before_write: BeforeWrite | None = None
    ) -> None:
        """Take parts in, to be written in this order; return when the last of them has found room.

        It blocks only while the window and a queue of the same length are full. `before_write(position)` is called
        before the first byte of each part is handed to the kernel, positions rising; what it raises keeps that part
        and those of its feed behind it from being written, and they are `Unreachable`.

        `on_outcomes` is called with lists as answers come, in any order. Every part is named exactly once, by
        `unbind`, `close` or a lost connection at the latest; only one told as `OutcomeUnknown` for want of an answer
        in time may be named a second time, when its answer comes late on the same connection: that one is certain.
        Both are called by the gateway's own thread, one call at a time, or by the thread that feeds while the gateway
        is closed; they must be quick, and feed nothing. What the carrier does is never an exception.
        """

    @abstractmethod
    def unbind(self, within: float = 30.0) -> None:
        """Write what was fed, wait for its answers, sign off. Parts fed afterwards are `Unreachable` until `open`.

        After `within` seconds what was not written is `Unreachable`, what has no answer `OutcomeUnknown`.
        """

    def submit(self, parts: Sequence[OutboundPart]) -> list[Outcome]:
        """Feed the parts and wait for their outcomes; answers that come later still are passed over."""
        outcomes: dict[int, Outcome] = {}
        complete = threading.Event()

        def take(settled: list[Settled]) -> None:
            for position, _, outcome in settled:
                outcomes.setdefault(position, outcome)
            if len(outcomes) == len(parts):
                complete.set()

        if parts:
            self.feed(parts, take)
            complete.wait()
        return [outcomes[position] for position in range(len(parts))]


def _takes_no_requests(name: str) -> Unsupported:
    return Unsupported(
        "Gateway {name} takes no HTTP requests: its events come another way.",
        hint="Remove its address from the carrier's configuration.",
        name=name,
    )
