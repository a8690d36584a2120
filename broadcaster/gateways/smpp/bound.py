"""The conversation on a connection that is bound: parts out, answers in, and whether anybody is there at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from broadcaster.gateways.contract import Accepted, Outcome, OutcomeUnknown, Refused, Throttled, Unreachable
from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.smpp import codec, tables
from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.gateways.smpp.exchange import Exchange, Question, Standing
from broadcaster.gateways.smpp.framing import Framer
from broadcaster.gateways.smpp.link import Link, Lost
from broadcaster.gateways.smpp.octets import Malformed, header
from broadcaster.gateways.smpp.outcomes import no
from broadcaster.gateways.smpp.pace import Pace
from broadcaster.gateways.smpp.reasons import Kind, status, status_code
from broadcaster.gateways.smpp.texts import body
from broadcaster.gateways.smpp.window import Feed, Flight, Window
from broadcaster.gateways.smpp.words import RESPONSE, Command
from broadcaster.language import Phrase, msgid
from broadcaster.logs import get
from subscribers.clock import monotonic

LAST_SEQUENCE = 0x7FFFFFFF
#: seconds for the answer to our unbind, and for the answers to parts that are out when the carrier unbinds
_FAREWELL, _GRACE = 1.0, 5.0
_TEMPORARY, _PERMANENT, _UNKNOWN_COMMAND, _WRONG_BIND = 0x64, 0x65, 0x03, 0x04
_IDLE = 3600.0
#: seconds after which a listener that is behind is looked at again
_BEHIND = 0.05
_CUT_OFF = msgid("the connection was lost before the answer came")
_NOT_GONE = msgid("the connection was lost before the parts were handed over")

log = get(__name__)


class Ended(Exception):
    """Both sides have said goodbye."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What stays the same from one connection to the next."""

    name: str
    config: SmppConfig
    encoder: codec.SubmitEncoder
    on_ids: Callable[[list[tuple[str, str]]], None]
    """Told the ids that the carrier gave and whose number they are for, before anybody else is."""
    listens: bool
    first_sequence: int = 1


class Bound:
    """One connection, from the answer to the bind to its end. Used by the thread that owns it."""

    def __init__(self, terms: Terms, link: Link, framer: Framer, exchange: Exchange, pace: Pace) -> None:
        self._terms = terms
        self._config = terms.config
        self._layout = terms.config.layout
        self._link = link
        self._framer = framer
        self._exchange = exchange
        self._pace = pace
        self._window = Window(terms.config.window)
        self._sequence = terms.first_sequence
        self._heard_at = monotonic()
        self._asked_at: float | None = None
        self._feeds: list[Feed] = []
        self._ids: list[tuple[str, str]] = []
        self._arrived: list[codec.Deliver] = []
        self._questions: dict[int, Question] = {}
        self._unbind_at: float | None = None
        self._their_unbind: tuple[int, float] | None = None

    def run(self, first: list[bytes]) -> None:
        """Talk until it ends. Raises `Lost`, `NotSmpp`, or `Ended`; what is out then is for `settle_all`."""
        self._hear(first, monotonic())
        while True:
            now = monotonic()
            self._run_errands(now)
            wait = self._fill(now)
            self._say_goodbye(now)
            self._link.flush()
            self._tell()
            self._link.wait(min(wait, self._until_next_look(monotonic())))
            if data := self._link.read():
                self._hear(self._framer.feed(data), monotonic())
                if self._framer.garbage is not None:
                    # it came behind whole PDUs
                    raise self._framer.garbage
            self._look(monotonic())

    def settle_all(self) -> int:
        """The connection is gone. Returns how many parts are in doubt."""
        doubtful = 0
        for flight in self._window.empty():
            in_doubt = flight.end <= self._link.taken
            doubtful += in_doubt
            outcome: Outcome = OutcomeUnknown(_CUT_OFF) if in_doubt else Unreachable(_NOT_GONE)
            self._feeds.append(flight.settle(outcome))
        for question in self._questions.values():
            question.answer.set_exception(_no_answer(self._terms.name, _CUT_OFF))
        self._tell()
        return doubtful

    def _fill(self, now: float) -> float:
        """Write what the window and the pace allow. Returns the seconds until more may be allowed."""
        if self._their_unbind or self._unbind_at is not None:
            return _IDLE
        if self._exchange.is_behind:
            # each part brings a receipt, and a carrier repeats one that it cannot get rid of only so often
            return _BEHIND
        while (room := self._window.room) > 0 and self._exchange.waiting:
            wait = self._pace.delay(now)
            if wait > 0:
                return wait
            for flight in self._exchange.next_flights(room if self._pace.rate is None else 1):
                self._write(flight, now)
        return _IDLE

    def _write(self, flight: Flight, now: float) -> None:
        feed, part = flight.feed, flight.part
        if feed.spoilt:
            self._feeds.append(flight.settle(Unreachable("its sender could not take note of a part before it")))
            return
        if self._sequence > LAST_SEQUENCE:
            # a number used twice would let a late answer settle a stranger
            self._feeds.append(flight.settle(Unreachable("the connection is made anew")))
            self._leave(now)
            return
        source, ton, npi = self._config.source(part.sender)
        try:
            destination = self._config.destination(part.msisdn)
            octets = self._terms.encoder.encode(self._sequence, source, destination, body(part, self._layout), ton, npi)
        except ValueError:
            # the error may quote the text
            self._feeds.append(flight.settle(Refused("-", "SMPP cannot carry this part")))
            return
        if feed.before_write is not None:
            try:
                feed.before_write(flight.position)
            except Exception as error:
                log.error(
                    "a part could not be noted before it was written", gateway=self._terms.name, reason=repr(error)
                )
                feed.spoilt = True
                self._feeds.append(flight.settle(Unreachable("its sender could not take note of it")))
                return
        self._link.write(octets)
        flight.end = self._link.given
        flight.deadline = now + self._config.answer_timeout
        self._window.add(self._sequence, flight)
        self._sequence += 1
        self._pace.wrote(now)

    def _hear(self, pdus: list[bytes], now: float) -> None:
        if pdus:
            self._heard_at, self._asked_at = now, None
        try:
            for pdu in pdus:
                _, command, number, sequence = header.unpack_from(pdu)
                if command == Command.SUBMIT_SM_RESP:
                    self._answered(pdu, sequence, now)
                else:
                    self._hear_other(pdu, command, number, sequence, now)
        finally:
            if self._ids:
                ids, self._ids = self._ids, []
                # a receipt may have come in the same breath: it shall find its part
                self._terms.on_ids(ids)
            if self._arrived:
                self._refuse(self._exchange.arrived(self._arrived))
                self._arrived = []

    def _hear_other(self, pdu: bytes, command: int, number: int, sequence: int, now: float) -> None:
        match command:
            case Command.DELIVER_SM | Command.DATA_SM:
                self._deliver(pdu, command, sequence)
            case Command.ENQUIRE_LINK:
                self._link.write(codec.bare(Command.ENQUIRE_LINK_RESP, sequence))
            case Command.UNBIND:
                self._their_unbind = (sequence, now + min(_GRACE, self._config.answer_timeout))
            case Command.UNBIND_RESP:
                raise Ended
            case Command.GENERIC_NACK:
                self._not_understood(number, sequence, now)
            case Command.QUERY_SM_RESP | Command.CANCEL_SM_RESP:
                if (question := self._questions.pop(sequence, None)) is not None:
                    self._reply(question, pdu)
            case _ if not command & RESPONSE and command != Command.ALERT_NOTIFICATION:
                self._link.write(codec.bare(Command.GENERIC_NACK, sequence, _UNKNOWN_COMMAND))

    def _answered(self, pdu: bytes, sequence: int, now: float) -> None:
        try:
            answer = codec.submit_answer(pdu)
        except Malformed:
            answer = codec.SubmitAnswer(sequence, 0, "", {})
        flight, late = self._window.answered(sequence)
        if flight is None:
            log.warning("an answer that nobody waits for", gateway=self._terms.name, sequence=sequence)
        elif answer.status == 0 and answer.message_id:
            self._pace.accepted(self._written_at(flight), now)
            self._ids.append((answer.message_id, flight.part.msisdn))
            self._feeds.append(flight.settle(Accepted(answer.message_id)))
            if late:
                log.info("a late answer", gateway=self._terms.name, part=flight.part.part_id)
        else:
            self._refused(flight, answer.status, now)

    def _refused(self, flight: Flight, number: int, now: float) -> None:
        outcome = no(number, self._config)
        if outcome is None:
            throttled = Throttled(self._pace.complained(self._written_at(flight), now))
            behind = self._exchange.held_back(flight.part.msisdn)
            self._feeds += [each.settle(throttled) for each in (flight, *behind)]
        elif number and status(number).kind is Kind.LINK:
            # it is the connection that the carrier does not accept, not the part
            self._feeds.append(flight.settle(Unreachable(status(number).reason.words)))
            self._leave(now)
        else:
            self._feeds.append(flight.settle(outcome))

    def _written_at(self, flight: Flight) -> float:
        return flight.deadline - self._config.answer_timeout

    def _deliver(self, pdu: bytes, command: int, sequence: int) -> None:
        if not self._terms.listens:
            self._link.write(codec.bare(command | RESPONSE, sequence, _WRONG_BIND))
            return
        try:
            self._arrived.append(codec.deliver(pdu))
        except Malformed as error:
            # it would come again and again, and keep back what follows
            log.warning("a message that cannot be read", gateway=self._terms.name, reason=str(error))
            self._link.write(codec.bare(command | RESPONSE, sequence, _PERMANENT))

    def _refuse(self, deliveries: list[codec.Deliver]) -> None:
        for told in deliveries:
            self._link.write(codec.deliver_answer(told, _TEMPORARY))

    def _not_understood(self, number: int, sequence: int, now: float) -> None:
        if (question := self._questions.pop(sequence, None)) is not None:
            question.answer.set_exception(_no_answer(self._terms.name, status(number).reason.words))
            return
        flight, _ = self._window.answered(sequence)
        log.warning("the carrier did not understand", gateway=self._terms.name, code=status_code(number))
        if flight is not None:
            self._refused(flight, number or _UNKNOWN_COMMAND, now)
        elif number in (0x01, 0x02):
            raise Lost(
                "Gateway {name}: the carrier could not tell where our requests begin and end.",
                hint="The connection is made anew; if it happens again and again, report it.",
                name=self._terms.name,
            )

    def _reply(self, question: Question, pdu: bytes) -> None:
        try:
            question.answer.set_result(tables.decode(pdu))
        except Malformed as error:
            question.answer.set_exception(_no_answer(self._terms.name, str(error)))

    def _run_errands(self, now: float) -> None:
        acknowledged, questions = self._exchange.errands()
        for told in acknowledged:
            self._link.write(codec.deliver_answer(told))
        for question in questions:
            try:
                octets = tables.encode(question.command, self._sequence, question.fields)
            except ValueError as error:
                question.answer.set_exception(_no_answer(self._terms.name, str(error)))
                continue
            self._questions[self._sequence] = question
            self._sequence += 1
            self._link.write(octets)

    def _leave(self, now: float) -> None:
        """Nothing more is written; what is out may still be answered, then the connection is made anew."""
        if self._their_unbind is None and self._unbind_at is None:
            self._their_unbind = (0, now + min(_GRACE, self._config.answer_timeout))

    def _say_goodbye(self, now: float) -> None:
        if self._their_unbind is not None:
            sequence, until = self._their_unbind
            if not len(self._window) or now >= until:
                if sequence:
                    self._link.write(codec.bare(Command.UNBIND_RESP, sequence))
                    with contextlib.suppress(Lost):
                        self._link.flush()
                raise Ended
        elif self._unbind_at is not None:
            if now >= self._unbind_at + _FAREWELL:
                raise Ended
        elif self._exchange.standing is Standing.LEAVING:
            done = not len(self._window) and not self._exchange.waiting
            if done or now >= self._exchange.leave_by:
                self._unbind_at = now
                self._link.write(codec.bare(Command.UNBIND, self._sequence))
                self._sequence += 1

    def _look(self, now: float) -> None:
        """Is anybody there, and has anything waited too long?"""
        if self._asked_at is None:
            if now - self._heard_at >= self._config.enquire_link_interval:
                self._link.write(codec.bare(Command.ENQUIRE_LINK, self._sequence))
                self._sequence += 1
                self._asked_at = now
        elif now - self._asked_at >= self._config.patience:
            # counted from the question: if it was this process that slept, there may be nothing to hear yet
            raise Lost("Gateway {name}: the carrier is silent: it answers no enquire_link.", name=self._terms.name)
        deadline = self._window.next_deadline()
        if deadline is not None and deadline <= now:
            if self._link.unwritten:
                raise Lost("Gateway {name}: the carrier takes in nothing more.", name=self._terms.name)
            overdue = self._window.overdue(now)
            log.warning("no answers in time", gateway=self._terms.name, parts=len(overdue))
            self._feeds += [each.settle(OutcomeUnknown("no answer from the carrier in time")) for each in overdue]
        for sequence in [key for key, question in self._questions.items() if question.deadline <= now]:
            question = self._questions.pop(sequence)
            question.answer.set_exception(_no_answer(self._terms.name, msgid("no answer in time")))

    def _until_next_look(self, now: float) -> float:
        """Seconds."""
        config = self._config
        asked = self._asked_at
        times = [self._heard_at + config.enquire_link_interval if asked is None else asked + config.patience]
        if (deadline := self._window.next_deadline()) is not None:
            times.append(deadline)
        if self._questions:
            times.append(min(question.deadline for question in self._questions.values()))
        if self._their_unbind is not None:
            times.append(self._their_unbind[1])
        if self._unbind_at is not None:
            times.append(self._unbind_at + _FAREWELL)
        elif self._exchange.standing is Standing.LEAVING:
            times.append(self._exchange.leave_by)
        return max(0.0, min(times) - now)

    def _tell(self) -> None:
        if self._feeds:
            feeds, self._feeds = self._feeds, []
            self._exchange.tell(dict.fromkeys(feeds))


def _no_answer(name: str, reason: str) -> LinkDown:
    return LinkDown("Gateway {name}: the carrier did not answer: {reason}.", name=name, reason=Phrase(reason))
