"""What members wrote to us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
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
