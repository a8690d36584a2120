"""Members, their numbers and their dated membership."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    false,
    literal_column,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models.organisation import Bytewise, Key


class Status(StrEnum):
    """A member's standing. Living away ("mobile") is a flag beside it, not a status."""

    IN_SERVICE = "in_service"
    RETIRED = "retired"
    PROBATIONARY = "probationary"
    APPLICANT = "applicant"


class NumberKind(StrEnum):
    """What a number can receive."""

    MOBILE = "mobile"
    LANDLINE = "landline"


class Member(Base):
    """A person on the list."""

    __tablename__ = "member"
    __table_args__ = (
        # with the names: a key tells how a name begins, and not with which character
        Index("ix_member_search_key", "search_key", "id", "name", postgresql_ops={"name": "varchar_pattern_ops"}),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    external_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    #: empty once they are forgotten
    name: Mapped[str] = mapped_column(String(100))
    #: how the name is looked for: `subscribers.names.search_key`
    search_key: Mapped[str] = mapped_column(Bytewise, default="", server_default=text("''"))
    birthday: Mapped[date | None]
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    #: columns of the user's own spreadsheet that the registry has no name for
    fields: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(Instant)
    #: when their data were erased at their request
    forgotten_at: Mapped[datetime | None] = mapped_column(Instant)


_END = "substr(msisdn, length(msisdn) - 3)"
#: of a `Number`, as its index knows it: with a parameter in it, none would be used
NUMBER_END: ColumnElement[str] = literal_column("substr(number.msisdn, length(number.msisdn) - 3)", String)


class Number(Base):
    """A telephone number of a member. Two members may share a handset: then each has a row.

    No foreign key here nor on `Membership`: they cost an import of a province half of its time
    (docs/decisions/0006). Members are never deleted but by the undo of the import that made them.
    """

    __tablename__ = "number"
    __table_args__ = (
        UniqueConstraint("member_id", "msisdn"),
        Index("ix_number_msisdn", "msisdn"),
        # the last four digits, by which people look for somebody; both databases read it so
        Index("ix_number_end", text(_END)),
        # the few that nobody was known to have, the last time
        Index(
            "ix_number_unknown",
            "msisdn",
            postgresql_where=text("unknown_in_a_row > 0"),
            sqlite_where=text("unknown_in_a_row > 0"),
        ),
        # the few that wait for a person
        Index(
            "ix_number_suspended",
            "suspended_at",
            postgresql_where=text("suspended_at IS NOT NULL"),
            sqlite_where=text("suspended_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    member_id: Mapped[int] = mapped_column(Key)
    msisdn: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(10), default=NumberKind.MOBILE)
    preferred: Mapped[bool] = mapped_column(default=True, server_default=true())
    shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    operator: Mapped[str | None] = mapped_column(String(20))
    #: when a receipt or a person said so; None if the operator is only what the table of ranges tells
    operator_told_at: Mapped[datetime | None] = mapped_column(Instant)
    #: receipts in a row that said nobody has this number
    unknown_in_a_row: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))
    #: set when receipts say again and again that nobody has this number; a person looks before it is used again
    suspended_at: Mapped[datetime | None] = mapped_column(Instant)


class Membership(Base):
    """What was true of a member from a day until another: where, in which standing, at home or away.

    A change closes the open row (`valid_until`, the first day it no longer holds) and opens a new one, so that every
    count can be asked as of any day. At most one row of a member is open.
    """

    __tablename__ = "membership"
    __table_args__ = (
        Index("ix_membership_member", "member_id", "valid_from"),
        # all that a count by place and standing reads
        Index(
            "ix_membership_organisation",
            "organisation_id",
            "status",
            "valid_from",
            "valid_until",
            "mobile",
            "member_id",
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    member_id: Mapped[int] = mapped_column(Key)
    organisation_id: Mapped[int] = mapped_column(Key)
    status: Mapped[str] = mapped_column(String(20))
    mobile: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: of somebody living away: where they live, and the branch that looks after them there, in its own words
    away_place: Mapped[str | None] = mapped_column(String(100))
    host_branch: Mapped[str | None] = mapped_column(String(200))
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
