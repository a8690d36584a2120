"""Lists of members that were taken in: by whom, when, with what result, and whether they were taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.models import ImportChange, ImportRun, ImportSpan


@dataclass(frozen=True, slots=True)
class PastImport:
    """One file that was taken in."""

    id: int
    file_name: str
    by: str
    at: datetime
    created: int
    updated: int
    unchanged: int
    refused: int
    undone_at: datetime | None


@needs(Right.REGISTER)
def past(session: Session, actor: Actor, *, before: int | None = None, limit: int = 50) -> list[PastImport]:
    """Those that the actor may take back, as `of_members` says."""
    query = of_members(actor).limit(limit)
    if before is not None:
        query = query.where(ImportRun.id < before)
    return [
        PastImport(
            run.id,
            run.file_name,
            run.actor,
            run.at,
            run.created,
            run.updated,
            run.unchanged,
            run.refused,
            run.undone_at,
        )
        for run in session.scalars(query)
    ]


def of_members(actor: Actor) -> Select[ImportRun]:
    """Imports of members, the newest first: of the whole tree all, of a part of it one's own."""
    query = select(ImportRun).where(ImportRun.kind == "members").order_by(ImportRun.id.desc())
    return query.where(ImportRun.actor == actor.name) if actor.under else query


def first_members(session: Session, import_id: int, most: int) -> list[int]:
    """The ids of some of the members whom an import made or changed: its first."""
    spans = session.execute(
        select(ImportSpan.first_id, ImportSpan.last_id)
        .where(ImportSpan.import_run_id == import_id)
        .order_by(ImportSpan.first_id)
        .limit(most)
    ).all()
    made = [id_ for first, last in spans for id_ in range(first, min(last, first + most) + 1)]
    changed = (
        select(ImportChange.member_id)
        .where(ImportChange.import_run_id == import_id)
        .order_by(ImportChange.id)
        .limit(most)
    )
    return [*made, *session.scalars(changed)][:most]
