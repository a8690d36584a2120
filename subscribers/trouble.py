"""The database driver's errors, in words that say what to do."""

from __future__ import annotations

import logging

from sqlalchemy.exc import DBAPIError, OperationalError

from subscribers.errors import Conflict, Unavailable

log = logging.getLogger(__name__)

#: of a row that somebody else has just written, or has just taken away, by code: a server tells it in its own language
_AT_ONCE = {"23503", "23505", "40P01"} | {
    f"SQLITE_CONSTRAINT_{kind}" for kind in ("FOREIGNKEY", "PRIMARYKEY", "UNIQUE")
}


def in_words(error: DBAPIError) -> Exception:
    """What a person is told; the error itself where it is a mistake of ours and no state of the world."""
    detail = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
    if "no such table" in detail or ("relation" in detail and "does not exist" in detail):
        return Unavailable("The database is not set up yet: {detail}.", hint="Run `broadsheet init`.", detail=detail)
    if "readonly" in detail or "read-only" in detail or "permission denied" in detail:
        return Unavailable(
            "The database cannot be written: {detail}.", hint="Check who owns the data directory.", detail=detail
        )
    if "disk is full" in detail or "No space left" in detail:
        return Unavailable("The disk is full: {detail}.", hint="Make room; nothing is lost.", detail=detail)
    if "file is not a database" in detail or "malformed" in detail:
        return Unavailable(
            "The database file is damaged, or is no database: {detail}.",
            hint="Put a backup in its place; nothing is sent meanwhile.",
            detail=detail,
        )
    if "database is locked" in detail:
        return Unavailable(
            "The database is held by another process: {detail}.",
            hint="End what holds it, then try again.",
            detail=detail,
        )
    if {getattr(error.orig, name, None) for name in ("sqlstate", "sqlite_errorname")} & _AT_ONCE:
        # were it a mistake of ours, it would be there again and again
        log.warning("somebody was faster: %s", detail)
        return Conflict(
            "Somebody did something at this moment that this has to do with, and was faster.",
            hint="Look what is there now, and do it once more if it is still missing.",
        )
    if not isinstance(error, OperationalError):
        return error
    return Unavailable("The database does not answer: {detail}.", hint="Start it, then try again.", detail=detail)
