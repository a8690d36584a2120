"""How a gateway's receipts come in: for the operators, from the newest rows only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import Subquery, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from broadcaster.delivery.lots import MANY, provider_ids
from broadcaster.delivery.models import Part, ReceiptInbox, ReceiptLot, Submission
from subscribers.db import is_sqlite, named, text_list

#: so many receipts of a gateway tell how late they are
_TELLING = 100
#: so many of the newest rows are looked at, whatever gateway they are of
_NEWEST = 10_000
#: and so many lots
_NEWEST_LOTS = 500


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
    # what a lot has left over is a row as well, under the same number
    seen = _by_themselves(session, gateway) | _in_lots(session, gateway)
    newest = sorted(seen.items(), key=lambda each: (each[1].at, each[0]), reverse=True)[:_TELLING]
    lags = [(its.at - its.handed_over).total_seconds() for _, its in newest if its.handed_over is not None]
    last_at = newest[0][1].at if newest else None
    return Receipts(max(0.0, median(lags)) if lags else None, last_at, _silent_since(session, gateway, last_at))


class _Seen(NamedTuple):
    """When a receipt came, and when its part was handed over, as far as is known."""

    at: datetime
    handed_over: datetime | None


def _by_themselves(session: Session, gateway: str) -> dict[int, _Seen]:
    inbox = _newest(ReceiptInbox.id, ReceiptInbox.gateway, ReceiptInbox.provider_id, ReceiptInbox.received_at)
    rows = session.execute(
        select(inbox.c.id, inbox.c.received_at, Part.submitted_at)
        .outerjoin(
            Submission,
            (Submission.provider_id == inbox.c.provider_id) & (Submission.gateway == inbox.c.gateway),
        )
        .outerjoin(Part, Part.id == Submission.part_id)
        .where(inbox.c.gateway == gateway)
        .order_by(inbox.c.id.desc())
        .limit(_TELLING)
    )
    return {id_: _Seen(at, handed_over) for id_, at, handed_over in rows}


def _in_lots(session: Session, gateway: str) -> dict[int, _Seen]:
    """Some of the newest lots, by their numbers: a lot is long, and opened only as far as something is missing."""
    newest = _newest(ReceiptLot.id, ReceiptLot.gateway, ReceiptLot.received_at, most=_NEWEST_LOTS)
    mine = select(newest).where(newest.c.gateway == gateway).order_by(newest.c.id.desc())
    seen: dict[int, _Seen] = {}
    for lot in session.execute(mine.limit(-(-_TELLING // MANY))).all():
        told = session.scalar(select(ReceiptLot.told).where(ReceiptLot.id == lot.id))
        seen[lot.id] = _Seen(lot.received_at, None)
        if told:
            some = list(enumerate(reversed(provider_ids(told))))[: _TELLING + 1 - len(seen)]
            handed_over = _handed_over(session, gateway, [name for _, name in some])
            seen |= {lot.id - n: _Seen(lot.received_at, at) for (n, _), at in zip(some, handed_over, strict=True)}
        if len(seen) >= _TELLING:
            break
    return seen


def _handed_over(session: Session, gateway: str, names: Sequence[str]) -> list[datetime | None]:
    """When the parts that this carrier calls so were handed over."""
    given = named(sqlite=is_sqlite(session))
    its = Submission.provider_id == given.c.provider_id
    # asked for each by itself, as below
    at = (
        select(func.max(Part.submitted_at))
        .join(Submission, Submission.part_id == Part.id)
        .where(its, Submission.gateway == gateway)
        .scalar_subquery()
    )
    asked = select(at).select_from(given).order_by(given.c.place)
    return list(session.scalars(asked, {"names": text_list(session, names)}))


def _silent_since(session: Session, gateway: str, last_at: datetime | None) -> datetime | None:
    taken = _newest(Submission.part_id, Submission.gateway)
    # asked for each part by itself: in a join, a planner that expects few such parts looks through all there are
    at = select(Part.submitted_at).where(Part.id == taken.c.part_id).scalar_subquery()
    mine = select(at.label("at")).where(taken.c.gateway == gateway).subquery()
    first = select(func.min(mine.c.at))
    silent_since: datetime | None = session.scalar(first if last_at is None else first.where(mine.c.at > last_at))
    return silent_since


def _newest(key: InstrumentedAttribute[int], *columns: InstrumentedAttribute[Any], most: int | None = None) -> Subquery:
    # a limit, and no comparison with the newest key: how many of millions that leaves, a planner cannot know
    return select(key, *columns).order_by(key.desc()).limit(most or _NEWEST).subquery()
