"""Members on their way from one organisation to another, and people who ask to become members."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Key


class TransferState(StrEnum):
    """How far a transfer is. Only `asked` is open."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Transfer(Base):
    """Asked by one side, accepted by the other. Until then the old organisation counts the member, then the new."""

    __tablename__ = "transfer"
    __table_args__ = (
        # nobody is asked for twice at once
        Index(
            "uq_transfer_open",
            "member_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
        Index("ix_transfer_member", "member_id"),
        Index("ix_transfer_state", "state", "expires_at"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("member.id"))
    from_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    to_organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(200), default="")
    asked_by: Mapped[str] = mapped_column(String(100))
    #: whether the organisation that is to get the member asked; else it was the one that has them
    by_destination: Mapped[bool] = mapped_column(default=False, server_default=false())
    asked_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    #: from which day the new organisation counts them; None unless accepted
    effective_on: Mapped[date | None]


class AdmissionState(StrEnum):
    """How far an application is. Only `waiting` is open."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Admission(Base):
    """Somebody asked by SMS to get the paper, under a name. Known names are let in at once, others by an approver."""

    __tablename__ = "admission"
    __table_args__ = (
        Index("ix_admission_state", "state", "id"),
        Index("ix_admission_msisdn", "msisdn"),
        # who asks twice still waits once; two who share a handset may both wait
        Index(
            "uq_admission_waiting",
            "msisdn",
            "name",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    msisdn: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    #: what they wrote, the evidence of their consent
    wording: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(20))
    #: whose business it is: the organisation of whom they may be, or the nearest above all of that name
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    #: who they turned out to be
    member_id: Mapped[int | None] = mapped_column(ForeignKey("member.id"))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(100))
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
