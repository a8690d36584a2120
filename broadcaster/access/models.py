"""Users, their sessions, and who tries to be one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, SmallInteger, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from subscribers.db import Base, Instant
from subscribers.models import Key


class Role(StrEnum):
    """What kind of work a user does; `broadcaster.access.roles` says what each may do."""

    VIEWER = "viewer"
    WRITER = "writer"
    EDITOR = "editor"
    APPROVER = "approver"
    OPERATOR = "operator"
    ADMIN = "admin"


class User(Base):
    """Somebody who works with the paper: one role, at one organisation and all that is under it."""

    __tablename__ = "app_user"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    #: None: the whole tree
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    password_hash: Mapped[str] = mapped_column(String(300))
    #: the password was given out by somebody else, and is to be replaced at the first sign-in
    must_change: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: what the secret of their authenticator is made from, together with the installation's own: alone it is no use
    code_seed: Mapped[str | None] = mapped_column(String(40))
    #: since when signing in at the web asks for a code; None: they have not shown one yet
    code_since: Mapped[datetime | None] = mapped_column(Instant)
    #: the half minute of the last code: none is taken twice
    code_step: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)


class Door(StrEnum):
    """Where somebody signed in: a token of one opens no other."""

    SHELL = "shell"
    WEB = "web"


class SignIn(Base):
    """A session: who holds the token is that user, until it ends."""

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_user", "user_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    #: SHA-256 of the token; the token itself is only with its holder
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    #: of what the forms of its pages carry
    form_digest: Mapped[str | None] = mapped_column(String(64), index=True)
    door: Mapped[str] = mapped_column(String(10), default=Door.SHELL, server_default=Door.SHELL.value)
    #: the password was right, the code is still to come
    code_due: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_used_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class RecoveryCode(Base):
    """One of the codes with which a user signs in once without their phone."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "mark"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    #: its first letter
    mark: Mapped[str] = mapped_column(String(1))
    code_hash: Mapped[str] = mapped_column(String(300))
    made_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class SignInTry(Base):
    """How often something was tried; forgotten when the span is over: see `broadcaster.access.tries`."""

    __tablename__ = "sign_in_try"

    #: an address of the network, or an account and the way that it was tried
    counted: Mapped[str] = mapped_column(String(60), primary_key=True)
    tries: Mapped[int] = mapped_column(SmallInteger)
    since: Mapped[datetime] = mapped_column(Instant, index=True)


class OwnPhone(Base):
    """The phone of a user, to which proofs go. It is theirs once they have typed the code that went there."""

    __tablename__ = "own_phone"

    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True, autoincrement=False)
    msisdn: Mapped[str] = mapped_column(String(20))
    noted_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)


class PhoneCode(Base):
    """A code that a user had sent to a number as their own; kept for a day, so that no phone rings all day."""

    __tablename__ = "phone_code"
    __table_args__ = (Index("ix_phone_code_mark", "mark"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    #: of the number
    mark: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(Instant)


class ReaderCode(Base):
    """A code that a reader has asked for. It is not kept: it follows from the row and the installation's secret."""

    __tablename__ = "reader_code"
    __table_args__ = (Index("ix_reader_code_mark", "mark"), Index("ix_reader_code_asked_at", "asked_at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: of what the browser that asked was given
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    #: of the number
    mark: Mapped[str] = mapped_column(String(64))
    #: until a worker has looked whose it is; then empty
    msisdn: Mapped[str] = mapped_column(String(20))
    #: whose it is; nobody's for a stranger
    members: Mapped[list[int]] = mapped_column(JSON)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    asked_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class ReaderDevice(Base):
    """A browser whose reader has typed the code."""

    __tablename__ = "reader_device"
    __table_args__ = (Index("ix_reader_device_mark", "mark"),)

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    mark: Mapped[str] = mapped_column(String(64))
    members: Mapped[list[int]] = mapped_column(JSON)
    since: Mapped[datetime] = mapped_column(Instant)
