"""Who stands at the door: from a name and a password to a token, and from a token to an actor."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, select, update
from sqlalchemy.orm import Session

from broadcaster.access import devices, passwords, recovery, second_factor, sessions, tries, users
from broadcaster.access.models import Door, SignIn, User
from broadcaster.access.users import actor_for, clean_name
from subscribers.actor import Actor
from subscribers.audit import note
from subscribers.db import Begin
from subscribers.errors import Denied, Invalid
from subscribers.models import Organisation

#: between the password and the code
HALFWAY = timedelta(minutes=5)
#: the way of who is signed in, and is asked for a code of the phone that they have
_CODE = "code"
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


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody came to the door.

    `address`: of the network, if they came by one. `device`: what their browser keeps, and `secret` tells whose it is:
    see `broadcaster.access.devices`.
    """

    door: Door = Door.SHELL
    address: str = ""
    device: str = field(default="", repr=False)
    secret: bytes = field(default=b"", repr=False)


AT_THE_SHELL = Way()


def sign_in(begin: Begin, name: str, password: str, way: Way = AT_THE_SHELL) -> str:
    """Let somebody in: a new token. Raises `Denied`, in the same words for whatever was not right.

    Three steps, so that a try counts even if it fails, and that no transaction waits for the hash. At the web the token
    of who has a second factor is good for `enter_code` only.
    """
    with begin() as tx:
        tries.forget_old(tx.session, now=tx.now)
        user = _named(tx.session, name)
        mark = devices.mark_of(way.secret, way.device, user.id) if user else ""
        # a browser that is known is counted for itself, whoever else is behind its address
        address = "" if mark else tries.network_of(way.address)
        welcome = not address or tries.claim(tx.session, address, most=tries.OF_ADDRESS, now=tx.now) is not None
        may = welcome and user is not None and _claim(tx.session, user, _counted(user, way.door, mark), now=tx.now)
    if not welcome:
        # an address knows how often it tried: not hashing tells nothing of any account
        raise _refusal()
    kept = user.password_hash if user and may else None
    right, newer = passwords.matches(password, kept)
    if not right or kept is None or user is None:
        raise _refusal()
    with begin() as tx:
        if address:
            tries.give_back(tx.session, address)
        return _enter(tx.session, user, kept, newer, way.door, _counted(user, way.door, mark), now=tx.now)


def change_own_password(begin: Begin, user_id: int, old: str, new: str) -> None:
    """A user who is signed in chooses another password, with the one they have; all their sign-ins end.

    Wrong ones are counted apart from those of whoever stands at the door. Raises `Denied`, `Invalid`.
    """
    with begin() as tx:
        user = tx.session.get_one(User, user_id)
        passwords.check(new, user.name)
        counted = tries.of_account(user_id, tries.OWN)
        kept = user.password_hash if _claim(tx.session, user, counted, now=tx.now) else None
    if kept is None or not passwords.matches(old, kept)[0]:
        raise Denied(
            "The password you have now is not right, or it was tried too often.",
            hint="Nothing was changed. After {tries} tries in {minutes} minutes one has to wait.",
            **_limits(),
        )
    if passwords.one_form(old) == passwords.one_form(new):
        raise Invalid("That is the password you have.", hint="Choose another one.")
    hashed = passwords.hashed(passwords.check(new, user.name))
    with begin() as tx:
        users.put_own_password(tx.session, user_id, kept, hashed, now=tx.now)


def enter_code(begin: Begin, token: str, code: str, way: Way) -> str:
    """The second step: for the token of the first and a code, one that is good for everything.

    A recovery code does as well, once. A try counts like one of a password. Raises `Denied` in the same words whatever
    was not right.
    """
    if recovery.is_one(code):
        entered = _try_recovery(begin, token, code, way)
    else:
        with begin() as tx:
            entered = _try_code(tx.session, token, code, way, now=tx.now)
    if entered is None:
        raise _wrong_code()
    return entered


def make_recovery_codes(begin: Begin, user_id: int) -> list[str]:
    """Other recovery codes for who has just shown that the phone is theirs: to be shown once. The earlier ones end."""
    codes = recovery.generate()
    kept = recovery.hashes(codes)
    with begin() as tx:
        user = tx.session.get_one(User, user_id, with_for_update=True, populate_existing=True)
        recovery.replace(tx.session, user_id, kept, now=tx.now)
        me = Actor(user.name, frozenset())
        note(tx.session, me, "users.recovery_codes", f"user {user_id}", now=tx.now, made=len(codes))
    return codes


def renew_recovery_codes(begin: Begin, user_id: int, code: str, secret: bytes) -> list[str]:
    """The same for a code of the phone, as it shows it now. A wrong one counts like one of a password.

    Raises `Denied` in the same words whatever was not right.
    """
    with begin() as tx:
        user = tx.session.get_one(User, user_id)
        may = _claim(tx.session, user, tries.of_account(user_id, _CODE), now=tx.now)
    if may:
        with begin() as tx:
            user = tx.session.get_one(User, user_id, with_for_update=True, populate_existing=True)
            may = second_factor.take(tx.session, user, secret, code, now=tx.now)
            if may:
                tries.forget(tx.session, tries.of_account(user_id, _CODE))
    if not may:
        raise _wrong_code()
    return make_recovery_codes(begin, user_id)


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


def _named(session: Session, name: str) -> User | None:
    """Who is let in under this name, if they know the password."""
    try:
        wanted = clean_name(name)
    except Invalid:
        return None
    return session.scalar(select(User).where(User.name == wanted, User.disabled_at.is_(None)))


def _counted(user: User, door: Door, mark: str) -> str:
    return f"device {mark}" if mark else tries.of_account(user.id, door)


def _claim(session: Session, user: User, counted: str, *, now: datetime) -> bool:
    """Count a try at an account: whether it may go on."""
    n = tries.claim(session, counted, most=tries.OF_ACCOUNT, now=now)
    if n == tries.OF_ACCOUNT:
        note(session, Actor(user.name, frozenset()), "login.tries", f"user {user.id}", now=now, tries=n)
    return n is not None


def _enter(
    session: Session, user: User, kept: str, newer: str | None, door: Door, counted: str, *, now: datetime
) -> str:
    # what was true before the hash was computed must be so still: another password or a disabled user is another story
    entered = session.execute(
        update(User)
        .where(and_(User.id == user.id, User.password_hash == kept, User.disabled_at.is_(None)))
        .values(password_hash=newer or kept)
        .returning(User.code_since)
        .execution_options(synchronize_session=False)
    ).first()
    if entered is None:
        raise _refusal()
    if entered.code_since is not None and door is Door.WEB:
        # with the code still to come, nothing is forgiven yet: or it could be tried for ever
        return sessions.open_for(session, user.id, door=door, code_due=True, now=now)
    tries.forget(session, counted)
    note(session, Actor(user.name, frozenset()), "login", f"user {user.id}", now=now)
    return sessions.open_for(session, user.id, door=door, now=now)


def _try_recovery(begin: Begin, token: str, code: str, way: Way) -> str | None:
    """Three steps, as for a password: a try counts even if it fails, and no transaction waits for the hash."""
    with begin() as tx:
        user, counted = _claimed(tx.session, token, way, now=tx.now)
        known = recovery.kept_of(tx.session, user.id, code) if user else None
        code_id, kept = (known.id, known.code_hash) if known else (0, None)
    if user is None or not passwords.matches(recovery.plain(code), kept)[0]:
        return None
    with begin() as tx:
        # what was true before the hash was computed must be so still
        found = tx.session.get(User, tx.session.scalar(_halfway(token, tx.now)) or 0, populate_existing=True)
        if found is None or found.disabled_at is not None or not recovery.use(tx.session, code_id, now=tx.now):
            return None
        me = Actor(found.name, frozenset())
        note(tx.session, me, "users.recovery", f"user {found.id}", now=tx.now, left=recovery.left(tx.session, found.id))
        return _through(tx.session, found, token, counted, now=tx.now)


def _try_code(session: Session, token: str, code: str, way: Way, *, now: datetime) -> str | None:
    user, counted = _claimed(session, token, way, now=now)
    if user is None:
        return None
    # of two at once, one comes after the other
    session.refresh(user, with_for_update=True)
    if not second_factor.take(session, user, way.secret, code, now=now):
        return None
    return _through(session, user, token, counted, now=now)


def _claimed(session: Session, token: str, way: Way, *, now: datetime) -> tuple[User | None, str]:
    """Whose first step this token is, if they may try a code: it is counted before it is looked at."""
    user_id = session.scalar(_halfway(token, now))
    user = session.get(User, user_id) if user_id is not None else None
    if user is None or user.disabled_at is not None:
        return None, ""
    counted = _counted(user, Door.WEB, devices.mark_of(way.secret, way.device, user.id))
    return (user if _claim(session, user, counted, now=now) else None), counted


def _through(session: Session, user: User, token: str, counted: str, *, now: datetime) -> str:
    sessions.end(session, token, now=now)
    tries.forget(session, counted)
    note(session, Actor(user.name, frozenset()), "login", f"user {user.id}", now=now)
    return sessions.open_for(session, user.id, door=Door.WEB, now=now)


def _halfway(token: str, now: datetime) -> Select[int]:
    return select(SignIn.user_id).where(
        SignIn.token_digest == sessions.digest(token),
        SignIn.code_due.is_(True),
        SignIn.ended_at.is_(None),
        SignIn.created_at > now - HALFWAY,
    )


def _wrong_code() -> Denied:
    return Denied(
        "The code is not right, or it was used already.",
        hint="Wait for the next one, and see that the clock of your phone is right. After {tries} tries in "
        "{minutes} minutes the account waits.",
        **_limits(),
    )


def _refusal() -> Denied:
    return Denied(
        "The name or the password is not right, or it was tried too often.",
        hint="An account takes {tries} tries in {minutes} minutes; an administrator can give it a new password.",
        **_limits(),
    )


def _limits() -> dict[str, int]:
    return {"tries": tries.OF_ACCOUNT, "minutes": int(tries.SPAN.total_seconds() // 60)}
