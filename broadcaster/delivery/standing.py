"""How a gateway's receipts come in: for the operators, from the newest rows only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

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
    newest = select(func.coalesce(func.max(ReceiptInbox.id), 0) - _NEWEST).scalar_subquery()
    rows = session.execute(
        select(ReceiptInbox.received_at, Part.submitted_at)
        .outerjoin(
            Submission,
            (Submission.provider_id == ReceiptInbox.provider_id) & (Submission.gateway == ReceiptInbox.gateway),
        )
        .outerjoin(Part, Part.id == Submission.part_id)
        .where(ReceiptInbox.id > newest, ReceiptInbox.gateway == gateway)
        .order_by(ReceiptInbox.id.desc())
        .limit(_TELLING)
    ).all()
    lags = [(row.received_at - row.submitted_at).total_seconds() for row in rows if row.submitted_at is not None]
    last_at = rows[0].received_at if rows else None
    return Receipts(max(0.0, median(lags)) if lags else None, last_at, _silent_since(session, gateway, last_at))


def _silent_since(session: Session, gateway: str, last_at: datetime | None) -> datetime | None:
    newest = select(func.coalesce(func.max(Submission.part_id), 0) - _NEWEST).scalar_subquery()
    query = (
        select(Part.submitted_at)
        .join(Submission, Submission.part_id == Part.id)
        .where(Submission.part_id > newest, Submission.gateway == gateway, Part.submitted_at.is_not(None))
        .order_by(Submission.part_id)
        .limit(1)
    )
    return session.scalar(query if last_at is None else query.where(Part.submitted_at > last_at))
