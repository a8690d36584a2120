"""What the registry knows about the people of a portion of rows, read in a handful of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers.consent import Present, wishes
from subscribers.db import in_bulk
from subscribers.importing.rows import CheckedRow
from subscribers.models import Member, Membership, Number, Organisation
from subscribers.organisations import find_paths


@dataclass(frozen=True, slots=True)
class KnownNumber:
    """A number of a member."""

    id: int
    msisdn: str
    kind: str
    preferred: bool
    shared: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A membership: where, in which standing, from when to when. `path` is the chain of ids."""

    id: int
    organisation_id: int
    path: str
    status: str
    mobile: bool
    away_place: str | None
    host_branch: str | None
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class KnownMember:
    """A member with numbers and the places they had, the oldest first."""

    id: int
    name: str
    external_id: str | None
    birthday: date | None
    tags: list[str]
    fields: dict[str, Any]
    numbers: list[KnownNumber] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    @property
    def place(self) -> Place | None:
        """Where they are now; None if they left."""
        return next((place for place in self.places if place.valid_until is None), None)

    def snapshot(self) -> dict[str, Any]:
        """All of it as JSON can hold it: what an undo puts back."""
        plain = asdict(self)
        plain["birthday"] = _iso(self.birthday)
        plain["places"] = [
            asdict(place) | {"valid_from": _iso(place.valid_from), "valid_until": _iso(place.valid_until)}
            for place in self.places
        ]
        return plain


@dataclass(slots=True)
class Known:
    """The people that a portion of rows may mean, the organisations it names, and the wishes on record."""

    members: dict[int, KnownMember]
    by_external_id: dict[str, int]
    by_number: dict[str, list[int]]
    by_name: dict[str, list[int]]
    organisations: dict[str, str]
    wishes: dict[str, Present]


def read_known(session: Session, rows: Sequence[CheckedRow], organisations: dict[str, str]) -> Known:
    """Look up everything the rows may be about. `organisations` is added to: paths of names -> paths of ids."""
    external_ids = {row.external_id for row in rows if row.external_id}
    msisdns = {row.number.msisdn for row in rows if row.number}
    # without number and external id a person is known by name and place
    names = {row.name for row in rows if not row.number and not row.external_id}
    organisations |= find_paths(session, {row.organisation for row in rows if row.organisation} - organisations.keys())
    ids: set[int] = set()
    for portion in in_bulk(external_ids):
        ids.update(session.scalars(select(Member.id).where(Member.external_id.in_(portion))))
    for portion in in_bulk(msisdns):
        ids.update(session.scalars(select(Number.member_id).where(Number.msisdn.in_(portion))))
    for portion in in_bulk(names):
        ids.update(session.scalars(select(Member.id).where(Member.name.in_(portion))))
    members = read_members(session, ids)
    known = Known(members, {}, {}, {}, organisations, wishes(session, msisdns))
    for member in members.values():
        if member.external_id:
            known.by_external_id[member.external_id] = member.id
        for number in member.numbers:
            known.by_number.setdefault(number.msisdn, []).append(member.id)
        known.by_name.setdefault(member.name, []).append(member.id)
    return known


def read_members(session: Session, ids: Collection[int]) -> dict[int, KnownMember]:
    """Members with numbers and places, by id; three statements per thousand."""
    members: dict[int, KnownMember] = {}
    for portion in in_bulk(sorted(ids)):
        people = select(Member.id, Member.name, Member.external_id, Member.birthday, Member.tags, Member.fields)
        for row in session.execute(people.where(Member.id.in_(portion))):
            members[row.id] = KnownMember(*row)
        numbers = select(Number.member_id, Number.id, Number.msisdn, Number.kind, Number.preferred, Number.shared)
        for row in session.execute(numbers.where(Number.member_id.in_(portion)).order_by(Number.id)):
            members[row.member_id].numbers.append(KnownNumber(*row[1:]))
        places = (
            select(
                Membership.member_id,
                Membership.id,
                Membership.organisation_id,
                Organisation.path,
                Membership.status,
                Membership.mobile,
                Membership.away_place,
                Membership.host_branch,
                Membership.valid_from,
                Membership.valid_until,
            )
            .join(Organisation, Organisation.id == Membership.organisation_id)
            .where(Membership.member_id.in_(portion))
            .order_by(Membership.valid_from, Membership.id)
        )
        for row in session.execute(places):
            members[row.member_id].places.append(Place(*row[1:]))
    return members


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
