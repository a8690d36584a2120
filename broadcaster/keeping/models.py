"""How far the emptying of old texts has come; which life of the database this is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models import Key


class Emptying(Base):
    """One walk through rows that grow old: the texts of one campaign, or all raw receipts.

    A walk that is done begins anew where there may be more: a campaign that was sent again, letters dealt with late.
    """

    __tablename__ = "emptying"

    what: Mapped[str] = mapped_column(String(20), primary_key=True)
    #: the campaign's id; 0 for what belongs to no campaign
    of: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    #: rows up to this id were looked at
    cursor: Mapped[int] = mapped_column(Key, default=0)
    done_at: Mapped[datetime | None] = mapped_column(Instant)


class Installation(Base):
    """One row: by what this database is known again, beside itself."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, default=1)
    #: of this life of the database; a restored one begins another
    life: Mapped[str] = mapped_column(String(32))
    #: the server and the database that it lives in; empty for a file, which may be moved
    place: Mapped[str] = mapped_column(String(100), default="")
    #: when it was last noticed, or said, that it had been restored from a backup
    restored_at: Mapped[datetime | None] = mapped_column(Instant)
