"""What people did that somebody may have to answer for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Bytewise, Key


class Audit(Base):
    """One deed. Only ever added to: the database itself refuses to change or delete a row."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_at", "at"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(100))
    #: the part of the tree the actor acts in, as a path of ids; empty for all of it
    under: Mapped[str] = mapped_column(Bytewise, default="")
    #: "members.export", "users.add", "campaigns.send" ...
    deed: Mapped[str] = mapped_column(String(60))
    #: what it was done to, without any number or text: "member 12", "campaign 7"
    thing: Mapped[str] = mapped_column(String(200), default="")
    #: how many people it concerned
    people: Mapped[int] = mapped_column(default=1)
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
