"""What took long to find and does not change from one look to the next: kept for a while in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from subscribers.clock import monotonic

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
