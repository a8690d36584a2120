"""Who stands at the door: from a name and a password to a token, and from a token to an actor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, case, false, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.access import addresses, passwords, second_factor, sessions
from broadcaster.access.models import Door, SignIn, User
from broadcaster.access.users import actor_for, clean_name
from subscribers.actor import Actor
from subscribers.audit import note
from subscribers.db import Begin
from subscribers.errors import Denied, Invalid
from subscribers.models import Organisation

#: so many tries an account takes in so long; the right password is one of them
TRIES = 10
SPAN = timedelta(minutes=15)
#: between the password and the code
HALFWAY = timedelta(minutes=5)
#: how often its use is written down
NOTED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in.

    `must_change`: their password was given out by somebody else. `owes_code`: their rights ask for a second factor, and
    they have none yet.
    """

    actor: Actor
    user_id: int
    sign_in_id: int
    last_used_at: datetime
    must_change: bool
    owes_code: bool

    def is_to_be_noted(self, now: datetime) -> bool:
        """Whether their use of the sign-in is worth writing down; a clock that was put back is, too."""
        return abs(now - self.last_used_at) > NOTED


def sign_in(begin: Begin, name: str, password: str, *, door: Door = Door.SHELL, address: str = "") -> str:
    """Let somebody in: a new token. Raises `Denied`, in the same words for whatever was not right.

    Three steps, so that a try counts even if it fails, and that no transaction waits for the hash. The tries of one
    account take turns at its row: none is lost, however many come at once. `address`: of the network, if it came by
    one. At the web the token of who has a second factor is good for `enter_code` only.
    """
    with begin() as tx:
        welcome = not address or addresses.claim_try(tx.session, address, now=tx.now)
        kept = _claim_try(tx.session, name, now=tx.now) if welcome else None
    if not welcome:
        # an address knows how often it tried: not hashing tells nothing of any account
        raise _refusal()
    right, newer = passwords.matches(password, kept)
    if not right or kept is None:
        raise _refusal()
    with begin() as tx:
        if address:
            addresses.give_back(tx.session, address)
        return _enter(tx.session, clean_name(name), kept, newer, door, now=tx.now)


def check_own(begin: Begin, user_id: int, password: str) -> None:
    """Whether a user who is signed in types the password they have; a wrong one counts like one at the door."""
    with begin() as tx:
        kept = _claim_try(tx.session, tx.session.get_one(User, user_id).name, now=tx.now)
    if not passwords.matches(password, kept)[0]:
        raise _refusal()


def enter_code(begin: Begin, secret: bytes, token: str, code: str) -> str:
    """The second step: for the token of the first and a code, one that is good for everything.

    A try counts like one of a password. Raises `Denied` in the same words whatever was not right.
    """
    with begin() as tx:
        entered = _try_code(tx.session, secret, token, code, now=tx.now)
    if entered is None:
        raise Denied(
            "The code is not right, or it was used already.",
            hint="Wait for the next one, and see that the clock of your phone is right. After {tries} tries in "
            "{minutes} minutes the account waits.",
            tries=TRIES,
            minutes=int(SPAN.total_seconds() // 60),
        )
    return entered


def is_halfway(session: Session, token: str, *, now: datetime) -> bool:
    """Whether this token waits for a code."""
    return session.scalar(_halfway(token, now)) is not None


def visitor(session: Session, token: str, *, now: datetime, door: Door = Door.SHELL) -> Visitor | None:
    """Who holds this token, with the place in the tree that is theirs now; None if it is good no more."""
    found = session.execute(
        select(User, SignIn, Organisation.path)
        .join(SignIn, SignIn.user_id == User.id)
        .outerjoin(Organisation, Organisation.id == User.organisation_id)
        .where(
            SignIn.token_digest == sessions.digest(token),
            SignIn.door == door,
            SignIn.code_due.is_(False),
            SignIn.ended_at.is_(None),
            User.disabled_at.is_(None),
        )
        .execution_options(populate_existing=True)
    ).first()
    if found is None or not sessions.lasts(found[1], now):
        return None
    user, mine, path = found
    actor = actor_for(user, path or "")
    owes_code = user.code_since is None and second_factor.is_asked_for(actor.rights)
    return Visitor(actor, user.id, mine.id, mine.last_used_at, user.must_change, owes_code)


def actor_of(session: Session, token: str, *, now: datetime, door: Door = Door.SHELL) -> Actor:
    """The actor who holds this token. Raises `Denied` if it is good no more."""
    found = visitor(session, token, now=now, door=door)
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


def _enter(session: Session, name: str, kept: str, newer: str | None, door: Door, *, now: datetime) -> str:
    # what was true before the hash was computed must be so still: another password or a disabled user is another story
    asks_code = User.code_since.is_not(None) if door is Door.WEB else false()
    entered = session.execute(
        update(User)
        .where(and_(User.name == name, User.password_hash == kept, User.disabled_at.is_(None)))
        .values(
            # with the code still to come, nothing is forgiven yet: or it could be tried for ever
            failures=case((asks_code, User.failures), else_=0),
            failing_since=case((asks_code, User.failing_since), else_=None),
            password_hash=newer or kept,
        )
        .returning(User.id, User.code_since)
        .execution_options(synchronize_session=False)
    ).first()
    if entered is None:
        raise _refusal()
    if entered.code_since is not None and door is Door.WEB:
        return sessions.open_for(session, entered.id, door=door, code_due=True, now=now)
    note(session, Actor(name, frozenset()), "login", f"user {entered.id}", now=now)
    return sessions.open_for(session, entered.id, door=door, now=now)


def _try_code(session: Session, secret: bytes, token: str, code: str, *, now: datetime) -> str | None:
    user_id = session.scalar(_halfway(token, now))
    name = session.scalar(select(User.name).where(User.id == user_id))
    # counted before it is looked at, and at the row of the user: of two at once, one comes after the other
    if name is None or _claim_try(session, name, now=now) is None:
        return None
    user = session.get_one(User, user_id, populate_existing=True)
    if not second_factor.take(session, user, secret, code, now=now):
        return None
    sessions.end(session, token, now=now)
    user.failures, user.failing_since = 0, None
    note(session, Actor(name, frozenset()), "login", f"user {user.id}", now=now)
    return sessions.open_for(session, user.id, door=Door.WEB, now=now)


def _halfway(token: str, now: datetime) -> Select[int]:
    return select(SignIn.user_id).where(
        SignIn.token_digest == sessions.digest(token),
        SignIn.code_due.is_(True),
        SignIn.ended_at.is_(None),
        SignIn.created_at > now - HALFWAY,
    )


def _refusal() -> Denied:
    return Denied(
        "The name or the password is not right, or it was tried too often.",
        hint="An account takes {tries} tries in {minutes} minutes; an administrator can give it a new password.",
        tries=TRIES,
        minutes=int(SPAN.total_seconds() // 60),
    )
