"""Back to the wishes that held before a file of them was taken in. The evidence stays: it was said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.orm import Session, aliased

from subscribers import audit
from subscribers.actor import Actor, Right, needs
from subscribers.consent_files.taking_in import KIND
from subscribers.db import lock_table
from subscribers.errors import NotFound
from subscribers.holders import belongs_within
from subscribers.importing.runs import refuse_undone
from subscribers.models import ColumnWish, Consent, ImportRun, Number, Subscription


@needs(Right.REGISTER)
def undo_consent(session: Session, actor: Actor, import_id: int, *, now: datetime) -> int:
    """Take back an import of wishes: how many fell back to what held before, or to nothing.

    Wishes said since stay. Who has a part of the tree takes back their own imports, if all of the people are in that
    part now. Raises `NotFound`, and `Conflict` if it is undone already.
    """
    lock_table(session, ImportRun)
    run = session.get(ImportRun, import_id, populate_existing=True)
    if run is None or run.kind != KIND or not _is_theirs(session, actor, run):
        raise NotFound(
            "There is no import {import_id} of wishes.",
            hint="The number was shown when the file was imported. If its people are in another part of the tree by "
            "now, ask an administrator of the organisation above.",
            import_id=import_id,
        )
    refuse_undone(run)
    run.undone_at = now
    session.flush()
    restored = _fall_back(session, Subscription, import_id) + _fall_back(session, ColumnWish, import_id)
    audit.note(session, actor, "consent.undo", f"import {import_id}", people=restored, now=now)
    return restored


def _is_theirs(session: Session, actor: Actor, run: ImportRun) -> bool:
    if not actor.under:
        return True
    ours = exists().where(Number.msisdn == Consent.msisdn, belongs_within(Number.member_id, actor.under))
    elsewhere = select(Consent.id).where(Consent.import_run_id == run.id, Consent.msisdn.is_not(None), ~ours).limit(1)
    return run.actor == actor.name and session.scalar(elsewhere) is None


def _fall_back(session: Session, table: type[Subscription] | type[ColumnWish], import_id: int) -> int:
    """Each wish that rests on this import gives way to the last one before it that was not taken back."""
    of_columns = table is ColumnWish
    quietly: dict[str, Any] = {"synchronize_session": False}
    mine = select(Consent.id).where(Consent.import_run_id == import_id)
    gone = session.execute(delete(table).where(table.consent_id.in_(mine)), execution_options=quietly)
    earlier = aliased(Consent)
    undone = select(ImportRun.id).where(ImportRun.undone_at.is_not(None))
    last = (
        select(func.max(earlier.id))
        .where(
            earlier.msisdn == Consent.msisdn,
            earlier.topic == Consent.topic,
            earlier.import_run_id.is_(None) | earlier.import_run_id.not_in(undone),
        )
        .scalar_subquery()
    )
    numbers = select(Consent.msisdn).where(Consent.import_run_id == import_id, Consent.msisdn.is_not(None))
    present = [table.msisdn == Consent.msisdn]
    chosen = [Consent.msisdn, Consent.wish, Consent.at, Consent.id]
    names = ["msisdn", "wish", "since", "consent_id"]
    if of_columns:
        present.append(ColumnWish.topic == Consent.topic)
        chosen, names = [*chosen, Consent.topic], [*names, "topic"]
    before = select(*chosen).where(
        Consent.msisdn.in_(numbers),
        Consent.topic != "" if of_columns else Consent.topic == "",
        Consent.id == last,
        ~exists().where(*present),
    )
    session.execute(insert(table).from_select(names, before), execution_options=quietly)
    return int(gone.rowcount)  # type: ignore[attr-defined]
