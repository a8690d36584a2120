"""What members wrote to us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Float, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models import Key


class LetterState(StrEnum):
    """Where a letter is."""

    #: received, not yet looked at by the router
    NEW = "new"
    #: a handler has dealt with it; nobody needs to
    HANDLED = "handled"
    #: in the inbox, waits for a person
    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Letter(Base):
    """A message from a member (MO), kept as it came, once."""

    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("gateway", "provider_id"),
        Index("ix_letter_new", "id", postgresql_where=text("state = 'new'"), sqlite_where=text("state = 'new'")),
        Index("ix_letter_msisdn", "msisdn"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    gateway: Mapped[str] = mapped_column(String(40))
    provider_id: Mapped[str] = mapped_column(String(100))
    msisdn: Mapped[str] = mapped_column(String(20))
    destination: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(Instant)
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    #: the last campaign that this number was part of: what the letter most likely answers
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    state: Mapped[str] = mapped_column(String(10), default=LetterState.NEW)
    #: the handler that took it: "opt_out", "come_back", "inbox" ...; of a new one, what its carrier has taken it as
    handled_as: Mapped[str | None] = mapped_column(String(20))
    handled_at: Mapped[datetime | None] = mapped_column(Instant)
    answer_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"))
    closed_by: Mapped[str | None] = mapped_column(String(100))

    @property
    def from_a_telephone(self) -> bool:
        """Whether a telephone's number sent it; to a service or a word nothing is ever answered."""
        return self.msisdn.startswith("+")


class LetterPart(Base):
    """A part of a long letter, until it is joined; then, without its words, until the carrier repeats it no more."""

    __tablename__ = "letter_part"
    __table_args__ = (
        # the convention would make a name that PostgreSQL cuts off
        UniqueConstraint(
            "msisdn", "gateway", "destination", "reference", "bits", "total", "number", name="uq_letter_part_key"
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    gateway: Mapped[str] = mapped_column(String(40))
    msisdn: Mapped[str] = mapped_column(String(20))
    destination: Mapped[str] = mapped_column(String(40))
    reference: Mapped[int]
    bits: Mapped[int] = mapped_column(SmallInteger)
    total: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int] = mapped_column(SmallInteger)
    charset: Mapped[str] = mapped_column(String(20))
    octets: Mapped[bytes] = mapped_column(LargeBinary)
    #: tells a repeat by the carrier from another message under the same reference
    digest: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime] = mapped_column(Instant)
    #: when it is waited for no longer; of one that was joined: when it is forgotten
    until: Mapped[datetime] = mapped_column(Instant)
    #: seconds for which it is remembered once it is joined
    repeats_within: Mapped[float] = mapped_column(Float)
    joined_at: Mapped[datetime | None] = mapped_column(Instant)
