"""The record of a file that was taken in: opened before its rows are read, closed by an undo."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from subscribers.actor import Actor
from subscribers.db import lock_table
from subscribers.errors import Conflict
from subscribers.models import ImportRun


def open_run(session: Session, actor: Actor, path: Path, kind: str, *, now: datetime) -> ImportRun:
    """A new record. Two files at once could both find a member missing and make them twice: the second one waits."""
    lock_table(session, ImportRun)
    run = ImportRun(
        kind=kind, file_name=path.name[-300:], actor=actor.name, at=now, created=0, updated=0, unchanged=0, refused=0
    )
    session.add(run)
    session.flush()
    return run


def refuse_undone(run: ImportRun) -> None:
    """Raise `Conflict` if this import was taken back before."""
    if run.undone_at is not None:
        raise Conflict(
            "Import {import_id} was undone already, at {at}.",
            hint="Import the file again if what stood in it is wanted back.",
            import_id=run.id,
            at=f"{run.undone_at:%Y-%m-%d %H:%M} UTC",
        )
