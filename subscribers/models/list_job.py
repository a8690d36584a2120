"""Lists that were handed in, and what a worker does with them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Key


class ListJob(Base):
    """A list that somebody handed in, or an import that is taken back: how far that is, and what came of it."""

    __tablename__ = "list_job"
    __table_args__ = (Index("ix_list_job_state", "state"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: by which its owner finds it
    token: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    file_name: Mapped[str] = mapped_column(String(100))
    #: which import is taken back
    import_run_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    #: what was chosen on the page
    given: Mapped[dict[str, Any]] = mapped_column(JSON)
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    #: of whoever is at it; empty: nobody
    runner: Mapped[str] = mapped_column(String(16))
    #: how often it was begun
    begun: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(Integer)
    is_to_stop: Mapped[bool] = mapped_column(Boolean)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    trouble: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    @property
    def is_open(self) -> bool:
        """Whether it is to be done, or being done."""
        return self.state in ("waiting", "running")


class ListPiece(Base):
    """A piece of a file that was handed in, until it is taken in."""

    __tablename__ = "list_piece"

    job_id: Mapped[int] = mapped_column(ForeignKey("list_job.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RefusedPiece(Base):
    """Refused rows of an import, with the reasons, for a while."""

    __tablename__ = "refused_piece"

    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
