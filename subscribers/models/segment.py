"""Saved segments: a name for a rule."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Key


class Segment(Base):
    """An audience by rule; who is in it is worked out when it is asked."""

    __tablename__ = "segment"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    rule: Mapped[str] = mapped_column(Text)
    saved_by: Mapped[str] = mapped_column(String(100))
    saved_at: Mapped[datetime] = mapped_column(Instant)


class PeopleList(Base):
    """A list of people by hand or from a file, to be named in rules: `list("Delegates")`."""

    __tablename__ = "people_list"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    saved_by: Mapped[str] = mapped_column(String(100))
    saved_at: Mapped[datetime] = mapped_column(Instant)


class Listed(Base):
    """One member on one list."""

    __tablename__ = "listed"

    list_id: Mapped[int] = mapped_column(ForeignKey("people_list.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(Key, primary_key=True)
