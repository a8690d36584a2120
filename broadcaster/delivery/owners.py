"""Who hands parts over, and what becomes of the parts of one who died."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from broadcaster.delivery.locks import Held, Locks
from broadcaster.delivery.models import Lease, Message, Owner, Part, Turn
from broadcaster.delivery.recording import doubt, refresh_messages
from broadcaster.delivery.states import State


@dataclass(frozen=True, slots=True)
class Ownership:
    """This process as an owner of parts."""

    id: int
    pid: int
    held: Held

    def valid(self) -> bool:
        """Whether this process is still the one that registered (not a fork of it) and its lock still stands."""
        return self.pid == os.getpid() and self.held.still_held()


def register(session: Session, locks: Locks, *, now: datetime) -> Ownership:
    """Make this process an owner. The lock is taken before the row can be seen, so that nobody finds it without one."""
    owner = Owner(host=socket.gethostname(), pid=os.getpid(), started_at=now)
    session.add(owner)
    session.flush()
    held = locks.take(owner.id)
    if held is None:
        raise RuntimeError(f"the lock of the new owner {owner.id} is held by another process")
    return Ownership(owner.id, owner.pid, held)


def is_ended(session: Session, owner_id: int, *, hold: bool = False) -> bool:
    """Whether someone has taken this owner for dead: then it may report results, and claim nothing more.

    `hold`: nobody can take it for dead before this transaction ends, so that what is claimed in it will be found.
    """
    query = select(Owner.ended_at).where(Owner.id == owner_id)
    return session.scalar(query.with_for_update(read=True) if hold else query) is not None


def living(session: Session) -> Sequence[int]:
    """The ids of the owners that nobody has found dead."""
    return session.scalars(select(Owner.id).where(Owner.ended_at.is_(None)).order_by(Owner.id)).all()


def end(session: Session, owner_id: int, *, now: datetime) -> None:
    """Sign off in order: nothing of this owner is in flight. Its places are free for others."""
    session.execute(update(Owner).where(Owner.id == owner_id, Owner.ended_at.is_(None)).values(ended_at=now))
    session.execute(delete(Lease).where(Lease.owner_id == owner_id))


def bury(session: Session, owner_id: int, *, now: datetime) -> int:
    """Take over from an owner whose lock we hold: what it was handing over is in doubt. Returns how many parts.

    It may have died before the first byte or after the last answer; nobody can tell from here, so nothing is sent
    again. Receipts settle most of it.
    """
    # first of all: a claim that is about to commit is waited for, and its turn is found below
    end(session, owner_id, now=now)
    turns = session.execute(delete(Turn).where(Turn.owner_id == owner_id).returning(Turn.low, Turn.high)).all()
    doubtful = 0
    for turn in turns:
        parts = session.scalars(
            select(Part.id).where(
                Part.message_id.in_(select(Message.id).where(Message.id.between(turn.low, turn.high))),
                Part.owner_id == owner_id,
                Part.state == State.SUBMITTING,
            )
        ).all()
        refresh_messages(session, doubt(session, parts, now=now))
        doubtful += len(parts)
    return doubtful


def sign_off(session: Session, owner_id: int, *, now: datetime) -> None:
    """End in order. If a turn of this owner is still open, it is left for whoever takes over."""
    if session.scalar(select(Turn.id).where(Turn.owner_id == owner_id).limit(1)) is None:
        end(session, owner_id, now=now)
