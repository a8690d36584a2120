"""What took long to find and does not change from one look to the next: kept for a while in this process."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from subscribers.clock import monotonic
from subscribers.db import Tx
from subscribers.drawn import span
from subscribers.segments import Known

Found = TypeVar("Found")

#: seconds for which a page tells "about" so many
ABOUT_FOR = 600.0
_MOST = 200
#: by the connections of an installation, which those who only read share
_kept: WeakKeyDictionary[Pool, dict[tuple[str, ...], tuple[float, object]]] = WeakKeyDictionary()


def remembered(
    session: Session, key: tuple[str, ...], lasts: Callable[[Found], float], find: Callable[[], Found]
) -> Found:
    """What was found before under this key, if it is younger than `lasts` tells in seconds; else what `find` finds."""
    kept = _kept.setdefault(session.get_bind().engine.pool, {})
    at, known = kept.get(key, (0.0, None))
    if known and monotonic() - at < lasts(cast(Found, known)):
        return cast(Found, known)
    found = find()
    if len(kept) >= _MOST:
        kept.clear()
    kept[key] = (monotonic(), found)
    return found


def known_of(tx: Tx, under: str, day: date) -> Known:
    """What was told of those who are drawn from a part of the tree: for ten minutes, or until somebody is new."""
    key = ("held", day.isoformat(), str(span(tx.session)), under)
    known: Known = remembered(tx.session, key, lambda _: ABOUT_FOR, dict)
    if len(known) >= _MOST:
        known.clear()
    return known
