"""The gateway to a carrier that speaks SMPP: one bind, or two that share the work."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from broadcaster.gateways.contract import (
    BeforeWrite,
    Capabilities,
    GatewayContext,
    OnOutcomes,
    OutboundPart,
    Question,
    SessionGateway,
    Unreachable,
    settled,
)
from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.events import Event, Receipt, ReceiptState
from broadcaster.gateways.smpp.bind import Bind, sign_off
from broadcaster.gateways.smpp.bound import Terms
from broadcaster.gateways.smpp.codec import SubmitEncoder
from broadcaster.gateways.smpp.config import ALPHABETS, SmppConfig
from broadcaster.gateways.smpp.exchange import Delivery, Exchange
from broadcaster.gateways.smpp.ids import WORDS, form_of, turned
from broadcaster.gateways.smpp.inbound import Inbound
from broadcaster.gateways.smpp.reasons import MESSAGE_STATES, REASONS
from broadcaster.gateways.smpp.tables import Value
from broadcaster.gateways.smpp.times import moment
from broadcaster.gateways.smpp.words import Command

_EVENTS_AT_ONCE = 500
_LOOK_AROUND = 0.2
_MODES = {
    "transceiver": (Command.BIND_TRANSCEIVER,),
    "two_links": (Command.BIND_TRANSMITTER, Command.BIND_RECEIVER),
    "transmitter": (Command.BIND_TRANSMITTER,),
}


class SmppGateway(SessionGateway):
    """Opened, it holds its connections until it is closed, and makes lost ones again by itself."""

    kind = "smpp"
    Config = SmppConfig
    reasons = REASONS

    def __init__(self, name: str, config: SmppConfig, context: GatewayContext) -> None:
        super().__init__(name, config, context)
        self._config = config
        self._guard = threading.Lock()
        self._listening = threading.Lock()
        self._binds: list[Bind] = []
        self._owner = os.getpid()
        #: what no listener has kept yet: the events, and what is to be acknowledged for each once it is kept
        self._unkept: list[Event] = []
        self._deliveries: list[Delivery] = []
        self._inbound = Inbound(name, config, context.time_zone, self.reasons)
        self._encoder = SubmitEncoder(
            service_type=config.service_type,
            destination_ton=config.destination_ton,
            destination_npi=config.destination_npi,
            protocol_id=config.protocol_id,
            priority=config.priority,
            validity_period=config.validity_period,
            registered_delivery=config.registered_delivery,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What the settings say."""
        config = self._config
        return Capabilities(
            alphabet=ALPHABETS[config.alphabet],
            reference_bits=config.reference_bits,
            window=config.window,
            receipts=bool(config.registered_delivery) and config.mode != "transmitter",
            inbound=config.mode != "transmitter",
            looks_up=config.query_sm,
            bill=config.bill,
            max_parts=config.max_parts,
            forbidden=config.forbidden,
        )

    def open(self) -> None:
        """Sign on. Raises `Misconfigured` or `LinkDown` with what keeps us out; it is tried again all the same."""
        for bind in self._started():
            bind.wait_until_bound()

    def close(self) -> None:
        """Sign off at once; what has no answer yet is in doubt."""
        self.unbind(0.0)

    def unbind(self, within: float = 30.0) -> None:
        """Write what was fed, wait for the answers, sign off."""
        with self._guard:
            binds, self._binds = self._binds, []
            mine = self._owner == os.getpid()
        if mine:
            sign_off(binds, within)

    def feed(
        self, parts: Sequence[OutboundPart], on_outcomes: OnOutcomes, before_write: BeforeWrite | None = None
    ) -> None:
        """See `SessionGateway.feed`."""
        binds = self._running()
        if binds:
            binds[0].feed(parts, on_outcomes, before_write)
        elif parts:
            closed = Unreachable("the gateway is closed")
            on_outcomes(settled(parts, [closed] * len(parts)))

    def listen(self, on_events: Callable[[list[Event]], None], stop: threading.Event) -> None:
        """Receipts and messages as they come; see `ListeningGateway.listen`."""
        binds = self._running()
        if not binds:
            raise LinkDown("Gateway {name} is closed.", name=self.name)
        if self._config.mode == "transmitter":
            stop.wait()
            return
        exchange = binds[-1].exchange
        binds[-1].wait_until_bound()
        connection = exchange.connection
        with self._listening:
            while not stop.is_set():
                deliveries = exchange.take_deliveries(_EVENTS_AT_ONCE, _LOOK_AROUND)
                self._unkept += self._inbound.hear(told for _, told in deliveries)
                self._deliveries += deliveries
                if self._unkept:
                    self._hand_over(exchange, on_events)
                if exchange.connection != connection or not exchange.is_up:
                    raise exchange.trouble or self._lost()

    def learned(self) -> str:
        """The form of ids in receipts."""
        return self._inbound.kept()

    def recall(self, learned: str) -> None:
        """Receipts for parts that an earlier process handed over are known at once."""
        self._inbound.recall(learned)

    def answer_id(self, receipt_id: str, learned: str) -> str:
        """Turned by the form of ids."""
        return turned(receipt_id, learned)

    def explain(self, learned: str) -> str:
        """The form in a sentence."""
        form = form_of(learned)
        return WORDS[form] if form is not None else ""

    def look_up(self, questions: Sequence[Question]) -> list[Receipt]:
        """By the carrier's id; what is in doubt has none to ask by. See `Gateway.look_up`."""
        told = []
        for question in questions:
            receipt = self.query_sm(question.message_id) if question.message_id is not None else None
            if receipt is not None:
                told.append(replace(receipt, msisdn=question.msisdn, client_reference=question.client_reference))
        return told

    def query_sm(self, message_id: str) -> Receipt | None:
        """Ask the carrier what became of a message; None when it does not know it. Raises `LinkDown`.

        The id is that of `Accepted`. It serves parts without a receipt; one without an answer has no id to ask by.
        """
        source, ton, npi = self._config.source(self._config.sender)
        fields: dict[str, Value] = {
            "message_id": message_id,
            "source_addr_ton": ton,
            "source_addr_npi": npi,
            "source_addr": source,
        }
        answer = self._asking().ask(Command.QUERY_SM, fields)
        if answer.status:
            return None
        number = int(answer.fields.get("message_state", 7))
        stat = MESSAGE_STATES[number] if number < len(MESSAGE_STATES) else "UNKNOWN"
        return Receipt(
            gateway=self.name,
            message_id=message_id,
            state=self.reasons[stat].state if stat in self.reasons else ReceiptState.CARRIER_UNKNOWN,
            code=stat,
            permanent=self.reasons[stat].permanent if stat in self.reasons else None,
            done_at=moment(str(answer.fields.get("final_date", "")), self.context.time_zone),
            raw=f"query_sm: {answer.fields}",
        )

    def cancel_sm(self, message_id: str, msisdn: str) -> bool:
        """Take a message back that is still with the carrier; False when it is too late. Raises `LinkDown`."""
        source, ton, npi = self._config.source(self._config.sender)
        fields: dict[str, Value] = {
            "service_type": self._config.service_type,
            "message_id": message_id,
            "source_addr_ton": ton,
            "source_addr_npi": npi,
            "source_addr": source,
            "dest_addr_ton": self._config.destination_ton,
            "dest_addr_npi": self._config.destination_npi,
            "destination_addr": self._config.destination(msisdn),
        }
        return self._asking().ask(Command.CANCEL_SM, fields).status == 0

    def _hand_over(self, exchange: Exchange, on_events: Callable[[list[Event]], None]) -> None:
        # what this raises leaves them for the next listener
        on_events(self._unkept)
        kept, self._deliveries, self._unkept = self._deliveries, [], []
        if not exchange.acknowledge(kept):
            raise exchange.trouble or self._lost()

    def _started(self) -> list[Bind]:
        with self._guard:
            if self._owner != os.getpid():
                # a forked child must not talk into its parent's connections
                self._binds, self._owner = [], os.getpid()
            if not self._binds:
                binds = [Bind(self._terms(command), command) for command in _MODES[self._config.mode]]
                for bind in binds:
                    bind.exchange.heard_on = binds[-1].exchange
                    bind.start()
                self._binds = binds
            return list(self._binds)

    def _running(self) -> list[Bind]:
        with self._guard:
            return list(self._binds) if self._owner == os.getpid() else []

    def _asking(self) -> Bind:
        binds = self._running()
        if not binds:
            raise LinkDown("Gateway {name} is closed.", name=self.name)
        return binds[0]

    def _terms(self, command: Command) -> Terms:
        return Terms(
            self.name, self._config, self._encoder, self._inbound.accepted, command != Command.BIND_TRANSMITTER
        )

    def _lost(self) -> LinkDown:
        return LinkDown("Gateway {name}: the connection was lost.", name=self.name)
