"""How a gateway's receipts come in: for the operators, from the newest rows only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from broadcaster.delivery.models import Part, ReceiptInbox, Submission

#: so many receipts of a gateway tell how late they are
_TELLING = 100
#: so many of the newest rows are looked at, whatever gateway they are of
_NEWEST = 10_000


@dataclass(frozen=True, slots=True)
class Receipts:
    """How late a gateway's receipts are, and when the last one came."""

    #: seconds between hand-over and receipt, half of them less, half of them more
    lag: float | None = None
    last_at: datetime | None = None
    #: when the first part was handed over after which no receipt at all has come
    silent_since: datetime | None = None


def receipts_of(session: Session, gateway: str) -> Receipts:
    """What can be told of one gateway's receipts."""
    inbox = _newest(ReceiptInbox.id, ReceiptInbox.gateway, ReceiptInbox.provider_id, ReceiptInbox.received_at)
    rows = session.execute(
        select(inbox.c.received_at, Part.submitted_at)
        .outerjoin(
            Submission,
            (Submission.provider_id == inbox.c.provider_id) & (Submission.gateway == inbox.c.gateway),
        )
        .outerjoin(Part, Part.id == Submission.part_id)
        .where(inbox.c.gateway == gateway)
        .order_by(inbox.c.id.desc())
        .limit(_TELLING)
    ).all()
    lags = [(row.received_at - row.submitted_at).total_seconds() for row in rows if row.submitted_at is not None]
    last_at = rows[0].received_at if rows else None
    return Receipts(max(0.0, median(lags)) if lags else None, last_at, _silent_since(session, gateway, last_at))


def _silent_since(session: Session, gateway: str, last_at: datetime | None) -> datetime | None:
    taken = _newest(Submission.part_id, Submission.gateway)
    # asked for each part by itself: in a join, a planner that expects few such parts looks through all there are
    at = select(Part.submitted_at).where(Part.id == taken.c.part_id).scalar_subquery()
    mine = select(at.label("at")).where(taken.c.gateway == gateway).subquery()
    first = select(func.min(mine.c.at))
    silent_since: datetime | None = session.scalar(first if last_at is None else first.where(mine.c.at > last_at))
    return silent_since


def _newest(key: InstrumentedAttribute[int], *columns: InstrumentedAttribute[Any]) -> Subquery:
    # a limit, and no comparison with the newest key: how many of millions that leaves, a planner cannot know
    return select(key, *columns).order_by(key.desc()).limit(_NEWEST).subquery()
