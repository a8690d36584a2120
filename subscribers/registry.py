"""Members as people look for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.consent import wishes
from subscribers.db import in_bulk
from subscribers.holding import no_such_member
from subscribers.models import Member, Membership, Number, Organisation, Status, Wish
from subscribers.organisations import in_subtree, names_of


@dataclass(frozen=True, slots=True)
class Profile:
    """A member as of a day: standing, place, the number that is used for them, and what its holder wants."""

    id: int
    name: str
    external_id: str | None
    birthday: date | None
    tags: tuple[str, ...]
    organisation: str
    organisation_path: str
    status: Status
    mobile: bool
    msisdn: str | None
    kind: str | None
    wish: Wish | None


def standing_on(on: date | BindParameter[date]) -> ColumnElement[bool]:
    """The condition that a membership holds on a day."""
    return and_(Membership.valid_from <= on, or_(Membership.valid_until.is_(None), Membership.valid_until > on))


@needs(Right.SEE)
def get(session: Session, actor: Actor, member_id: int, *, on: date) -> Profile:
    """One member as of a day. Raises `NotFound`, also if they are not of the actor's part of the tree."""
    found = profiles(session, session.execute(members_as_of(actor.under, on).where(Member.id == member_id)).all())
    if not found:
        raise no_such_member(member_id)
    return found[0]


@needs(Right.SEE)
def holders(session: Session, actor: Actor, msisdns: Collection[str], *, on: date) -> dict[str, list[Profile]]:
    """The members behind each number, several if they share a handset; numbers that are nobody's are left out."""
    found: dict[str, list[Profile]] = {}
    for portion in in_bulk(msisdns):
        held = session.execute(
            select(Number.msisdn, Number.member_id).where(Number.msisdn.in_(portion)).order_by(Number.id)
        ).all()
        query = members_as_of(actor.under, on).where(Member.id.in_({member_id for _, member_id in held}))
        known = {profile.id: profile for profile in profiles(session, session.execute(query).all())}
        for msisdn, member_id in held:
            if member_id in known:
                found.setdefault(msisdn, []).append(known[member_id])
    return found


def preferred_numbers(session: Session, member_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Member -> the number that is used for them, and its kind."""
    found: dict[int, tuple[str, str]] = {}
    for portion in in_bulk(member_ids):
        rows = session.execute(
            select(Number.member_id, Number.msisdn, Number.kind)
            .where(Number.member_id.in_(portion))
            .order_by(Number.preferred.desc(), Number.id)
        )
        for member_id, msisdn, kind in rows:
            found.setdefault(member_id, (msisdn, kind))
    return found


def members_as_of(under: str, on: date) -> Select[Member, Membership, str]:
    """The members of a day in the subtree of a path, each with the membership and its organisation's path."""
    return (
        select(Member, Membership, Organisation.path)
        .join(Membership, Membership.member_id == Member.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(standing_on(on), in_subtree(Organisation.path, under))
    )


def profiles(session: Session, rows: Sequence[Any]) -> list[Profile]:
    """What a page shows of each row of `members_as_of`, in three statements."""
    used = preferred_numbers(session, [member.id for member, _, _ in rows])
    said = wishes(session, {msisdn for msisdn, _ in used.values()})
    names = names_of(session, {path for _, _, path in rows})
    made = []
    for member, membership, path in rows:
        msisdn, kind = used.get(member.id, (None, None))
        present = said.get(msisdn) if msisdn else None
        made.append(
            Profile(
                id=member.id,
                name=member.name,
                external_id=member.external_id,
                birthday=member.birthday,
                tags=tuple(member.tags),
                organisation=names[path],
                organisation_path=path,
                status=Status(membership.status),
                mobile=membership.mobile,
                msisdn=msisdn,
                kind=kind,
                wish=present.wish if present else None,
            )
        )
    return made
