"""Consent: what a person said, and what follows from it now."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Key


class Wish(StrEnum):
    """What the holder of a number wants."""

    IN = "in"
    OUT = "out"


class Consent(Base):
    """Evidence, append-only: who agreed or refused, when, in which words, through which door."""

    __tablename__ = "consent"
    __table_args__ = (Index("ix_consent_msisdn", "msisdn"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    msisdn: Mapped[str] = mapped_column(String(20))
    wish: Mapped[str] = mapped_column(String(3))
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
    consent_id: Mapped[int] = mapped_column(ForeignKey("consent.id"))
