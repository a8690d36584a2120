"""Members as people look for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from subscribers import msisdn as numbers
from subscribers.actor import Actor, Right
from subscribers.consent import wishes
from subscribers.db import in_bulk
from subscribers.errors import Invalid
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


def standing_on(on: date) -> ColumnElement[bool]:
    """The condition that a membership holds on a day."""
    return and_(Membership.valid_from <= on, or_(Membership.valid_until.is_(None), Membership.valid_until > on))


def find(session: Session, actor: Actor, text: str, *, on: date, limit: int = 50) -> list[Profile]:
    """Members by a part of the name, a number or the end of one, or the external id; by name, at most `limit`."""
    actor.must(Right.SEE)
    wanted = text.strip()
    if not wanted or "\0" in wanted:
        raise Invalid("There is nothing to look for.", hint="Give a name, a number or an external id.")
    matches = [Member.name.icontains(wanted, autoescape=True), Member.external_id == wanted]
    if digits := _digits(wanted):
        matches.append(Member.id.in_(select(Number.member_id).where(Number.msisdn.endswith(digits))))
    query = _members(actor, on).where(or_(*matches)).order_by(Member.name, Member.id).limit(limit)
    return _profiles(session, query)


def get(session: Session, actor: Actor, member_id: int, *, on: date) -> Profile:
    """One member as of a day. Raises `NotFound`, also if they are not of the actor's part of the tree."""
    actor.must(Right.SEE)
    found = _profiles(session, _members(actor, on).where(Member.id == member_id))
    if not found:
        raise no_such_member(member_id)
    return found[0]


def holders(session: Session, actor: Actor, msisdns: Collection[str], *, on: date) -> dict[str, list[Profile]]:
    """The members behind each number, several if they share a handset; numbers that are nobody's are left out."""
    actor.must(Right.SEE)
    found: dict[str, list[Profile]] = {}
    for portion in in_bulk(msisdns):
        held = session.execute(
            select(Number.msisdn, Number.member_id).where(Number.msisdn.in_(portion)).order_by(Number.id)
        ).all()
        query = _members(actor, on).where(Member.id.in_({member_id for _, member_id in held}))
        profiles = {profile.id: profile for profile in _profiles(session, query)}
        for msisdn, member_id in held:
            if member_id in profiles:
                found.setdefault(msisdn, []).append(profiles[member_id])
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


def _members(actor: Actor, on: date) -> Select[Member, Membership, str]:
    return (
        select(Member, Membership, Organisation.path)
        .join(Membership, Membership.member_id == Member.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(standing_on(on), in_subtree(Organisation.path, actor.under))
    )


def _profiles(session: Session, query: Select[Member, Membership, str]) -> list[Profile]:
    rows: Sequence[Any] = session.execute(query).all()
    used = preferred_numbers(session, [member.id for member, _, _ in rows])
    said = wishes(session, {msisdn for msisdn, _ in used.values()})
    names = names_of(session, {path for _, _, path in rows})
    profiles = []
    for member, membership, path in rows:
        msisdn, kind = used.get(member.id, (None, None))
        present = said.get(msisdn) if msisdn else None
        profiles.append(
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
    return profiles


def _digits(text: str) -> str | None:
    """The digits to look for at the end of numbers, if the text looks like a number or the end of one."""
    short = numbers.parse_chinese_mobile(text)
    if short is not None:
        return short.msisdn
    digits = "".join(character for character in text if character in "0123456789")
    only_digits = all(character in "0123456789 +-" for character in text)
    return digits if only_digits and len(digits) >= 4 else None
