"""Consent: what a person said, and what follows from it now."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Key


class Wish(StrEnum):
    """What the holder of a number wants."""

    IN = "in"
    OUT = "out"


class Consent(Base):
    """Evidence, append-only: who agreed or refused, when, in which words, through which door.

    Without a number it is said of many at once: of everyone whose wish (`Subscription`, `ColumnWish`) rests on it.
    Before such a wish is replaced, the number gets a row of its own here: nothing that was said is ever lost.
    """

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_msisdn", "msisdn"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    msisdn: Mapped[str | None] = mapped_column(String(20))
    wish: Mapped[str] = mapped_column(String(3))
    #: the column of the paper that it is about; empty for the paper itself
    topic: Mapped[str] = mapped_column(String(100), default="", server_default=text("''"))
    #: "sms", "import", "operator", "carrier" ...
    source: Mapped[str] = mapped_column(String(40))
    #: the words that were sent or ticked, or the file and row they stood in
    wording: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(String(100))
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    at: Mapped[datetime] = mapped_column(Instant)


class Subscription(Base):
    """The present wish of each number: one narrow row, read inside every claim. `Consent` says how it came about."""

    __tablename__ = "subscription"

    msisdn: Mapped[str] = mapped_column(String(20), primary_key=True)
    wish: Mapped[str] = mapped_column(String(3))
    since: Mapped[datetime] = mapped_column(Instant)
    consent_id: Mapped[int] = mapped_column(Key)


class ColumnWish(Base):
    """The present wish of a number about one column of the paper; who wants no paper gets none of its columns."""

    __tablename__ = "column_wish"

    msisdn: Mapped[str] = mapped_column(String(20), primary_key=True)
    topic: Mapped[str] = mapped_column(String(100), primary_key=True)
    wish: Mapped[str] = mapped_column(String(3))
    since: Mapped[datetime] = mapped_column(Instant)
    consent_id: Mapped[int] = mapped_column(Key)


class ForgottenNumber(Base):
    """An opt-out that outlives its number: the number as a keyed hash, all that is left when a person is forgotten."""

    __tablename__ = "forgotten_number"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
