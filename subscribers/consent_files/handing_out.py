"""The present wishes with their evidence -> a spreadsheet that the import of wishes takes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from subscribers import audit, segments
from subscribers.actor import Actor, Right, needs
from subscribers.consent_files.columns import FIELDS
from subscribers.exporting import written_number
from subscribers.models import ColumnWish, Consent, Number, Subscription, Wish
from subscribers.sheets import write_sheet

_AT_ONCE = 10_000


@needs(Right.NUMBERS)
def export_consent(
    session: Session,
    actor: Actor,
    path: Path,
    *,
    to: str = "",
    outs: bool = False,
    region: str = "CN",
    now: datetime,
    on: date | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the present wish of every number, of the paper and of its columns: how many. It is audited.

    `to` is a rule: only numbers of members in it. Without one, numbers that are nobody's are there too, if the actor
    sees the whole tree. `outs`: only who wants no more. Raises as `subscribers.exporting.export_members`.
    """
    rule = to or ("everyone" if actor.under else "")
    audience = segments.members_matching(session, rule, on=on or now.date(), within=actor.under) if rule else None
    wishes = union_all(
        _wishes(Subscription, literal("").label("topic"), audience, outs=outs),
        _wishes(ColumnWish, ColumnWish.topic, audience, outs=outs),
    ).subquery()
    count = session.scalar(select(func.count()).select_from(wishes)) or 0
    audit.note(session, actor, "consent.export", people=count, now=now, kind=path.suffix.lower().lstrip("."))
    ordered = select(wishes).order_by(wishes.c.msisdn, wishes.c.topic).execution_options(yield_per=_AT_ONCE)
    return write_sheet(path, FIELDS, _rows(session.execute(ordered), region, progress))


def _wishes(
    table: type[Subscription] | type[ColumnWish], topic: Any, audience: Select[int] | None, *, outs: bool
) -> Select[Any]:
    query = select(table.msisdn, table.wish, Consent.source, Consent.wording, Consent.at, topic.label("topic")).join(
        Consent, Consent.id == table.consent_id
    )
    if outs:
        query = query.where(table.wish == Wish.OUT)
    if audience is not None:
        query = query.where(exists().where(Number.msisdn == table.msisdn, Number.member_id.in_(audience)))
    return query


def _rows(found: Any, region: str, progress: Callable[[int], None] | None) -> Iterator[list[object]]:
    for done, row in enumerate(found, 1):
        at: datetime = row.at
        yield [
            written_number(row.msisdn, region),
            row.wish,
            row.source,
            row.wording,
            at.isoformat(),
            row.topic,
        ]
        if progress is not None and done % _AT_ONCE == 0:
            progress(done)
