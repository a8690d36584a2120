"""What came in on a bind, as events: receipts under the id of the answer, members' messages and parts of them."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo

from broadcaster.gateways.events import Event, InboundMessage, InboundPart, Reason, Receipt, made_id
from broadcaster.gateways.smpp import receipts
from broadcaster.gateways.smpp.codec import Deliver
from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.gateways.smpp.ids import WORDS, Form, Ids
from broadcaster.gateways.smpp.texts import incoming
from broadcaster.logs import get
from broadcaster.sms import decode

#: the same text from the same number within so many seconds is the carrier's repeat
REPEAT = 60.0

log = get(__name__)


class Inbound:
    """Used by one listening thread; `accepted` by the one that owns the connection."""

    def __init__(self, name: str, config: SmppConfig, zone: tzinfo, reasons: Mapping[str, Reason]) -> None:
        self._name = name
        self._config = config
        self._zone = zone
        self._reasons = reasons
        self._lock = threading.Lock()
        self._ids = Ids(None if config.receipt_ids == "auto" else Form(config.receipt_ids))
        self._form: Form | None = None

    def accepted(self, pairs: Sequence[tuple[str, str]]) -> None:
        """The carrier gave these ids to parts for these numbers."""
        with self._lock:
            for message_id, msisdn in pairs:
                self._ids.accepted(message_id, msisdn)

    def kept(self) -> str:
        """What was learned of the ids of receipts."""
        with self._lock:
            return self._ids.kept()

    def recall(self, kept: str) -> None:
        """Go on from that."""
        with self._lock:
            self._ids.recall(kept)
            self._form = self._ids.learned.form

    def hear(self, told: Iterable[Deliver]) -> list[Event]:
        """The events in these, one each."""
        by_text = self._config.receipt_by_text
        heard = [
            receipts.receipt(each, self._name, self._zone, self._reasons)
            if receipts.is_receipt(each, by_text)
            else self._message(each)
            for each in told
        ]
        with self._lock:
            heard = [self._under_its_id(each) if isinstance(each, Receipt) else each for each in heard]
        self._say_form()
        return heard

    def _under_its_id(self, found: Receipt) -> Receipt:
        message_id = self._ids.resolve(found.message_id, found.msisdn)
        return found if message_id == found.message_id else dataclasses.replace(found, message_id=message_id)

    def _message(self, told: Deliver) -> Event:
        found = incoming(told, self._config.default_charset)
        sender = receipts.number(told.source, told.source_ton)
        if found.part is not None:
            return InboundPart(
                gateway=self._name,
                msisdn=sender,
                destination=told.destination,
                reference=found.part.reference,
                bits=found.part.bits,
                total=found.part.total,
                number=found.part.number,
                octets=found.octets,
                charset=found.charset,
                patience=self._config.join_timeout,
                repeats_within=REPEAT,
            )
        return InboundMessage(
            gateway=self._name,
            # deliver_sm has none
            message_id=made_id(sender, told.destination, found.octets),
            msisdn=sender,
            destination=told.destination,
            text=decode(found.octets, found.charset),
            raw=receipts.raw(told),
            repeats_within=REPEAT,
        )

    def _say_form(self) -> None:
        with self._lock:
            form, pairs, agreeing = self._ids.learned
        if form is not None and form is not self._form and self._config.receipt_ids == "auto":
            log.info(
                WORDS[form],
                gateway=self._name,
                receipts=pairs,
                agreeing=agreeing,
                advice=f'to keep it: receipt_ids = "{form}"',
            )
            self._form = form
