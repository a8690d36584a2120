"""Who hands parts over, and what becomes of the parts of one who died."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, literal, select, update
from sqlalchemy.orm import Session

from broadcaster.delivery.journal import Evidence, Journal
from broadcaster.delivery.locks import Held, Locks
from broadcaster.delivery.models import Lease, Message, Owner, Part, Turn
from broadcaster.delivery.recording import ClaimedTurn, record
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Outcome, OutcomeUnknown, Unreachable, settled
from subscribers.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Ownership:
    """This process as an owner of parts."""

    id: int
    pid: int
    held: Held
    journal: Journal

    def valid(self) -> bool:
        """Whether this process is still the one that registered (not a fork of it) and its lock still stands."""
        return self.pid == os.getpid() and self.held.still_held()


def register(session: Session, locks: Locks, journals: Path, *, now: datetime) -> Ownership:
    """Make this process an owner. The lock is taken before the row can be seen, so that nobody finds it without one.

    `journals`: the folder where it notes what leaves. Raises `Unavailable` when there is no room for that.
    """
    token = secrets.token_hex(16)
    owner = Owner(host=socket.gethostname(), pid=os.getpid(), started_at=now, token=token)
    session.add(owner)
    session.flush()
    held = locks.take(owner.id)
    if held is None:
        raise RuntimeError(f"the lock of the new owner {owner.id} is held by another process")
    try:
        noted = Journal(journal_of(journals, owner.id), token)
    except Unavailable:
        held.release()
        raise
    return Ownership(owner.id, owner.pid, held, noted)


def journal_of(journals: Path, owner_id: int) -> Path:
    """Where an owner notes what leaves."""
    return journals / f"owner-{owner_id}"


def is_ended(session: Session, owner_id: int, *, hold: bool = False) -> bool:
    """Whether someone has taken this owner for dead: then it may report results, and claim nothing more.

    `hold`: nobody can take it for dead before this transaction ends, so that what is claimed in it will be found.
    """
    query = select(Owner.ended_at).where(Owner.id == owner_id)
    return session.scalar(query.with_for_update(read=True) if hold else query) is not None


def living(session: Session) -> Sequence[Owner]:
    """The owners that nobody has found dead."""
    return session.scalars(select(Owner).where(Owner.ended_at.is_(None)).order_by(Owner.id)).all()


def ended(session: Session, owner_ids: Collection[int]) -> Sequence[int]:
    """Those of these owners that have signed off, or were buried."""
    return session.scalars(select(Owner.id).where(Owner.id.in_(owner_ids), Owner.ended_at.is_not(None))).all()


def end(session: Session, owner_id: int, *, now: datetime) -> None:
    """Sign off in order: nothing of this owner is in flight. Its places are free for others."""
    session.execute(update(Owner).where(Owner.id == owner_id, Owner.ended_at.is_(None)).values(ended_at=now))
    session.execute(delete(Lease).where(Lease.owner_id == owner_id))


def bury(session: Session, owner_id: int, evidence: Evidence | None, *, now: datetime) -> int:
    """Take over from an owner whose lock we hold. Returns how many parts are in doubt.

    Its journal tells what never left, and is sent now, and what was answered. What is left has begun to leave; without
    a journal that may be all it had claimed. It may or may not have arrived, and nobody can tell from here, so it is
    never sent again. Receipts settle most of it.
    """
    # first of all: a claim that is about to commit is waited for, and its turn is found below
    end(session, owner_id, now=now)
    doubtful = 0
    for turn in session.scalars(select(Turn).where(Turn.owner_id == owner_id).order_by(Turn.low)).all():
        parts: Any = session.execute(
            select(Part.id.label("part_id"), Message.msisdn, Part.message_id, _NOBODY_KNOWS)
            .join(Message, Message.id == Part.message_id)
            .where(Message.id.between(turn.low, turn.high), Part.owner_id == owner_id, Part.state == State.SUBMITTING)
            .order_by(Part.id)
        ).all()
        left = ClaimedTurn(turn.id, turn.campaign_id, turn.gateway, turn.lane, parts, [p.message_id for p in parts])
        became = [_became(evidence, part.part_id) for part in parts]
        doubtful += record(session, left, settled(parts, became), now=now).unknown
    return doubtful


#: how many parts its message has: each is looked at by itself
_NOBODY_KNOWS = literal(0).label("total")


def _became(evidence: Evidence | None, part_id: int) -> Outcome:
    if evidence is None:
        return OutcomeUnknown("its sender died, and nothing tells how far it had got")
    return evidence.of(part_id) or Unreachable("its sender died before it left")


def sign_off(session: Session, owner_id: int, *, now: datetime) -> None:
    """End in order. If a turn of this owner is still open, it is left for whoever takes over."""
    if session.scalar(select(Turn.id).where(Turn.owner_id == owner_id).limit(1)) is None:
        end(session, owner_id, now=now)
