"""Saved segments and lists of people: names to be used in rules.

Both belong to the place of whoever saved them (`organisation_id`; none: the whole tree), and are known there and
under it. A name is given once per place; the nearest place upwards that knows it is meant.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Key


class Segment(Base):
    """An audience by rule; who is in it is worked out when it is asked."""

    __tablename__ = "segment"
    __table_args__ = (
        UniqueConstraint("organisation_id", "name"),
        # a unique constraint lets rows without a place be alike
        Index(
            "uq_segment_everywhere",
            "name",
            unique=True,
            sqlite_where=text("organisation_id IS NULL"),
            postgresql_where=text("organisation_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(100))
    rule: Mapped[str] = mapped_column(Text)
    saved_by: Mapped[str] = mapped_column(String(100))
    saved_at: Mapped[datetime] = mapped_column(Instant)


class PeopleList(Base):
    """A list of people by hand or from a file, to be named in rules: `list("Delegates")`."""

    __tablename__ = "people_list"
    __table_args__ = (
        UniqueConstraint("organisation_id", "name"),
        Index(
            "uq_people_list_everywhere",
            "name",
            unique=True,
            sqlite_where=text("organisation_id IS NULL"),
            postgresql_where=text("organisation_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(100))
    saved_by: Mapped[str] = mapped_column(String(100))
    saved_at: Mapped[datetime] = mapped_column(Instant)


class Listed(Base):
    """One member on one list."""

    __tablename__ = "listed"
    __table_args__ = (Index("ix_listed_member", "member_id"),)

    list_id: Mapped[int] = mapped_column(ForeignKey("people_list.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(Key, primary_key=True)
