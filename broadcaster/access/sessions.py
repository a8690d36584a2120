"""Sign-ins that last: a token with its holder, a digest here, an end whenever somebody says so."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from broadcaster.access.models import SignIn


def open_for(session: Session, user_id: int, *, now: datetime) -> str:
    """A new sign-in of this user: its token, 256 random bits, which is nowhere kept here."""
    token = secrets.token_urlsafe(32)
    session.add(SignIn(user_id=user_id, token_digest=digest(token), created_at=now, last_used_at=now))
    session.flush()
    return token


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def used(session: Session, sign_in_id: int, *, now: datetime) -> None:
    """It is in use: the time after which it ends by itself begins anew."""
    session.execute(update(SignIn).where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None)).values(last_used_at=now))


def end(session: Session, token: str, *, now: datetime) -> None:
    """This sign-in is over."""
    mine = SignIn.token_digest == digest(token)
    session.execute(update(SignIn).where(mine, SignIn.ended_at.is_(None)).values(ended_at=now))


def end_all(session: Session, user_id: int, *, now: datetime) -> None:
    """All sign-ins of a user are over."""
    session.execute(update(SignIn).where(SignIn.user_id == user_id, SignIn.ended_at.is_(None)).values(ended_at=now))
