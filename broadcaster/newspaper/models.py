"""The tables of the desk. Columns, items and variants belong to one edition and keep the order of its file."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Bytewise, Key


class Edition(Base):
    """One numbered issue of the paper."""

    __tablename__ = "edition"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    date: Mapped[date]
    title: Mapped[str] = mapped_column(String(200))
    #: the file it was read from, as it was written
    source: Mapped[str] = mapped_column(Text)
    #: the part of the tree whose paper it is, as a path of ids; all that is under it may read it
    under: Mapped[str] = mapped_column(Bytewise, default="", server_default=text("''"))
    created_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)


class Column(Base):
    """A named place for items."""

    # COLUMN is a word of SQL
    __tablename__ = "edition_column"
    __table_args__ = (UniqueConstraint("edition_id", "position"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str] = mapped_column(String(50))


class Item(Base):
    """One article: a headline, what stands in the SMS, and the full text in Markdown for the reading page."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("column_id", "position"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    column_id: Mapped[int] = mapped_column(ForeignKey("edition_column.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    headline: Mapped[str] = mapped_column(String(100))
    sms: Mapped[str] = mapped_column(Text)
    full: Mapped[str] = mapped_column(Text, default="")
    #: variants of the edition, or "everyone" for all of them
    audience: Mapped[list[str]] = mapped_column(JSON)


class Variant(Base):
    """What one segment gets of an edition. The first, by position, whose segment holds a person is theirs."""

    __tablename__ = "variant"
    __table_args__ = (UniqueConstraint("edition_id", "name"),)

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    #: a segment by its name, or a rule
    name: Mapped[str] = mapped_column(String(500))
