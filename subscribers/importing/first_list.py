"""The first list of a registry is written without most of the indexes, which are made once its rows are there.

PostgreSQL's manual advises it for filling a database: an index kept up row by row costs three times what it costs when
it is made at the end. It locks the tables until the import is over, so it is for a registry without members, where
nobody has anything to read; whoever answers by SMS meanwhile is heard afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Constraint, Index, Table, UniqueConstraint, exists, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session
from sqlalchemy.schema import AddConstraint, CreateIndex, DropConstraint, DropIndex

from subscribers.db import Base, is_sqlite
from subscribers.models import Member, Membership, Number, Subscription

#: bytes of a file from which on making indexes anew is worth a lock
_WORTH = 1 << 20
#: that of members stays: other tables refer to it
_PRIMARY_KEYS = (Number.__table__, Membership.__table__, Subscription.__table__)


class Aside:
    """Indexes that are not there for now. Nobody but `put_back` makes them again, or a rollback."""

    def __init__(self, session: Session, keys: Sequence[Index | Constraint]) -> None:
        self._session = session
        self._keys = keys

    def put_back(self) -> None:
        """Make them; does nothing if they are there. Not while a loader is writing."""
        keys, self._keys = self._keys, ()
        for key in keys:
            # or SQLAlchemy would leave the constraint out of the next CREATE TABLE
            making = CreateIndex(key) if isinstance(key, Index) else AddConstraint(key, isolate_from_table=False)
            self._session.execute(making)


def put_aside(session: Session, file_bytes: int) -> Aside:
    """Do without indexes, if this is a first list, and a long one, and nobody is at the tables now."""
    nothing = Aside(session, ())
    if file_bytes < _WORTH or is_sqlite(session) or session.scalar(select(exists(select(Member.id)))):
        return nothing
    tables: list[Table] = [
        Base.metadata.tables[each.__tablename__] for each in (Member, Number, Membership, Subscription)
    ]
    keys = [key for table in tables for key in _keys(table)]
    try:
        with session.begin_nested():
            names = ", ".join(table.name for table in tables)
            session.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE NOWAIT"))
            for key in keys:
                session.execute(DropIndex(key) if isinstance(key, Index) else DropConstraint(key))
    except (OperationalError, ProgrammingError):
        # somebody holds a lock, or the tables are not ours: it takes longer then
        return nothing
    return Aside(session, keys)


def _keys(table: Table) -> list[Index | Constraint]:
    constraints = [each for each in table.constraints if isinstance(each, UniqueConstraint)]
    primary = [table.primary_key] if table in _PRIMARY_KEYS else []
    return [*table.indexes, *constraints, *primary]
