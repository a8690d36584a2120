"""Who stands at the door: from a name and a password to a token, and from a token to an actor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.access import passwords, sessions
from broadcaster.access.models import SignIn, User
from broadcaster.access.users import actor_for, clean_name
from subscribers.actor import Actor
from subscribers.audit import note
from subscribers.db import Begin
from subscribers.errors import Denied, Invalid
from subscribers.models import Organisation

#: so many tries an account takes in so long; the right password is one of them
TRIES = 10
SPAN = timedelta(minutes=15)
#: a sign-in that was not used for so long is over
IDLE = timedelta(hours=12)
#: how often its use is written down
NOTED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in. `must_change`: their password was given out by somebody else."""

    actor: Actor
    user_id: int
    sign_in_id: int
    last_used_at: datetime
    must_change: bool

    def is_to_be_noted(self, now: datetime) -> bool:
        """Whether their use of the sign-in is worth writing down; a clock that was put back is, too."""
        return abs(now - self.last_used_at) > NOTED


def sign_in(begin: Begin, name: str, password: str) -> str:
    """Let somebody in: a new token. Raises `Denied`, in the same words for whatever was not right.

    Three steps, so that a try counts even if it fails, and that no transaction waits for the hash. The tries of one
    account take turns at its row: none is lost, however many come at once.
    """
    with begin() as tx:
        kept = _claim_try(tx.session, name, now=tx.now)
    right, newer = passwords.matches(password, kept)
    if not right or kept is None:
        raise _refusal()
    with begin() as tx:
        return _enter(tx.session, clean_name(name), kept, newer, now=tx.now)


def visitor(session: Session, token: str, *, now: datetime, idle: timedelta = IDLE) -> Visitor | None:
    """Who holds this token, with the place in the tree that is theirs now; None if it is good no more."""
    found = session.execute(
        select(User, SignIn, Organisation.path)
        .join(SignIn, SignIn.user_id == User.id)
        .outerjoin(Organisation, Organisation.id == User.organisation_id)
        .where(
            SignIn.token_digest == sessions.digest(token),
            SignIn.ended_at.is_(None),
            SignIn.last_used_at > now - idle,
            User.disabled_at.is_(None),
        )
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        return None
    user, mine, path = found
    return Visitor(actor_for(user, path or ""), user.id, mine.id, mine.last_used_at, user.must_change)


def actor_of(session: Session, token: str, *, now: datetime, idle: timedelta = IDLE) -> Actor:
    """The actor who holds this token. Raises `Denied` if it is good no more."""
    found = visitor(session, token, now=now, idle=idle)
    if found is None:
        raise Denied("You are not signed in.", hint="`broadsheet login NAME` signs you in.")
    return found.actor


def _claim_try(session: Session, name: str, *, now: datetime) -> str | None:
    """Count a try. The hash to compare with, or None for who is not let in whatever they type."""
    try:
        wanted = clean_name(name)
    except Invalid:
        return None
    # a span that begins in the future was written by a clock that has been put right since
    fresh = or_(User.failing_since.is_(None), User.failing_since <= now - SPAN, User.failing_since > now)
    row = session.execute(
        update(User)
        .where(User.name == wanted, User.disabled_at.is_(None), or_(fresh, User.failures < TRIES))
        .values(
            failures=case((fresh, 1), else_=User.failures + 1),
            failing_since=case((fresh, now), else_=User.failing_since),
        )
        .returning(User.id, User.password_hash, User.failures)
        .execution_options(synchronize_session=False)
    ).first()
    if row is None:
        return None
    if row.failures == TRIES:
        note(session, Actor(wanted, frozenset()), "login.tries", f"user {row.id}", now=now, tries=TRIES)
    kept: str = row.password_hash
    return kept


def _enter(session: Session, name: str, kept: str, newer: str | None, *, now: datetime) -> str:
    # what was true before the hash was computed must be so still: another password or a disabled user is another story
    entered = session.execute(
        update(User)
        .where(and_(User.name == name, User.password_hash == kept, User.disabled_at.is_(None)))
        .values(failures=0, failing_since=None, password_hash=newer or kept)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    ).first()
    if entered is None:
        raise _refusal()
    note(session, Actor(name, frozenset()), "login", f"user {entered.id}", now=now)
    return sessions.open_for(session, entered.id, now=now)


def _refusal() -> Denied:
    return Denied(
        "The name or the password is not right, or it was tried too often.",
        hint="An account takes {tries} tries in {minutes} minutes; an administrator can give it a new password.",
        tries=TRIES,
        minutes=int(SPAN.total_seconds() // 60),
    )
