"""Who else has a page open on which one writes. It is a courtesy: what keeps words from being lost is their version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.newspaper.models import Presence

#: whoever was not seen for so long has gone
GONE = timedelta(seconds=40)
#: how often it is written down that somebody is still there
NOTED = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is there."""

    name: str
    since: datetime


def others(session: Session, place: str, name: str, *, now: datetime) -> Sequence[Present]:
    """Who is at this place besides the one of this name, first come first."""
    here = (Presence.place == place, Presence.name != name, Presence.seen_at > now - GONE)
    rows = session.execute(select(Presence.name, Presence.since).where(*here).order_by(Presence.since, Presence.name))
    return [Present(*row) for row in rows]


def is_to_be_noted(session: Session, place: str, name: str, *, now: datetime) -> bool:
    """Whether it was not written down lately that somebody is here: then `note` is due."""
    mine = (Presence.place == place, Presence.name == name, Presence.seen_at > now - NOTED, Presence.seen_at <= now)
    return session.scalar(select(Presence.name).where(*mine)) is None


def note(session: Session, place: str, name: str, *, now: datetime) -> None:
    """Somebody is here now; whoever has gone long since is forgotten."""
    mine = (Presence.place == place, Presence.name == name)
    is_back = (*mine, Presence.seen_at <= now - GONE)
    session.execute(update(Presence).where(*is_back).values(since=now))
    done = session.execute(update(Presence).where(*mine).values(seen_at=now))
    if cast(CursorResult[Any], done).rowcount:
        return
    session.execute(delete(Presence).where(Presence.seen_at < now - timedelta(days=1)))
    try:
        with session.begin_nested():
            session.execute(insert(Presence).values(place=place, name=name, since=now, seen_at=now))
    except IntegrityError:
        # another window of theirs was faster
        return
