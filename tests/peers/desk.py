"""Our SMPP gateway as the tests of foreign centres use it: what it was told is kept, in the order of its coming."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from broadcaster.gateways import registry
from broadcaster.gateways.contract import (
    Accepted,
    GatewayContext,
    ListeningGateway,
    OutboundPart,
)
from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.events import Event, InboundMessage, InboundPart, Receipt
from broadcaster.replies.long_letters import text_of
from broadcaster.sms import split
from tests.peers.programs import until

NUMBER = "+8619900000001"
SENDER = "10690000"


class Desk:
    """A gateway, open while the `with` lasts, that listens in a thread of its own."""

    def __init__(self, port: int, data_dir: Path, **settings: Any) -> None:
        about = {"kind": "smpp", "host": "127.0.0.1", "port": port, "system_id": "desk", "password": "secret"}
        context = GatewayContext(data_dir, ZoneInfo("UTC"))
        made = registry.make("desk", about | {"sender": SENDER} | settings, context)
        assert isinstance(made, ListeningGateway)
        self.gateway = made
        self.events: list[Event] = []
        self._stop = threading.Event()
        self._listener = threading.Thread(target=self._listen)
        self._parts = 0

    def __enter__(self) -> Self:
        self.gateway.open()
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.join()
        self.gateway.close()

    def give_up(self) -> None:
        """The other end is gone: that listening ends with it is no trouble."""
        self._stop.set()

    def send(self, text: str, msisdn: str = NUMBER) -> list[str]:
        """Cut it, submit it, see it accepted: the ids of its parts."""
        return self.accepted(self.parts(text, msisdn))

    def accepted(self, parts: Sequence[OutboundPart]) -> list[str]:
        """Submit them, see them accepted: their ids."""
        outcomes = self.gateway.submit(parts)
        ids = [outcome.message_id for outcome in outcomes if isinstance(outcome, Accepted)]
        assert len(ids) == len(outcomes), outcomes
        return ids

    def parts(self, text: str, msisdn: str = NUMBER) -> list[OutboundPart]:
        """A message as the press would hand it over."""
        about = self.gateway.capabilities
        cut = split(text, about.alphabet, reference_bits=about.reference_bits)
        first = self._parts + 1
        self._parts += len(cut.parts)
        return [
            OutboundPart(
                part_id=first + place,
                msisdn=msisdn,
                sender=SENDER,
                text=part,
                encoding=cut.encoding,
                number=place + 1,
                total=len(cut.parts),
                reference=first,
                client_reference=f"p{first + place}",
            )
            for place, part in enumerate(cut.parts)
        ]

    def _listen(self) -> None:
        try:
            self.gateway.listen(self.events.extend, self._stop)
        except LinkDown:
            # `give_up` is told late: first the link goes, then the test knows
            until(self._stop.is_set)

    def receipts(self, ids: Sequence[str]) -> list[Receipt]:
        """The receipts for these ids, once there is one for each."""
        until(lambda: set(ids) <= {receipt.message_id for receipt in self._heard(Receipt)})
        return [receipt for receipt in self._heard(Receipt) if receipt.message_id in ids]

    def messages(self, count: int) -> list[InboundMessage]:
        """What members wrote, once there is so much of it."""
        until(lambda: len(self._letters()) >= count)
        return self._letters()

    def _letters(self) -> list[InboundMessage]:
        """Parts are joined above the gateways."""
        letters = self._heard(InboundMessage)
        kept: dict[int, dict[int, tuple[bytes, str]]] = {}
        for part in self._heard(InboundPart):
            parts = kept.setdefault(part.reference, {})
            parts[part.number] = (part.octets, part.charset)
            if len(parts) == part.total:
                text = text_of(part.total, kept.pop(part.reference))
                letters.append(InboundMessage(part.gateway, "", part.msisdn, part.destination, text))
        return letters

    def _heard(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]
