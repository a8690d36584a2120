"""A database that was restored from a backup knows nothing of what went out since: it must not send that again.

It is noticed by what stands beside it (`marks`), and by the server that it is in; or a person says so. Then every open
campaign waits for a person, and answers that were waiting are dropped: most of them had gone out.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import move
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import transitions
from broadcaster.delivery.models import Batch, Message, Owner, Part
from broadcaster.delivery.recording import insert_or_ignore
from broadcaster.delivery.states import State
from broadcaster.delivery.transitions import WAITING
from broadcaster.keeping.marks import Mark, Marks
from broadcaster.keeping.models import Installation
from broadcaster.language import msgid
from broadcaster.logs import get
from subscribers.actor import SYSTEM
from subscribers.audit import note
from subscribers.db import in_bulk, is_sqlite

log = get(__name__)

#: what a campaign that was stopped by it says
NOTE = msgid("The database was restored from a backup: what went out since the backup is not known here.")
#: and what a person does about it
HINT = msgid(
    "Ask the carrier what it took since the backup, then resume, send what was planned, or abort: docs/operating.md."
)
#: what would hand something over by itself
_OPEN = (CampaignState.SCHEDULED, CampaignState.PREPARING, CampaignState.SENDING)
#: where these wait for a person
_WAITS = {CampaignState.SCHEDULED: CampaignState.MISSED}


@dataclass(frozen=True, slots=True)
class Life:
    """The present life of a database, and whether it began by this look: then, which campaigns were stopped."""

    name: str
    restored: bool = False
    stopped: Sequence[int] = ()


def look(session: Session, marks: Marks, *, now: datetime) -> Life:
    """Which life of the database this is. One that is older than what left it begins another, with everything paused.

    To be asked before anything is claimed or started. Raises `Unavailable` if nothing can be noted beside it.
    """
    kept = session.scalars(select(Installation).execution_options(populate_existing=True)).one_or_none()
    if kept is None or _why(session, marks, kept):
        # looked at again by whoever holds it: somebody else may have begun a life meanwhile
        kept = _kept(session, marks)
        if why := _why(session, marks, kept):
            return _begin_anew(session, marks, kept, why, now=now)
    return Life(kept.life)


def _why(session: Session, marks: Marks, kept: Installation) -> str:
    """What tells that the database was restored; empty if nothing does."""
    mark, reached, place = marks.read(kept.life), _reached(session), _place(session)
    if mark is None and is_sqlite(session):
        return "nothing stands beside it"
    if mark is not None and (mark.turn > reached.turn or mark.part > reached.part):
        return "it is older than what left from here"
    if place and kept.place and kept.place != place:
        return "it is in another place"
    if mark is None:
        # a host that is new here
        marks.raise_to(kept.life, reached)
    return ""


def declare(session: Session, marks: Marks, *, now: datetime) -> Life:
    """A person says that it was restored."""
    return _begin_anew(session, marks, _kept(session, marks), "a person said so", now=now)


def waiting(session: Session) -> Sequence[int]:
    """The campaigns that were stopped by a restore, and that nobody has decided about."""
    states = (CampaignState.PAUSED, CampaignState.MISSED)
    return session.scalars(
        select(Campaign.id).where(Campaign.state.in_(states), Campaign.note == NOTE).order_by(Campaign.id)
    ).all()


def _kept(session: Session, marks: Marks) -> Installation:
    query = select(Installation).with_for_update().execution_options(populate_existing=True)
    kept = session.scalars(query).one_or_none()
    if kept is not None:
        return kept
    life, place = secrets.token_hex(16), _place(session)
    session.execute(insert_or_ignore(session, Installation), [{"id": 1, "life": life, "place": place}])
    kept = session.scalars(query).one()
    if kept.life == life:
        marks.raise_to(life, _reached(session))
    return kept


def _begin_anew(session: Session, marks: Marks, kept: Installation, why: str, *, now: datetime) -> Life:
    stopped = _stop_all(session)
    dropped = _drop_answers(session, now=now)
    # journals are of the life that was lost: what they say never left may have left in it
    session.execute(update(Owner).where(Owner.ended_at.is_(None)).values(token=None))
    kept.life, kept.place, kept.restored_at = secrets.token_hex(16), _place(session), now
    session.flush()
    marks.raise_to(kept.life, _reached(session))
    note(session, SYSTEM, "restored", "database", people=0, now=now, campaigns=stopped, answers=dropped)
    log.error(
        "the database was restored from a backup: open campaigns are stopped until somebody resumes or aborts them",
        why=why,
        campaigns=stopped,
        answers_dropped=dropped,
    )
    return Life(kept.life, True, stopped)


def _stop_all(session: Session) -> list[int]:
    open_ = select(Campaign).where(Campaign.state.in_(_OPEN)).order_by(Campaign.id).with_for_update()
    stopped = []
    for campaign in session.scalars(open_).all():
        to = _WAITS.get(CampaignState(campaign.state), CampaignState.PAUSED)
        move(session, campaign, to, note=NOTE, note_fields={})
        stopped.append(campaign.id)
    return stopped


def _drop_answers(session: Session, *, now: datetime) -> int:
    """Cancel the answers that wait. Returns how many."""
    batches = session.scalars(select(Batch).where(Batch.done.is_(False), Batch.campaign_id.is_(None))).all()
    dropped = 0
    for some in in_bulk(batches):
        mine = Message.id.in_({id_ for batch in some for id_ in range(batch.low, batch.high + 1)})
        waiting = select(Message.id).where(mine, Message.campaign_id.is_(None), Message.state.in_(WAITING))
        dropped += transitions.withdraw(session, session.scalars(waiting).all(), State.CANCELLED, now=now)
        for batch in some:
            batch.done = True
    return dropped


def _reached(session: Session) -> Mark:
    """The highest turn and part of this database. Turns are deleted when they are done, their numbers stay used."""
    if is_sqlite(session):
        turn = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'turn'"))
    else:
        turn = session.scalar(text("SELECT pg_sequence_last_value(pg_get_serial_sequence('turn', 'id')::regclass)"))
    part = session.scalar(select(Part.id).order_by(Part.id.desc()).limit(1))
    return Mark(turn or 0, part or 0)


def _place(session: Session) -> str:
    """The server and the database in it, as far as it tells: a dump that is restored is in another one."""
    if is_sqlite(session):
        return ""
    if not session.scalar(text("SELECT has_function_privilege('pg_control_system()', 'execute')")):
        return ""
    return str(
        session.scalar(
            text(
                "SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) "
                "FROM pg_control_system()"
            )
        )
    )
