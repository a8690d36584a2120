"""How far the emptying of old texts has come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
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
