"""The tree of organisations."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint, text
from sqlalchemy.engine import ExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base
from subscribers.names import place_key

#: SQLite numbers rows by itself only when the key is declared INTEGER
Key = BigInteger().with_variant(Integer, "sqlite")
#: compared byte by byte on every database, so that a prefix is a range of the index
Bytewise = String(400).with_variant(String(400, collation="C"), "postgresql")


def _spelled(context: ExecutionContext) -> str:
    return place_key(str(context.get_current_parameters()["name"]))  # type: ignore[attr-defined]


class Organisation(Base):
    """A committee, a general branch, a branch: one node of the tree.

    `path` is the chain of ids from the root, each followed by a slash (`1/5/23/`): a subtree is a range of an index.
    """

    __tablename__ = "organisation"
    __table_args__ = (
        UniqueConstraint("parent_id", "name"),
        # a unique constraint lets rows without a parent be alike
        Index(
            "uq_organisation_top",
            "name",
            unique=True,
            sqlite_where=text("parent_id IS NULL"),
            postgresql_where=text("parent_id IS NULL"),
        ),
        Index("ix_organisation_path", "path"),
        # one level, in pages
        Index("ix_organisation_parent", "parent_id", "id"),
        # rules may give only the end of a path
        Index("ix_organisation_name", "name"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str] = mapped_column(String(200))
    #: see `subscribers.names.place_key`
    search_key: Mapped[str] = mapped_column(Bytewise, default=_spelled, server_default=text("''"))
    kind: Mapped[str] = mapped_column(String(40), default="")
    level: Mapped[int]
    path: Mapped[str] = mapped_column(Bytewise, default="")
    opened_on: Mapped[date | None]
    closed_on: Mapped[date | None]
