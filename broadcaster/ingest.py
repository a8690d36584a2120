"""The one door for what gateways tell us, from a hook or a bind alike: written down first, dealt with afterwards."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from broadcaster.delivery import receipts
from broadcaster.gateways.events import Event, InboundMessage, Reason, Receipt
from broadcaster.replies import receive
from subscribers import msisdn
from subscribers.errors import Invalid

#: NUL and halves of surrogate pairs
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def accept(
    session: Session, events: Sequence[Event], reasons: Mapping[str, Reason], *, region: str, now: datetime
) -> None:
    """Keep what a gateway brought. The carrier may be told yes once this has committed, and not before.

    `region` is where numbers that are written without `+` belong.
    """
    kept = [_with_known_number(_storable(event), region) for event in events]
    receipts.record(session, [event for event in kept if isinstance(event, Receipt)], reasons, now=now)
    receive.store(session, [event for event in kept if isinstance(event, InboundMessage)], now=now)


def _with_known_number(event: Event, region: str) -> Event:
    """With its number in E.164, as the registry has it: carriers write 86199..., 0086199... and 199... as well.

    What is no telephone's number (a service's, a word) is kept without a plus; nothing is ever sent to it.
    """
    if not event.msisdn:
        return event
    try:
        number = msisdn.parse(event.msisdn, region).msisdn
    except Invalid:
        number = event.msisdn.lstrip("+")
    return dataclasses.replace(event, msisdn=number)


def _storable(event: Event) -> Event:
    """Without the characters that no database keeps in a text: one bad letter must not hold up the others."""
    told = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    bad = {name: text for name, text in told.items() if isinstance(text, str) and _UNSTORABLE.search(text)}
    cleaned: dict[str, Any] = {name: _UNSTORABLE.sub("", text) for name, text in bad.items()}
    return dataclasses.replace(event, **cleaned) if cleaned else event
