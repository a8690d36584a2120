"""Keeping PostgreSQL to the keys in the statements of every turn."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from subscribers.db import is_sqlite

# a plan that has to do what is off looks dear, and then a server with a compiler would spend longer on compiling it
_OFF = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit")
_KEYS_ONLY = text("SELECT " + ", ".join(f"set_config('{name}', 'off', true)" for name in _OFF))


def go_by_keys(session: Session) -> None:
    """Until the end of this transaction, look rows up by their keys.

    A turn touches fifty rows of a table that may have millions, and its statistics are of a moment ago, when every
    message was queued and no part was written: a planner that believes them may read the whole table for each row.
    """
    if not is_sqlite(session):
        session.execute(_KEYS_ONLY)
