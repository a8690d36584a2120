"""Keeping PostgreSQL to the keys in the statements of every turn."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from subscribers.db import is_sqlite, unread

_HOW = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # along the key, rows are locked in its order: two who want the same ones do not wait for each other
    "enable_bitmapscan": "off",
    # a plan that has to do what is off looks dear, and then a server with a compiler would spend longer on compiling it
    "jit": "off",
    # a plan that was kept since the tables were empty reads all of one for each row of another; making one costs less
    # than a hundredth of what a turn does
    "plan_cache_mode": "force_custom_plan",
}
_KEYS_ONLY = text("SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _HOW.items()))


def go_by_keys(session: Session) -> None:
    """Until the end of this transaction, look rows up by their keys.

    A turn touches fifty rows of a table that may have millions, and its statistics are of a moment ago, when every
    message was queued and no part was written: a planner that believes them may read the whole table for each row.
    """
    if is_sqlite(session):
        return
    session.connection()
    begun = session.get_transaction()
    if session.info.get(_KEYS_ONLY) is begun:
        return
    session.info[_KEYS_ONLY] = begun
    # said first of all, it travels with the beginning of the transaction
    with unread(session):
        session.execute(_KEYS_ONLY)
