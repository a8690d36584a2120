"""What gateways have found out about their carriers, kept so that the next process need not find it out anew."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Learned
from broadcaster.delivery.recording import insert_or_ignore


def keep(session: Session, gateway: str, text: str, *, now: datetime) -> None:
    """Write down what this gateway knows, in its own words; of several processes the last one counts."""
    session.execute(insert_or_ignore(session, Learned), [{"gateway": gateway, "text": text, "learned_at": now}])
    session.execute(
        update(Learned)
        .where(Learned.gateway == gateway, Learned.text != text)
        .values(text=text, learned_at=now)
        .execution_options(synchronize_session=False)
    )


def of(session: Session, gateway: str) -> str:
    """What was kept for this gateway; empty: nothing."""
    return session.scalar(select(Learned.text).where(Learned.gateway == gateway)) or ""


def by_gateway(session: Session) -> Mapping[str, tuple[str, datetime]]:
    """Everything that is kept, and since when."""
    return {row.gateway: (row.text, row.learned_at) for row in session.scalars(select(Learned))}
