"""Lists that are looked at, taken in or taken back beside the page: asked for here, done by a worker, all or nothing.

The file stands in the database until it is taken in, so that any worker can do it. Whoever works holds a lock that ends
with their process: a job that is running while nobody holds it was left by one that died, and is begun again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.db import wake
from subscribers.errors import BroadsheetError, Conflict, NotFound
from subscribers.importing.undo import may_be_undone
from subscribers.models import ListJob, ListPiece

#: the queue of those who work on lists
LISTS = "lists"
#: for so long a list waits to be taken in, and what came of it is told
KEPT = timedelta(hours=1)
#: a hint that was lost is given again after this
FORGOTTEN = timedelta(seconds=5)
#: a job with which so many processes ended is not begun once more
MOST_BEGUN = 3
#: of one list
MOST_ROWS = 500_000
LARGEST = 20 * 1024 * 1024
#: bytes of a file in one row
_PIECE = 256 * 1024


class ListKind(StrEnum):
    """What is done: looked at as if, taken in, an import taken back."""

    LOOK = "look"
    TAKE = "take"
    UNDO = "undo"


class ListState(StrEnum):
    """How far it is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


_OPEN = (ListState.WAITING, ListState.RUNNING)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is ours to do, and the mark by which we know that it still is."""

    id: int
    token: str
    kind: ListKind
    asked_by: str
    file_name: str
    given: Mapping[str, Any]
    import_id: int
    begun: int
    runner: str


@needs(Right.REGISTER)
def hand_in(
    session: Session, actor: Actor, name: str, content: Iterable[bytes], given: Mapping[str, Any], *, now: datetime
) -> str:
    """Keep a file, to be looked at first; the token by which only the actor finds it."""
    forget_old(session, now=now)
    job = _new(session, actor, ListKind.LOOK, name, given, now=now)
    for at, piece in enumerate(_pieces(content)):
        session.execute(insert(ListPiece).values(job_id=job.id, position=at, content=piece))
    return job.token


@needs(Right.REGISTER)
def ask_undo(session: Session, actor: Actor, import_id: int, *, now: datetime) -> str:
    """Have an import taken back; the token. Raises what `undo` raises before it begins."""
    may_be_undone(session, actor, import_id)
    known = session.scalars(
        select(ListJob.token).where(ListJob.import_run_id == import_id, ListJob.state.in_(_OPEN)).limit(1)
    ).one_or_none()
    if known is not None:
        raise Conflict("Import {import_id} is being taken back.", hint="Look again soon.", import_id=import_id)
    return _new(session, actor, ListKind.UNDO, "", {}, import_id=import_id, now=now).token


@needs(Right.REGISTER)
def ask(session: Session, actor: Actor, token: str, kind: ListKind, given: Mapping[str, Any], *, now: datetime) -> None:
    """Have a list looked at again, or taken in. What is being done goes on, and is not begun twice.

    Raises `NotFound` for somebody else's, and for one whose file is gone.
    """
    job = _mine(session, actor, token)
    if job.is_open:
        return
    if session.scalar(select(ListPiece.position).where(ListPiece.job_id == job.id).limit(1)) is None:
        raise _gone()
    job.kind, job.given = kind, dict(given)
    job.state, job.asked_at, job.runner, job.begun = ListState.WAITING, now, "", 0
    job.rows, job.is_to_stop, job.answer, job.trouble = 0, False, None, None
    session.flush()
    wake(session, LISTS)


@needs(Right.REGISTER)
def find(session: Session, actor: Actor, token: str) -> ListJob:
    """What the actor asked for, as it stands now. Raises `NotFound`."""
    return _mine(session, actor, token)


@needs(Right.REGISTER)
def ask_to_stop(session: Session, actor: Actor, token: str) -> None:
    """It is not to be done after all: whoever is at it stops soon, and takes back what they did."""
    job = _mine(session, actor, token)
    if job.is_open:
        job.is_to_stop = True
        session.flush()
        wake(session, LISTS)


def claim(session: Session) -> Claimed | None:
    """Take the oldest that is to be done, or was left behind, for whoever holds the lock; None if there is none."""
    job = session.scalars(
        select(ListJob).where(ListJob.state.in_(_OPEN)).order_by(ListJob.asked_at, ListJob.id).limit(1)
    ).one_or_none()
    if job is None:
        return None
    job.state, job.runner, job.begun, job.rows = ListState.RUNNING, secrets.token_hex(8), job.begun + 1, 0
    session.flush()
    return Claimed(
        job.id,
        job.token,
        ListKind(job.kind),
        job.asked_by,
        job.file_name,
        job.given,
        job.import_run_id or 0,
        job.begun,
        job.runner,
    )


def content(session: Session, claimed: Claimed) -> Iterator[bytes]:
    """The file that was handed in, piece by piece."""
    query = select(ListPiece.content).where(ListPiece.job_id == claimed.id).order_by(ListPiece.position)
    yield from session.scalars(query.execution_options(yield_per=8))


def tell(session: Session, claimed: Claimed, rows: int) -> None:
    """So many rows are done."""
    _write(session, claimed, {"rows": rows})


def is_to_go_on(session: Session, claimed: Claimed) -> bool:
    """Whether it is ours still, and nobody has called it off."""
    is_to_stop = session.scalar(select(ListJob.is_to_stop).where(*_ours(claimed)))
    return is_to_stop is False


def leave(session: Session, claimed: Claimed) -> None:
    """Let somebody else do it, from the beginning; nothing is wrong with it."""
    _write(session, claimed, {"state": ListState.WAITING, "runner": "", "begun": claimed.begun - 1})


def keep(
    session: Session, claimed: Claimed, answer: Mapping[str, Any], *, given: Mapping[str, Any] | None = None
) -> None:
    """It is done, in this transaction; a list that was taken in is not kept. Raises `Conflict` if it is not ours.

    `given`: what it was done with, where that is other than what was asked.
    """
    done: dict[str, Any] = {"state": ListState.DONE, "answer": dict(answer)}
    if given is not None:
        done["given"] = dict(given)
    if not _write(session, claimed, done):
        raise Conflict("Somebody else is at it.", hint="Look again soon.")
    if claimed.kind is ListKind.TAKE:
        session.execute(delete(ListPiece).where(ListPiece.job_id == claimed.id))


def fail(session: Session, claimed: Claimed, error: BroadsheetError) -> None:
    """It cannot be done; nothing of it was written."""
    fields = {name: value if isinstance(value, list) else str(value) for name, value in error.fields.items()}
    told = {"message": error.message, "hint": error.hint, "fields": fields}
    _write(session, claimed, {"state": ListState.FAILED, "trouble": told})


def is_open(session: Session) -> bool:
    """Whether something is to be done, or being done."""
    return session.scalar(select(ListJob.id).where(ListJob.state.in_(_OPEN)).limit(1)) is not None


def is_waiting(session: Session, *, now: datetime) -> bool:
    """Whether something is open that no hint has led to for a while, or that somebody may have left behind."""
    query = select(ListJob.id).where(ListJob.state.in_(_OPEN), ListJob.asked_at < now - FORGOTTEN)
    return session.scalar(query.limit(1)) is not None


def forget_old(session: Session, *, now: datetime) -> int:
    """Lists that nobody took in, and what was to be told, are gone after a while. Returns how many."""
    # what is to be taken in or taken back waits for its worker, however long
    is_over = or_(ListJob.state.not_in(_OPEN), and_(ListJob.state == ListState.WAITING, ListJob.kind == ListKind.LOOK))
    old = list(session.scalars(select(ListJob.id).where(is_over, ListJob.asked_at < now - KEPT).limit(100)))
    if old:
        session.execute(delete(ListPiece).where(ListPiece.job_id.in_(old)))
        session.execute(delete(ListJob).where(ListJob.id.in_(old)))
    return len(old)


def _new(
    session: Session,
    actor: Actor,
    kind: ListKind,
    name: str,
    given: Mapping[str, Any],
    *,
    import_id: int | None = None,
    now: datetime,
) -> ListJob:
    job = ListJob(
        token=secrets.token_hex(16),
        kind=kind,
        state=ListState.WAITING,
        file_name=name,
        import_run_id=import_id,
        given=dict(given),
        asked_by=actor.name,
        asked_at=now,
        runner="",
        begun=0,
        rows=0,
        is_to_stop=False,
    )
    session.add(job)
    session.flush()
    wake(session, LISTS)
    return job


def _mine(session: Session, actor: Actor, token: str) -> ListJob:
    job = session.scalars(select(ListJob).where(ListJob.token == token)).one_or_none()
    if job is None or job.asked_by != actor.name:
        raise _gone()
    return job


def _gone() -> NotFound:
    return NotFound(
        "The file is not here any more.",
        hint="Lists taken in are under Members, Lists taken in. If it is not among them, hand it in again.",
    )


def _ours(claimed: Claimed) -> tuple[Any, ...]:
    return ListJob.id == claimed.id, ListJob.runner == claimed.runner, ListJob.state == ListState.RUNNING


def _write(session: Session, claimed: Claimed, values: Mapping[str, Any]) -> bool:
    written: Any = session.execute(update(ListJob).where(*_ours(claimed)).values(**values))
    return bool(written.rowcount)


def _pieces(content: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for each in content:
        held += each
        while len(held) >= _PIECE:
            yield held[:_PIECE]
            held = held[_PIECE:]
    if held:
        yield held
