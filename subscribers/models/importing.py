"""Imports, so that one can be seen and undone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Key


class ImportRun(Base):
    """One file that was taken in: by whom, when, with what result."""

    __tablename__ = "import_run"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: what the file held: "members", "organisations", "consent"
    kind: Mapped[str] = mapped_column(String(20), default="members", server_default=text("'members'"))
    file_name: Mapped[str] = mapped_column(String(300))
    actor: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(Instant)
    created: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    refused: Mapped[int]
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
    #: of a list of members, what was chosen for it: see `subscribers.importing.last_time`
    choices: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    #: organisations that it made for its members: the first and the last id of each run without a gap
    places: Mapped[list[tuple[int, int]] | None] = mapped_column(JSON(none_as_null=True))


class ImportSpan(Base):
    """Members that one import made: all ids from the first to the last."""

    __tablename__ = "import_span"

    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    first_id: Mapped[int] = mapped_column(Key, primary_key=True)
    last_id: Mapped[int] = mapped_column(Key)
    #: no number that the import gave them has a greater id
    last_number_id: Mapped[int] = mapped_column(Key)


class ImportChange(Base):
    """What one import did to one member who was there before: the state before it, enough to put it back."""

    __tablename__ = "import_change"
    __table_args__ = (Index("ix_import_change_run", "import_run_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    import_run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"))
    member_id: Mapped[int] = mapped_column(Key)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
