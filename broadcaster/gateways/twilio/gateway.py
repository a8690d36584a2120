"""The gateway to Twilio: one request per message, as many at once as the window holds."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from twilio.base import values

from broadcaster import logs
from broadcaster.gateways.contract import (
    Capabilities,
    Gateway,
    GatewayContext,
    OutboundPart,
    Outcome,
    OutcomeUnknown,
    Question,
    Unreachable,
)
from broadcaster.gateways.errors import LinkDown, Misconfigured
from broadcaster.gateways.events import Event, InboundAnswer, InboundRequest, Receipt
from broadcaster.gateways.twilio import callbacks, lookup
from broadcaster.gateways.twilio.codes import REASONS
from broadcaster.gateways.twilio.config import TwilioConfig
from broadcaster.gateways.twilio.line import Line
from broadcaster.gateways.twilio.outcomes import Barred, accepted, outcome
from broadcaster.gateways.twilio.transport import NotAnswered, NotSent, SaidNo

log = logs.get(__name__)

#: what one question brought: receipts, or why there is none
_Answer = list[Receipt] | Barred | str


class TwilioGateway(Gateway):
    """Twilio cuts long texts itself and tells of the whole, so each message is one part here, under one id."""

    kind = "twilio"
    Config = TwilioConfig
    reasons = REASONS

    def __init__(self, name: str, config: TwilioConfig, context: GatewayContext) -> None:
        super().__init__(name, config, context)
        self._config = config
        self._hook = context.hook(name)
        self._lock = threading.Lock()
        self._line: Line | None = None
        self._barred = False

    @property
    def capabilities(self) -> Capabilities:
        """Receipts carry our reference, and members can write, where Twilio can reach us."""
        return Capabilities(
            echoes_reference=bool(self._hook),
            window=self._config.window,
            inbound=bool(self._hook),
            bill=self._config.bill,
            whole_messages=True,
            looks_up=True,
        )

    def open(self) -> None:
        """Get ready; nothing is asked of Twilio yet."""
        with self._lock:
            if self._line is None:
                self._line = Line(self._config)

    def close(self) -> None:
        """Wait for the answers to what is out, and hang up."""
        with self._lock:
            line, self._line = self._line, None
        if line is not None and line.is_ours:
            line.close()

    def submit(self, parts: Sequence[OutboundPart]) -> list[Outcome]:
        """Hand messages over, side by side. Raises `Misconfigured` when Twilio would take none, and took none."""
        line = self._opened()
        if line is None or not parts:
            return [Unreachable("the gateway is closed") for _ in parts]
        # whoever was turned away last time does not knock with all of them at once
        told = self._hand_over(line, parts[:1]) if self._barred else []
        if not any(isinstance(each, Barred) for each in told):
            told += self._hand_over(line, parts[len(told) :])
        barred = next((each for each in told if isinstance(each, Barred)), None)
        self._barred = barred is not None
        if barred is not None and all(isinstance(each, Barred) for each in told):
            raise self._misconfigured(barred)
        outcomes = [Unreachable("the account was turned away") if isinstance(each, Barred) else each for each in told]
        return [*outcomes, *[Unreachable("the account was turned away")] * (len(parts) - len(told))]

    def look_up(self, questions: Sequence[Question]) -> list[Receipt]:
        """Ask Twilio for each message by its id, else for those to that number at about that time."""
        line = self._opened()
        if line is None:
            raise self._link_down("the gateway is closed")

        def ask(question: Question) -> _Answer:
            try:
                return lookup.ask(line.client, self.name, question)
            except SaidNo as error:
                said = outcome(error.answer.status_code, error.answer.text, error.answer.headers)
                # a message that was deleted there is no sign of a wrong account
                is_gone = error.answer.status_code == 404 and question.message_id is not None
                return said if isinstance(said, Barred) and not is_gone else []
            except (NotSent, NotAnswered) as error:
                return str(error)
            # whatever the client makes of bytes that are no answer
            except Exception as error:
                log.warning("an answer that makes no sense", gateway=self.name, reason=type(error).__name__)
                return []

        late: _Answer = "no answer in time"
        answers = line.side_by_side(ask, questions, not_begun=late, not_ended=late)
        for answer in answers:
            if isinstance(answer, Barred):
                raise self._misconfigured(answer)
        lost = [answer for answer in answers if isinstance(answer, str)]
        if lost and len(lost) == len(answers):
            raise self._link_down(lost[0])
        return [receipt for answer in answers if isinstance(answer, list) for receipt in answer]

    def verify(self, request: InboundRequest) -> None:
        """Raise `ForgedRequest` unless Twilio has signed the request for this account and this address."""
        callbacks.verify(self.name, request, self._config, reachable=bool(self._hook))

    def parse(self, request: InboundRequest) -> list[Event]:
        """The receipt or the message in a verified request."""
        return callbacks.parse(self.name, request, self.context.time_zone)

    def answer(self, events: Sequence[Event]) -> InboundAnswer:
        """TwiML that does nothing: any other text would be sent to the member."""
        return InboundAnswer(content_type="text/xml; charset=utf-8", body=b"<Response/>")

    def _opened(self) -> Line | None:
        with self._lock:
            if self._line is not None and not self._line.is_ours:
                self._line = Line(self._config)
            return self._line

    def _hand_over(self, line: Line, parts: Sequence[OutboundPart]) -> list[Outcome | Barred]:
        turned_away: list[Barred] = []

        def create(part: OutboundPart) -> Outcome | Barred:
            if turned_away:
                return turned_away[0]
            told = self._create(line, part)
            if isinstance(told, Barred):
                turned_away.append(told)
            return told

        return line.side_by_side(
            create,
            parts,
            not_begun=Unreachable("it was not begun in time"),
            not_ended=OutcomeUnknown("no answer in time"),
        )

    def _create(self, line: Line, part: OutboundPart) -> Outcome | Barred:
        config = self._config
        try:
            message = line.client.messages.create(
                to=part.msisdn,
                body=part.text,
                from_=part.sender or values.unset,
                messaging_service_sid=config.messaging_service or values.unset,
                status_callback=f"{self._hook}?part={part.client_reference}" if self._hook else values.unset,
                validity_period=config.validity_period or values.unset,
                # a service may be set to write texts anew; ours have been read by an editor
                smart_encoded=False,
            )
        except NotSent as error:
            return Unreachable(str(error))
        except NotAnswered as error:
            return OutcomeUnknown(str(error))
        except SaidNo as error:
            return outcome(error.answer.status_code, error.answer.text, error.answer.headers)
        # whatever the client makes of bytes that are no answer
        except Exception as error:
            log.warning("an answer that makes no sense", gateway=self.name, reason=type(error).__name__)
            return OutcomeUnknown("an answer that makes no sense")
        return accepted(message.sid)

    def _misconfigured(self, barred: Barred) -> Misconfigured:
        return Misconfigured(
            "Twilio turns gateway {name} away, with code {code}; nothing was handed over.",
            hint="Compare account_sid, auth_token, sender and messaging_service with Twilio's console; "
            "docs/twilio.md tells what each code means.",
            name=self.name,
            code=barred.code,
        )

    def _link_down(self, why: str) -> LinkDown:
        return LinkDown(
            "Twilio cannot be reached by gateway {name}: {detail}.",
            hint="Look whether this host may open connections to api.twilio.com; it is tried again by itself.",
            name=self.name,
            detail=why,
        )
