"""One bind: a thread that makes the connection, owns it for its life, and makes it again when it is lost."""

from __future__ import annotations

import contextlib
import random
import ssl
import threading
from collections.abc import Sequence
from concurrent.futures import TimeoutError as OutOfTime

from broadcaster.gateways.contract import BeforeWrite, OnOutcomes, OutboundPart
from broadcaster.gateways.errors import GatewayError, LinkDown, Misconfigured, in_log
from broadcaster.gateways.smpp import codec, road, tables
from broadcaster.gateways.smpp.bound import Bound, Ended, Terms
from broadcaster.gateways.smpp.config import VERSIONS
from broadcaster.gateways.smpp.exchange import Exchange, Question, Standing
from broadcaster.gateways.smpp.framing import Framer, NotSmpp
from broadcaster.gateways.smpp.link import Link, Lost
from broadcaster.gateways.smpp.octets import head
from broadcaster.gateways.smpp.pace import Pace
from broadcaster.gateways.smpp.tables import Pdu, Value
from broadcaster.gateways.smpp.window import Feed
from broadcaster.gateways.smpp.words import RESPONSE, Command
from broadcaster.logs import get
from subscribers.clock import monotonic

#: seconds before a lost connection is made again: the first time, and at most
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 4.0
#: a connection that stood for so many seconds was a good one
_GOOD = 5.0
_JOIN = 3.0

log = get(__name__)


class TurnedAway(Exception):
    """The carrier does not let us sign on: it is not to be tried again soon."""

    def __init__(self, error: GatewayError) -> None:
        self.error = error


class Bind:
    """Safe for threads, save that it is started and ended by one."""

    def __init__(self, terms: Terms, command: Command) -> None:
        self._terms = terms
        self._command = command
        self._context: ssl.SSLContext | None = None
        self._pace = Pace()
        self.exchange = Exchange(terms.config.window)
        self._thread = threading.Thread(target=self._live, name=f"smpp-{terms.name}", daemon=True)

    def start(self) -> None:
        """Sign on, from now on and again and again. Raises `Misconfigured` when `tls_ca` cannot be read."""
        try:
            self._context = road.trust(self._terms.name, self._terms.config)
        except Misconfigured:
            self.exchange.close()
            raise
        self._thread.start()

    def wait_until_bound(self) -> None:
        """Raises what keeps the carrier from letting us in."""
        # connecting, TLS and the bind may each take that long
        self.exchange.wait_until_tried(3 * self._terms.config.connect_timeout)

    def feed(self, parts: Sequence[OutboundPart], on_outcomes: OnOutcomes, before_write: BeforeWrite | None) -> None:
        """See `SessionGateway.feed`."""
        self.exchange.feed(Feed(on_outcomes, before_write), parts)

    def ask(self, command: Command, fields: dict[str, Value]) -> Pdu:
        """One request and its answer, beside the stream. Raises `LinkDown`."""
        timeout = self._terms.config.answer_timeout
        question = Question(command, fields, monotonic() + timeout)
        self.exchange.ask(question)
        try:
            return question.answer.result(timeout + _JOIN)
        except OutOfTime:
            raise LinkDown("Gateway {name}: the carrier did not answer.", name=self._terms.name) from None

    def end(self, within: float) -> None:
        """Finish what was fed within so many seconds, and sign off."""
        self.exchange.leave(within)
        self._thread.join(within + _JOIN)

    def _live(self) -> None:
        exchange = self.exchange
        pause = FIRST_PAUSE
        try:
            while exchange.stands(Standing.TRYING):
                wait = 0.0
                try:
                    link, framer, rest = self._sign_on()
                except TurnedAway as refusal:
                    error, wait = refusal.error, self._terms.config.refused_bind_pause
                except GatewayError as trouble:
                    error = trouble
                else:
                    began = monotonic()
                    error = self._talk(link, framer, rest)
                    if monotonic() - began >= _GOOD:
                        pause = FIRST_PAUSE
                wait = wait or pause * random.uniform(0.5, 1.0)  # noqa: S311
                pause = min(LONGEST_PAUSE, 2 * pause)
                if exchange.stands(Standing.DOWN, error, wait):
                    log.warning("not bound", gateway=self._terms.name, **in_log(error), next_try_in=round(wait, 1))
                    self._clear(error)
                    exchange.rest(wait)
        finally:
            exchange.end()
            self._clear(LinkDown("The gateway is closed."))
            exchange.close()

    def _clear(self, error: GatewayError) -> None:
        """Give back what was taken in and did not begin to leave."""
        self.exchange.give_back(self.exchange.next_flights(self.exchange.waiting))
        self.exchange.forget_errands(error)

    def _talk(self, link: Link, framer: Framer, rest: list[bytes]) -> GatewayError:
        """Until the connection ends. Returns what there is to say about it."""
        name = self._terms.name
        bound = Bound(self._terms, link, framer, self.exchange, self._pace)
        error: GatewayError
        try:
            self.exchange.stands(Standing.UP)
            log.info("bound", gateway=name, as_=self._command.name.lower())
            bound.run(rest)
        except Ended:
            error = LinkDown("Gateway {name}: the connection was ended in good order.", name=name)
        except (Lost, NotSmpp) as trouble:
            error = trouble
        except Exception as mistake:
            # the thread must live on, or the gateway would hang
            log.exception("a bind broke", gateway=name)
            error = LinkDown(
                "Gateway {name}: the connection ended by a mistake of this program ({reason}).",
                hint="The log has the particulars; please report them.",
                name=name,
                reason=type(mistake).__name__,
            )
        # before anything is settled: what the kernel has not taken shall never leave
        link.close()
        doubtful = bound.settle_all()
        if doubtful:
            log.warning("parts in doubt", gateway=name, parts=doubtful)
        return error

    def _sign_on(self) -> tuple[Link, Framer, list[bytes]]:
        """Connect and sign on. Raises `TurnedAway`, or the trouble with the road."""
        config = self._terms.config
        try:
            link = Link(self._terms.name, road.connect(self._terms.name, config, self._context), self.exchange.waker)
        except Misconfigured as error:
            raise TurnedAway(error) from error
        framer = Framer()
        try:
            link.write(
                tables.encode(
                    self._command,
                    1,
                    {
                        "system_id": config.system_id,
                        "password": config.password,
                        "system_type": config.system_type,
                        "interface_version": VERSIONS[config.interface_version],
                    },
                )
            )
            rest = self._wait_for_answer(link, framer)
        except Lost:
            link.close()
            raise road.hung_up(self._terms.name, config) from None
        except BaseException:
            link.close()
            raise
        return link, framer, rest

    def _wait_for_answer(self, link: Link, framer: Framer) -> list[bytes]:
        name, config = self._terms.name, self._terms.config
        deadline = monotonic() + config.connect_timeout
        link.flush()
        while (left := deadline - monotonic()) > 0:
            if self.exchange.standing is Standing.LEAVING:
                raise LinkDown("The gateway is closed.")
            link.wait(left)
            link.flush()
            data = link.read()
            pdus = framer.feed(data) if data else []
            for number, pdu in enumerate(pdus):
                command, status, sequence = head(pdu)
                if command == self._command | RESPONSE or command == Command.GENERIC_NACK:
                    if status or command == Command.GENERIC_NACK:
                        raise TurnedAway(road.refused(name, config, status or 0x03))
                    return pdus[number + 1 :]
                if command == Command.ENQUIRE_LINK:
                    link.write(codec.bare(Command.ENQUIRE_LINK_RESP, sequence))
        raise road.silent(name, config)


def sign_off(binds: Sequence[Bind], within: float) -> None:
    """End several at once, so that each has all the time."""
    deadline = monotonic() + within
    for bind in binds:
        bind.exchange.leave(within)
    for bind in binds:
        with contextlib.suppress(RuntimeError):
            bind.end(max(0.0, deadline - monotonic()))
