"""Refused rows of an import in the database: to be corrected and handed in again, for a while."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.db import in_bulk
from subscribers.errors import NotFound
from subscribers.importing.past import past
from subscribers.importing.rejects import RefusedRow
from subscribers.models import ImportRun, RefusedPiece

#: for so long
KEPT = timedelta(days=30)
#: rows in one piece
_TOGETHER = 10_000


def keep(session: Session, import_id: int, headings: Sequence[str], refused: Sequence[RefusedRow]) -> None:
    """Write them down, in the order of the file."""
    for at, portion in enumerate(in_bulk(refused, _TOGETHER)):
        rows = [
            [one.row, one.message, one.hint, {name: str(value) for name, value in one.fields.items()}, one.cells]
            for one in portion
        ]
        packed = gzip.compress(json.dumps([list(headings), rows], ensure_ascii=False).encode(), compresslevel=5)
        session.execute(insert(RefusedPiece).values(import_run_id=import_id, position=at, content=packed))


@needs(Right.REGISTER)
def find(
    session: Session, actor: Actor, import_id: int, *, most: int | None = None
) -> tuple[list[str], list[RefusedRow]]:
    """The headings and the refused rows, or the first `most` of them.

    Raises `NotFound` for an import of others, or once they are gone.
    """
    theirs = past(session, actor, before=import_id + 1, limit=1)
    query = select(RefusedPiece.content).where(RefusedPiece.import_run_id == import_id)
    pieces = session.scalars(query.order_by(RefusedPiece.position).limit(most and -(-most // _TOGETHER))).all()
    if not theirs or theirs[0].id != import_id or not pieces:
        raise NotFound("There are no refused rows of this import any more.", hint="They are kept for a month.")
    headings: list[str] = []
    found: list[RefusedRow] = []
    for piece in pieces:
        headings, rows = json.loads(gzip.decompress(piece))
        found += [RefusedRow(row, message, hint, fields, tuple(cells)) for row, message, hint, fields, cells in rows]
    return headings, found[:most]


def kept_of(session: Session, import_ids: Sequence[int]) -> set[int]:
    """Those of these imports whose refused rows are there still."""
    query = select(RefusedPiece.import_run_id).where(RefusedPiece.import_run_id.in_(import_ids))
    return set(session.scalars(query.where(RefusedPiece.position == 0)))


def forget_old(session: Session, *, now: datetime) -> None:
    """What was kept long enough goes."""
    old = select(ImportRun.id).where(ImportRun.at < now - KEPT)
    session.execute(
        delete(RefusedPiece).where(RefusedPiece.import_run_id.in_(old)),
        execution_options={"synchronize_session": False},
    )
