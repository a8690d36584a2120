"""The one door for what gateways tell us, from a hook or a bind alike: written down first, dealt with afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from broadcaster.delivery import receipts
from broadcaster.gateways.events import Event, InboundMessage, Reason, Receipt
from broadcaster.replies import receive


def accept(session: Session, events: Sequence[Event], reasons: Mapping[str, Reason], *, now: datetime) -> None:
    """Keep what a gateway brought. The carrier may be told yes once this has committed, and not before."""
    receipts.record(session, [event for event in events if isinstance(event, Receipt)], reasons, now=now)
    receive.store(session, [event for event in events if isinstance(event, InboundMessage)], now=now)
