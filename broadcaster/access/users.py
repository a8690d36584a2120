"""Users: made, changed, disabled by an administrator of their part of the tree, or of one above it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.access import passwords, second_factor, sessions, tries
from broadcaster.access.models import Door, Role, User
from broadcaster.access.roles import rights_of
from broadcaster.language import listed
from subscribers import organisations, seen
from subscribers.actor import OPERATOR, Actor, Right, needs
from subscribers.audit import note
from subscribers.db import lock_table
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.models import Organisation
from subscribers.organisations import in_subtree

NAME_LENGTH = 60
_CHANGES = ("users.change", "users.disable")
#: names the audit uses for what is nobody
_TAKEN = frozenset({"operator", "system", "onlooker", "nobody", "demo"})


@dataclass(frozen=True, slots=True)
class Account:
    """A user as lists show them. `under` is a path of names, empty for the whole tree."""

    id: int
    name: str
    role: str
    under: str
    created_by: str
    created_at: datetime
    disabled_at: datetime | None
    must_change: bool
    has_second_factor: bool


@needs(Right.ADMINISTER)
def add(
    session: Session,
    actor: Actor,
    name: str,
    role: str,
    *,
    under: str = "",
    password: str,
    given_out: bool = True,
    now: datetime,
) -> Account:
    """A new user with a role at an organisation (a path of names; empty: the actor's own place).

    `given_out`: somebody else knows the password, and the user is asked to choose another. Raises `Invalid`,
    `NotFound` for a place outside of the actor's, `Denied` for more rights than the actor has, `Conflict`.
    """
    name = clean_name(name)
    place = _place(session, actor, under)
    wanted = _grantable(actor, role, place)
    user = User(
        name=name,
        role=wanted,
        organisation_id=_id_of(place),
        password_hash=passwords.hashed(passwords.check(password, name)),
        must_change=given_out,
        created_by=actor.name,
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(user)
            session.flush()
    except IntegrityError:
        raise Conflict("There is a user {name} already.", hint="Choose another name.", name=name) from None
    note(session, actor, "users.add", f"user {user.id}", now=now, name=name, role=wanted.value, under=place)
    return _accounts(session, [(user, place)])[0]


def add_first_admin(session: Session, name: str, password: str, *, now: datetime) -> Account:
    """Who sets an installation up that has no administrator yet. Raises as `add`; `Conflict` if there is one."""
    lock_table(session, User)
    if has_admin(session):
        raise Conflict("This installation has an administrator already.", hint="Sign in, or ask them.")
    return add(session, OPERATOR, name, Role.ADMIN, password=password, given_out=False, now=now)


@needs(Right.ADMINISTER)
def listing(session: Session, actor: Actor, *, after: str = "", limit: int | None = None) -> list[Account]:
    """The users of the actor's part of the tree, by name; those behind the name `after`, and at most so many."""
    query = _visible(actor).limit(limit)
    if after:
        query = query.where(func.lower(User.name) > after.lower())
    return _accounts(session, [(user, path or "") for user, path in session.execute(query)])


@needs(Right.ADMINISTER)
def find(session: Session, actor: Actor, name: str) -> Account:
    """One user of the actor's part of the tree. Raises `NotFound`."""
    return _accounts(session, [_get(session, actor, name)])[0]


@needs(Right.ADMINISTER)
def change(
    session: Session,
    actor: Actor,
    name: str,
    *,
    role: str | None = None,
    under: str | None = None,
    enable: bool = False,
    read: str = "",
    now: datetime,
) -> Account:
    """Give a user another role, another place (a path of names; empty: the actor's own), or both. They sign in anew.

    `enable` lets in again who was disabled; `read`: what the form carried. Raises as `add`; `Outdated`; `Conflict` if
    the last administrator of everything would be gone.
    """
    user, path = _get(session, actor, name)
    place = path if under is None else _place(session, actor, under)
    wanted = _grantable(actor, user.role if role is None else role, place)
    before = user.role
    _keep_one_admin(session, user, stays=wanted is Role.ADMIN and not place)
    stood = mark_of(find(session, actor, name))
    user.role, user.organisation_id = wanted, _id_of(place)
    sessions.end_all(session, user.id, now=now)
    if enable:
        user.disabled_at = None
    after = _accounts(session, [(user, place)])[0]
    seen.refuse_outdated(session, read, stood, mark_of(after), deeds=_CHANGES, thing=f"user {user.id}")
    note(
        session,
        actor,
        "users.change",
        f"user {user.id}",
        now=now,
        name=user.name,
        role=wanted.value,
        under=place,
        role_before=before,
        under_before=path,
        enabled=enable,
    )
    session.flush()
    return after


def mark_of(account: Account) -> str:
    """The mark of a user's role and place, and whether they are let in."""
    return seen.mark(account.role, account.under, account.disabled_at is None)


@needs(Right.ADMINISTER)
def set_password(session: Session, actor: Actor, name: str, password: str, *, now: datetime) -> Account:
    """Give a user a password that they are asked to replace; wherever they are signed in, they are no more."""
    user, path = _get(session, actor, name)
    hashed = passwords.hashed(passwords.check(password, user.name))
    _put_password(session, user, hashed, given_out=True, now=now)
    note(session, actor, "users.password", f"user {user.id}", now=now, name=user.name)
    return _accounts(session, [(user, path)])[0]


@needs(Right.ADMINISTER)
def drop_second_factor(session: Session, actor: Actor, name: str, *, now: datetime) -> Account:
    """A user whose phone is lost sets up another; wherever they are signed in, they are no more."""
    user, path = _get(session, actor, name)
    # whoever has fewer rights must not open the door to more
    _grantable(actor, user.role, path)
    second_factor.drop(session, user, now=now)
    note(session, actor, "users.new_phone", f"user {user.id}", now=now, name=user.name)
    return _accounts(session, [(user, path)])[0]


@needs(Right.ADMINISTER)
def disable(session: Session, actor: Actor, name: str, *, now: datetime) -> Account:
    """Let a user in no more; wherever they are signed in, they are no more. Raises `Conflict` for the last admin."""
    user, path = _get(session, actor, name)
    _keep_one_admin(session, user, stays=False)
    if user.disabled_at is None:
        user.disabled_at = now
        note(session, actor, "users.disable", f"user {user.id}", now=now, name=user.name)
    sessions.end_all(session, user.id, now=now)
    session.flush()
    return _accounts(session, [(user, path)])[0]


@needs(Right.ADMINISTER)
def stand_in(session: Session, actor: Actor, name: str, deed: str, *, now: datetime) -> Actor:
    """Another user of the actor's part of the tree, to act as; `deed` is what is going to be done."""
    user, path = _get(session, actor, name)
    if user.disabled_at is not None:
        raise Conflict("The user {name} is disabled.", name=user.name)
    _grantable(actor, user.role, path)
    note(session, actor, "users.as", f"user {user.id}", now=now, name=user.name, verb=deed)
    return actor_for(user, path)


def put_own_password(session: Session, user_id: int, kept: str, hashed: str, *, now: datetime) -> None:
    """Another password in the place of `kept`, which its user was found to know; all their sign-ins end.

    Raises `Conflict` if it was replaced meanwhile.
    """
    user = session.get_one(User, user_id, with_for_update=True, populate_existing=True)
    if user.password_hash != kept:
        raise Conflict("Your password was changed at this moment.", hint="Sign in with the new one.")
    _put_password(session, user, hashed, given_out=False, now=now)
    note(session, Actor(user.name, frozenset()), "users.password", f"user {user.id}", now=now, name=user.name)


def actor_for(user: User, path: str) -> Actor:
    """Who this user is to every verb. `path` is that of their organisation now, empty for the whole tree."""
    if user.organisation_id is not None and not path:
        raise Denied("The organisation of {name} is gone.", hint="Ask an administrator.", name=user.name)
    return Actor(user.name, rights_of(Role(user.role), path), path)


def actor_called(session: Session, name: str) -> Actor:
    """Who the user of this name is now, for work that they asked for. Raises `Denied` if they do not work here now."""
    found = session.execute(
        select(User, Organisation.path)
        .outerjoin(Organisation, Organisation.id == User.organisation_id)
        .where(User.name == name, User.disabled_at.is_(None))
    ).one_or_none()
    if found is None:
        raise Denied("{name} does not work here any more.", hint="Ask an administrator.", name=name)
    user, path = found
    return actor_for(user, path or "")


def has_admin(session: Session) -> bool:
    """Whether there is an administrator of the whole tree: from then on nobody acts without signing in."""
    return session.scalar(_admins().limit(1)) is not None


def admins_over(session: Session, under: str, *, most: int) -> list[str]:
    """Who gives roles at a place (a path of ids; empty for the whole tree): the nearest first, at most `most` names."""
    above = [under[: at + 1] for at, sign in enumerate(under) if sign == "/"]
    found = session.scalars(
        select(User.name)
        .outerjoin(Organisation, Organisation.id == User.organisation_id)
        .where(
            User.role == Role.ADMIN,
            User.disabled_at.is_(None),
            or_(User.organisation_id.is_(None), Organisation.path.in_(above)),
        )
        .order_by(func.coalesce(Organisation.level, -1).desc(), User.name)
        .limit(most)
    )
    return list(found)


def has_second_factor(session: Session, user_id: int) -> bool:
    """Whether signing in at the web asks this user for a code."""
    return session.get_one(User, user_id).code_since is not None


def is_another_admin(session: Session, user_id: int) -> bool:
    """Whether somebody else administers everything, too."""
    return session.scalar(_admins().where(User.id != user_id).limit(1)) is not None


def clean_name(name: str) -> str:
    """A user's name as it is kept, so that it is found however it is typed. Raises `Invalid`."""
    clean = unicodedata.normalize("NFKC", name[: 10 * NAME_LENGTH]).strip().casefold()
    if not clean or len(clean) > NAME_LENGTH or not clean.isprintable() or "/" in clean:
        raise Invalid(
            "{name} cannot be a user's name.",
            hint="Write at most {length} letters, figures or Chinese characters on one line.",
            name=repr(name[:NAME_LENGTH]),
            length=NAME_LENGTH,
        )
    if clean in _TAKEN:
        raise Invalid("The name {name} is used by the program itself.", hint="Choose another name.", name=clean)
    return clean


def _grantable(actor: Actor, role: str, place: str) -> Role:
    """The role, if what it gives at this place is no more than the actor has."""
    try:
        wanted = Role(role)
    except ValueError:
        raise Invalid(
            "There is no role {role}.", hint="There are: {roles}.", role=repr(role[:40]), roles=listed(Role)
        ) from None
    if not rights_of(wanted, place) <= actor.rights or not place.startswith(actor.under):
        raise Denied(
            "{name} has no right to give the role {role} here.",
            hint="Ask an administrator of the organisation above.",
            name=actor.name,
            role=wanted.value,
        )
    return wanted


def _place(session: Session, actor: Actor, names: str) -> str:
    return organisations.find_by_path(session, actor, names).path if names else actor.under


def _id_of(path: str) -> int | None:
    return int(path.rstrip("/").rpartition("/")[2]) if path else None


def _keep_one_admin(session: Session, user: User, *, stays: bool) -> None:
    # two who take the right from one another at once must not both succeed
    lock_table(session, User)
    session.refresh(user)
    if stays or user.disabled_at is not None or user.role != Role.ADMIN or user.organisation_id is not None:
        return
    if session.scalar(_admins().where(User.id != user.id).limit(1)) is None:
        raise Conflict(
            "{name} is the last administrator of everything.",
            hint="Make another one first: `broadsheet users add NAME --role admin`.",
            name=user.name,
        )


def _admins() -> Select[int]:
    return select(User.id).where(User.role == Role.ADMIN, User.organisation_id.is_(None), User.disabled_at.is_(None))


def _put_password(session: Session, user: User, hashed: str, *, given_out: bool, now: datetime) -> None:
    user.password_hash = hashed
    user.must_change = given_out
    tries.forget(session, *(tries.of_account(user.id, way) for way in (*Door, tries.OWN)))
    sessions.end_all(session, user.id, now=now)
    session.flush()


def _get(session: Session, actor: Actor, name: str) -> tuple[User, str]:
    wanted = unicodedata.normalize("NFKC", name[: 10 * NAME_LENGTH]).strip().casefold()
    found = session.execute(_visible(actor).where(User.name == wanted)).first()
    if found is None:
        raise NotFound(
            "There is no user {name}.", hint="`broadsheet users list` shows them.", name=repr(name[:NAME_LENGTH])
        )
    return found[0], found[1] or ""


def _visible(actor: Actor) -> Select[User, str | None]:
    query = select(User, Organisation.path).outerjoin(Organisation, Organisation.id == User.organisation_id)
    # who is at no organisation is above everybody who is at one
    return query.where(in_subtree(Organisation.path, actor.under)).order_by(func.lower(User.name), User.id)


def _accounts(session: Session, found: Sequence[tuple[User, str]]) -> list[Account]:
    names = organisations.names_of(session, {path for _, path in found if path})
    return [
        Account(
            id=user.id,
            name=user.name,
            role=user.role,
            under=names.get(path, ""),
            created_by=user.created_by,
            created_at=user.created_at,
            disabled_at=user.disabled_at,
            must_change=user.must_change,
            has_second_factor=user.code_since is not None,
        )
        for user, path in found
    ]
