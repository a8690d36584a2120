"""What came in on a bind, as events: receipts under the id of the answer, members' messages whole and known again."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from broadcaster.gateways.events import Event, InboundMessage, Reason
from broadcaster.gateways.smpp import receipts
from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.gateways.smpp.exchange import Delivery
from broadcaster.gateways.smpp.ids import WORDS, Form, Ids
from broadcaster.gateways.smpp.joining import Joined, Joiner
from broadcaster.gateways.smpp.texts import incoming
from broadcaster.logs import get
from subscribers.clock import Now, monotonic, utc_now

#: the same text from the same number within so many seconds is the carrier's repeat
REPEAT = 60.0
#: seconds for which a part of a long message is not acknowledged. A carrier that sends one thing at a time would hold
#: back the other parts, and every receipt behind them, for as long as it waits
HOLD = 1.0
_REMEMBERED = 10_000

log = get(__name__)


@dataclass(slots=True, eq=False)
class _Held:
    """A part of a long message, and whether the carrier was told already."""

    delivery: Delivery
    since: float
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and what is to be acknowledged once it is kept."""

    event: Event
    deliveries: list[Delivery]


class Inbound:
    """Used by one listening thread; `accepted` by the one that owns the connection."""

    def __init__(
        self, name: str, config: SmppConfig, zone: tzinfo, reasons: Mapping[str, Reason], clock: Now = utc_now
    ) -> None:
        self._name = name
        self._config = config
        self._zone = zone
        self._reasons = reasons
        self._clock = clock
        self._lock = threading.Lock()
        self._ids = Ids(None if config.receipt_ids == "auto" else Form(config.receipt_ids))
        self._form: Form | None = None
        self._joiner: Joiner[_Held] = Joiner(config.join_timeout)
        self._fragments: list[_Held] = []
        self._seen: OrderedDict[str, tuple[str, float]] = OrderedDict()

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

    def hear(self, deliveries: Sequence[Delivery]) -> list[Heard]:
        """The events in these, and those whose other parts have been waited for long enough."""
        now = monotonic()
        heard: list[Heard] = []
        for delivery in deliveries:
            if receipts.is_receipt(delivery.told, self._config.receipt_by_text):
                heard.append(Heard(self._receipt(delivery), [delivery]))
            else:
                heard += self._message(delivery, now)
        heard += [self._joined(whole, None, now) for whole in self._joiner.due(now)]
        self._say_form()
        return heard

    def release(self) -> list[Delivery]:
        """The parts of long messages that have waited for the others: to be acknowledged before their message is."""
        now = monotonic()
        ripe = [held for held in self._fragments if not held.acknowledged and now - held.since >= HOLD]
        for held in ripe:
            held.acknowledged = True
        self._fragments = [held for held in self._fragments if not held.acknowledged]
        return [held.delivery for held in ripe]

    def _receipt(self, delivery: Delivery) -> Event:
        found = receipts.receipt(delivery.told, self._name, self._zone, self._reasons)
        with self._lock:
            message_id = self._ids.resolve(found.message_id, found.msisdn)
        return found if message_id == found.message_id else dataclasses.replace(found, message_id=message_id)

    def _message(self, delivery: Delivery, now: float) -> list[Heard]:
        told = delivery.told
        found = incoming(told, self._config.default_charset)
        held = _Held(delivery, now)
        if found.part is not None:
            self._fragments.append(held)
        sender = receipts.number(told.source, told.source_ton)
        whole = self._joiner.add(sender, told.destination, found, held, now)
        return [self._joined(each, delivery, now) for each in whole]

    def _joined(self, whole: Joined[_Held], last: Delivery | None, now: float) -> Heard:
        open_ones = [held.delivery for held in whole.held if not held.acknowledged]
        for held in whole.held:
            # acknowledged with the whole message, or again by the carrier's repeat
            held.acknowledged = True
        if whole.missing:
            log.warning("a message from a member is incomplete", gateway=self._name, missing=len(whole.missing))
        event = InboundMessage(
            gateway=self._name,
            message_id=self._id(whole.digest, now),
            msisdn=whole.sender,
            destination=whole.destination,
            text=whole.text,
            raw=receipts.raw(last.told) if last is not None else "",
        )
        return Heard(event, open_ones)

    def _id(self, digest: str, now: float) -> str:
        """deliver_sm has no id: what it says and the minute it first came make one."""
        while self._seen and (len(self._seen) > _REMEMBERED or next(iter(self._seen.values()))[1] < now - REPEAT):
            self._seen.popitem(last=False)
        known = self._seen.get(digest)
        if known is None:
            known = self._seen[digest] = (f"{digest}-{int(self._clock().timestamp() // REPEAT)}", now)
        return known[0]

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
