"""The gateway to the simulated carrier: a client over a socket, as for any other carrier."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

from pydantic import ConfigDict, Field

from broadcaster import logs
from broadcaster.gateways.contract import (
    Capabilities,
    GatewayConfig,
    GatewayContext,
    ListeningGateway,
    OutboundPart,
    Outcome,
    OutcomeUnknown,
    Unreachable,
)
from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.events import Event
from broadcaster.gateways.simulator.fates import Behaviour
from broadcaster.gateways.simulator.host import Host, address
from broadcaster.gateways.simulator.reasons import REASONS
from broadcaster.gateways.simulator.server import HOST
from broadcaster.gateways.simulator.translation import event, outcome, submit_request
from broadcaster.gateways.simulator.wire import Link, Nonsense, Wire
from subscribers.clock import monotonic

#: while one process takes the carrier over from another, there is none for a moment
_TAKE_OVER_WITHIN = 2.0
_LOOK_AROUND = 0.2

log = logs.get(__name__)


class SimulatorConfig(GatewayConfig, Behaviour):
    """The keys of `[gateways.NAME]` with `kind = "simulator"`. The behaviour is that of the process that hosts it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    file: Annotated[str, Field(description="the carrier's own file, in the data directory; default NAME.carrier")] = ""
    port: Annotated[int, Field(ge=0, le=65535, description="where a carrier in a process of its own listens")] = 0
    answer_timeout: Annotated[float, Field(gt=0, description="seconds to wait for the answer to a part")] = 10.0


class SimulatorGateway(ListeningGateway):
    """Without `port`, the first process that opens it runs the carrier, and another one takes over when it dies."""

    kind = "simulator"
    Config = SimulatorConfig
    reasons = REASONS
    rehearses = True

    def __init__(self, name: str, config: SimulatorConfig, context: GatewayContext) -> None:
        super().__init__(name, config, context)
        self._config = config
        self._lock = threading.Lock()
        self._unused: list[Link] = []
        self._host: Host | None = None
        self._opened = False
        self._owner = os.getpid()
        self.file = context.data_dir / (config.file or f"{name}.carrier")

    @property
    def capabilities(self) -> Capabilities:
        """A carrier that can do everything."""
        config = self._config
        return Capabilities(echoes_reference=True, window=config.window, inbound=True, bill=config.bill)

    def open(self) -> None:
        """Run the carrier here, unless it runs already. Raises `Misconfigured` when its file cannot be used."""
        self._opened = True
        with contextlib.suppress(LinkDown):
            self._give_back(self._connect())

    def close(self) -> None:
        """Hang up, and stop the carrier if it runs here."""
        with self._lock:
            self._opened = False
            host, self._host = self._host, None
            unused, self._unused = self._unused, []
        for link in unused:
            link.close()
        if host:
            host.close()

    def submit(self, parts: Sequence[OutboundPart]) -> list[Outcome]:
        """Hand parts over. Those without an answer are unknown once the request has left."""
        if not parts:
            return []
        try:
            link = self._take_link()
        except LinkDown as error:
            return [Unreachable(str(error))] * len(parts)
        try:
            link.send([submit_request(list(parts))], self._config.answer_timeout)
        except OSError:
            # the carrier reads whole lines only, and the end of this one has not left
            link.close()
            return [Unreachable("the connection was lost before the parts were handed over")] * len(parts)
        outcomes: list[Outcome] = []
        try:
            for _ in parts:
                outcomes.append(outcome(self._answer(link)))  # noqa: PERF401 - those read before a loss count
        except (OSError, Nonsense) as error:
            link.close()
            log.warning("submits without an answer", gateway=self.name, unknown=len(parts) - len(outcomes))
            doubt = OutcomeUnknown(f"no answer from the carrier: {error}")
            return outcomes + [doubt] * (len(parts) - len(outcomes))
        self._give_back(link)
        return outcomes

    def listen(self, on_events: Callable[[list[Event]], None], stop: threading.Event) -> None:
        """Receipts and messages as they fall due; see `ListeningGateway.listen`."""
        link = self._connect()
        try:
            with self._lost():
                link.send([{"do": "listen"}], self._config.answer_timeout)
            while not stop.is_set():
                with self._lost():
                    told = link.read(_LOOK_AROUND)
                    events = [event(self.name, each) for each in told["events"]] if told else []
                if events:
                    on_events(events)
                    with self._lost():
                        link.send([{"do": "acknowledge"}], self._config.answer_timeout)
        finally:
            link.close()

    def say(self, msisdn: str, text: str, destination: str, after: float = 0.0) -> str:
        """A member's phone sends a message in `after` seconds. Returns its id. Raises `LinkDown`."""
        said = self._ask({"do": "say", "msisdn": msisdn, "text": text, "destination": destination, "after": after})
        return str(said["said"])

    def stats(self) -> dict[str, int]:
        """What the carrier has counted: accepted, refused, throttled, said, untold. Raises `LinkDown`."""
        return {key: int(value) for key, value in self._ask({"do": "stats"}).items()}

    def _ask(self, request: Wire) -> Wire:
        link = self._take_link()
        try:
            with self._lost():
                link.send([request], self._config.answer_timeout)
                answer = self._answer(link)
        except LinkDown:
            link.close()
            raise
        self._give_back(link)
        return answer

    def _answer(self, link: Link) -> Wire:
        answer = link.read(self._config.answer_timeout)
        if answer is None:
            raise TimeoutError("none in time")
        if "error" in answer:
            raise Nonsense("it did not understand")
        return answer

    def _take_link(self) -> Link:
        """A connection that nobody uses. Raises `LinkDown`."""
        with self._lock:
            if self._owner != os.getpid():
                # a forked child must not talk into its parent's connections
                for link in self._unused:
                    link.close()
                self._unused, self._host, self._owner = [], None, os.getpid()
            while self._unused:
                link = self._unused.pop()
                if link.idle():
                    return link
                link.close()
        return self._connect()

    def _give_back(self, link: Link) -> None:
        with self._lock:
            if self._opened:
                self._unused.append(link)
                return
        link.close()

    def _connect(self) -> Link:
        deadline = monotonic() + _TAKE_OVER_WITHIN
        while True:
            if not self._opened:
                raise self._link_down("the gateway is closed")
            try:
                return self._greeted()
            except (OSError, Nonsense) as error:
                if self._config.port or monotonic() >= deadline:
                    raise self._link_down(error) from error
            with self._lock:
                if self._host is None and self._opened:
                    self._host = Host.take(self.file, self._config)
            time.sleep(0.01)

    def _greeted(self) -> Link:
        """A connection to the carrier, and not to a stranger who has been given its old port."""
        port, identity = (self._config.port, None) if self._config.port else address(self.file) or (0, None)
        link = Link.connect(HOST, port, self._config.answer_timeout)
        try:
            carrier = self._answer(link)["carrier"]
        except (OSError, Nonsense, KeyError):
            link.close()
            raise Nonsense("no greeting") from None
        if identity not in (None, carrier):
            link.close()
            raise Nonsense("another carrier")
        return link

    @contextlib.contextmanager
    def _lost(self) -> Iterator[None]:
        """Whatever breaks on the connection is one thing to the caller: it is down."""
        try:
            yield
        except (OSError, Nonsense, KeyError) as error:
            raise self._link_down(error) from error

    def _link_down(self, why: object) -> LinkDown:
        return LinkDown(
            "The simulated carrier of gateway {name} does not answer: {detail}.",
            hint="Start it, or leave out `port` to have it run by whoever needs it first.",
            name=self.name,
            detail=str(why),
        )
