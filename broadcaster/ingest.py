"""The one door for what gateways tell us, from a hook or a bind alike: written down first, dealt with afterwards."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy.orm import Session

from broadcaster.delivery import receipts
from broadcaster.gateways.events import Event, InboundMessage, InboundPart, Reason, Receipt
from broadcaster.replies import long_letters, receive
from subscribers import msisdn
from subscribers.errors import Invalid

#: NUL and halves of surrogate pairs
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

#: what others wrote, of each kind of event
_TEXTS = {
    kind: [field.name for field in dataclasses.fields(kind) if "str" in str(field.type)]
    for kind in (Receipt, InboundMessage, InboundPart)
}
_ALL_TEXTS = {kind: attrgetter(*names) for kind, names in _TEXTS.items()}


def accept(
    session: Session, events: Sequence[Event], reasons: Mapping[str, Reason], *, region: str, now: datetime
) -> int:
    """Keep what a gateway brought. The carrier may be told yes once this has committed, and not before.

    `region` is where numbers that are written without `+` belong. Returns how many were not known yet.
    """
    kept = [_kept(event, region) for event in events]
    fresh = receipts.record(session, [event for event in kept if isinstance(event, Receipt)], reasons, now=now)
    fresh += receive.store(session, [event for event in kept if isinstance(event, InboundMessage)], now=now)
    return fresh + long_letters.store(session, [event for event in kept if isinstance(event, InboundPart)], now=now)


def _kept(event: Event, region: str) -> Event:
    """As any database takes it, and with its number as the registry has it.

    The characters that no database keeps in a text are left out: one bad letter must not hold up the others.
    """
    changed: dict[str, Any] = {}
    kind = type(event)
    whole = "".join(filter(None, _ALL_TEXTS[kind](event)))
    # nearly every receipt is plain ASCII, which is told at once
    if not whole.isascii() or "\0" in whole:
        for name in _TEXTS[kind]:
            text = getattr(event, name) or ""
            clean = _UNSTORABLE.sub("", text)
            if clean != text:
                changed[name] = clean
    written = changed.get("msisdn", event.msisdn)
    if written:
        number = _number(written, region)
        if number != event.msisdn:
            changed["msisdn"] = number
    return dataclasses.replace(event, **changed) if changed else event


def _number(written: str, region: str) -> str:
    """In E.164, as the registry has it: carriers write 86199..., 0086199... and 199... as well.

    What is no telephone's number (a service's, a word) is kept without a plus; nothing is ever sent to it.
    """
    try:
        return msisdn.parse(written, region).msisdn
    except Invalid:
        return written.lstrip("+")
