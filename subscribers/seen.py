"""What somebody saw of a thing when they opened its form: whoever would write over what was saved since is told.

A form carries the mark of what it was opened with, and the second in which that was. Whoever brings none, as a command
does, writes over whatever there is.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from subscribers import audit
from subscribers.errors import Outdated

_DIGITS = 16
#: the last second that a form can have been opened in, as far as anybody believes it
_LATEST = 10**10


def mark(*values: object) -> str:
    """A short text for what is stored: the same for the same values, in a list or a tuple alike."""
    told = json.dumps(values, ensure_ascii=False, sort_keys=True, default=str)
    return sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def stamped(found: str, now: datetime) -> str:
    """A mark as a form carries it: with the second in which it was opened."""
    return f"{found}.{int(now.timestamp())}"


def is_outdated(read: str, before: str, after: str = "") -> bool:
    """Whether a form would write over what it was not opened with.

    `read` is what the form carries ("": nothing), `before` the mark of what is stored, `after` of what it would be
    then: what is saved twice is no other thing.
    """
    opened_with = read.partition(".")[0]
    return bool(opened_with) and opened_with != before and before != after


def refuse_outdated(
    session: Session,
    read: str,
    before: str,
    after: str = "",
    *,
    deeds: Collection[str],
    thing: str,
    is_undo: bool = False,
) -> None:
    """Raise `Outdated` where `is_outdated`; who did one of these deeds to this thing since is named, if it is known."""
    if is_outdated(read, before, after):
        # what was set already is not to be written for a look at the audit
        with session.no_autoflush:
            raise outdated(*audit.last_since(session, deeds, thing, _opened(read)), is_undo=is_undo)


def outdated(who: str = "", at: datetime | None = None, *, is_undo: bool = False) -> Outdated:
    """That another one has saved something since; `who` and `at` are empty where that is not known.

    `is_undo`: there is no form that could be sent once more.
    """
    hint = "What is there now stands below. Yours replaces it only if you press once more."
    if is_undo:
        hint = "What is there now stands below. Nothing was taken back."
    if who:
        return Outdated("{who} has changed this since you opened it.", hint=hint, who=who, at=at)
    return Outdated("This was changed since you opened it.", hint=hint, who=who, at=at)


def _opened(read: str) -> datetime:
    second = read.partition(".")[2]
    known = second.isascii() and second.isdigit() and len(second) < len(str(_LATEST))
    return datetime.fromtimestamp(int(second) if known else _LATEST, UTC)
