"""Sign-ins that last: a token with its holder, a digest here, an end whenever somebody says so."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from broadcaster.access.models import Door, SignIn, User


@dataclass(frozen=True, slots=True)
class Life:
    """How long a sign-in lasts: unused, and in all."""

    idle: timedelta
    whole: timedelta


LIVES: Mapping[Door, Life] = {
    Door.SHELL: Life(timedelta(hours=12), timedelta(days=30)),
    Door.WEB: Life(timedelta(minutes=30), timedelta(hours=12)),
}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose page a form was sent from."""

    user_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Open:
    """A sign-in that lasts, as its owner sees it."""

    id: int
    door: str
    created_at: datetime
    last_used_at: datetime


def open_for(session: Session, user_id: int, *, door: Door = Door.SHELL, code_due: bool = False, now: datetime) -> str:
    """A new sign-in of this user: its token, 256 random bits, which is nowhere kept here."""
    token = secrets.token_urlsafe(32)
    session.add(
        SignIn(
            user_id=user_id,
            token_digest=digest(token),
            form_digest=digest(form_token(token)),
            door=door,
            code_due=code_due,
            created_at=now,
            last_used_at=now,
        )
    )
    session.flush()
    return token


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def form_token(token: str) -> str:
    """What the forms of this sign-in's pages carry: it tells nothing of the token. Pure."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def owner_of_form(session: Session, form_token: str) -> Owner | None:
    """Whose pages carry this, also when that sign-in is long over; None for what no page of a sign-in carries."""
    mine = (SignIn.form_digest == digest(form_token), SignIn.code_due.is_(False))
    found = session.execute(select(User.id, User.name).join(SignIn, SignIn.user_id == User.id).where(*mine)).first()
    return Owner(*found) if found else None


def used(session: Session, sign_in_id: int, *, now: datetime) -> None:
    """It is in use: the time after which it ends by itself begins anew."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(last_used_at=now))


def end(session: Session, token: str, *, now: datetime) -> None:
    """This sign-in is over."""
    mine = SignIn.token_digest == digest(token)
    session.execute(update(SignIn).where(mine, SignIn.ended_at.is_(None)).values(ended_at=now))


def open_ones(session: Session, user_id: int, *, now: datetime) -> list[Open]:
    """The sign-ins of a user that last, the one used last first."""
    mine = select(SignIn).where(SignIn.user_id == user_id, SignIn.ended_at.is_(None), SignIn.code_due.is_(False))
    return [
        Open(one.id, one.door, one.created_at, one.last_used_at)
        for one in session.scalars(mine.order_by(SignIn.last_used_at.desc(), SignIn.id.desc()))
        if lasts(one, now)
    ]


def lasts(one: SignIn, now: datetime) -> bool:
    """Whether it was used lately enough, and is not too old."""
    life = LIVES[Door(one.door)]
    return one.last_used_at > now - life.idle and one.created_at > now - life.whole


def end_one(session: Session, user_id: int, sign_in_id: int, *, now: datetime) -> None:
    """A user ends one of their own sign-ins; somebody else's is left alone."""
    mine = (SignIn.id == sign_in_id, SignIn.user_id == user_id, SignIn.ended_at.is_(None))
    session.execute(update(SignIn).where(*mine).values(ended_at=now))


def end_others(session: Session, user_id: int, sign_in_id: int, *, now: datetime) -> None:
    """All sign-ins of a user but this one are over."""
    others = (SignIn.user_id == user_id, SignIn.id != sign_in_id, SignIn.ended_at.is_(None))
    session.execute(update(SignIn).where(*others).values(ended_at=now))


def end_all(session: Session, user_id: int, *, now: datetime) -> None:
    """All sign-ins of a user are over."""
    session.execute(update(SignIn).where(SignIn.user_id == user_id, SignIn.ended_at.is_(None)).values(ended_at=now))
