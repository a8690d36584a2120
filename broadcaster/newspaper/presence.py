"""Who else has a page open on which one writes. It is a courtesy: what keeps words from being lost is their version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.access.models import User
from broadcaster.newspaper.models import Presence

#: whoever was not seen for so long has gone
GONE = timedelta(seconds=40)
#: after which it is forgotten that they were there
FORGOTTEN = timedelta(minutes=10)
#: how often it is written down that somebody is still there
NOTED = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is there."""

    name: str
    since: datetime


def others(session: Session, place: str, user_id: int, *, now: datetime) -> Sequence[Present]:
    """Who is at this place besides this user, first come first."""
    here = (Presence.place == place, Presence.user_id != user_id, Presence.seen_at > now - GONE)
    query = select(User.name, Presence.since).join(User, User.id == Presence.user_id)
    return [Present(*row) for row in session.execute(query.where(*here).order_by(Presence.since, User.name))]


def is_to_be_noted(session: Session, place: str, user_id: int, *, now: datetime) -> bool:
    """Whether it was not written down lately that somebody is here: then `note` is due."""
    mine = (Presence.place == place, Presence.user_id == user_id)
    lately = (Presence.seen_at > now - NOTED, Presence.seen_at <= now)
    return session.scalar(select(Presence.user_id).where(*mine, *lately)) is None


def note(session: Session, place: str, user_id: int, *, now: datetime) -> None:
    """Somebody is here now."""
    mine = (Presence.place == place, Presence.user_id == user_id)
    is_back = (*mine, Presence.seen_at <= now - GONE)
    session.execute(update(Presence).where(*is_back).values(since=now))
    done = session.execute(update(Presence).where(*mine).values(seen_at=now))
    if cast(CursorResult[Any], done).rowcount:
        return
    # however many pages somebody opens: what they have left is forgotten
    session.execute(delete(Presence).where(Presence.user_id == user_id, Presence.seen_at < now - GONE))
    try:
        with session.begin_nested():
            session.execute(insert(Presence).values(place=place, user_id=user_id, since=now, seen_at=now))
    except IntegrityError:
        # another window of theirs was faster
        return


def forget_old(session: Session, *, now: datetime) -> int:
    """Whoever has gone is forgotten: how many were."""
    done = session.execute(delete(Presence).where(Presence.seen_at < now - FORGOTTEN))
    return cast(CursorResult[Any], done).rowcount
