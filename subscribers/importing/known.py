"""What the registry knows about the people of a portion of rows, read in a handful of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from subscribers.consent import Present, wishes
from subscribers.db import in_bulk, is_sqlite
from subscribers.errors import Conflict
from subscribers.importing.rows import CheckedRow
from subscribers.models import Member, Membership, Number, Organisation
from subscribers.msisdn import mask

#: greater than any id
MOST = 2**63 - 1
#: reading an organisation costs about as much as this much of a file
_BYTES_PER_ORGANISATION = 50


@dataclass(frozen=True, slots=True)
class KnownNumber:
    """A number of a member."""

    id: int
    msisdn: str
    kind: str
    preferred: bool
    shared: bool
    suspended: bool = False


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

    def is_under(self, path: str) -> bool:
        """Whether they belong, or last belonged, to this organisation or one under it; an empty path is the tree."""
        return not path or (bool(self.places) and self.places[-1].path.startswith(path))

    def uses(self, msisdn: str) -> bool:
        """Whether this is the number that is used for them."""
        return any(number.msisdn == msisdn and number.preferred for number in self.numbers)

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
    """The people that a portion of rows may mean, the organisations it names, and the wishes on record.

    `rows_by_...`: what rows of the portion itself said before.
    """

    organisations: dict[str, str]
    members: dict[int, KnownMember] = field(default_factory=dict)
    by_external_id: dict[str, int] = field(default_factory=dict)
    by_number: dict[str, list[int]] = field(default_factory=dict)
    by_name: dict[str, list[int]] = field(default_factory=dict)
    wishes: dict[str, Present] = field(default_factory=dict)
    #: numbers whose opt-out outlived the person it belonged to
    forgotten: Collection[str] = ()
    rows_by_external_id: dict[str, int] = field(default_factory=dict)
    rows_by_number: dict[str, int] = field(default_factory=dict)
    #: numbers that are used for people of rows
    used_by_rows: set[str] = field(default_factory=set)
    #: used number -> rows of new people of whom nothing says that they want the paper
    unheard: dict[str, list[int]] = field(default_factory=dict)
    #: of new people who share handsets: by number and name, the rows and the external ids in them
    rows_by_person: dict[tuple[str, str], list[tuple[int, str | None]]] = field(default_factory=dict)
    #: of those without a number: by name and organisation
    rows_by_place: dict[tuple[str, str | None], int] = field(default_factory=dict)

    def remember(self, member: KnownMember) -> None:
        """The member as they are, or as a row has just changed them."""
        before = self.members.get(member.id)
        self.members[member.id] = member
        if member.external_id:
            self.by_external_id[member.external_id] = member.id
        for number in member.numbers:
            held = self.by_number.setdefault(number.msisdn, [])
            if member.id not in held:
                held.append(member.id)
        if before is not None and before.name != member.name:
            self.by_name[before.name].remove(member.id)
        named = self.by_name.setdefault(member.name, [])
        if member.id not in named:
            named.append(member.id)


@dataclass(slots=True)
class Keys:
    """What the rows of a portion may be on record by."""

    external_ids: set[str] = field(default_factory=set)
    msisdns: set[str] = field(default_factory=set)
    #: without number and external id a person is known by name and place
    names: set[str] = field(default_factory=set)


def keys_of(rows: Sequence[CheckedRow]) -> Keys:
    """The keys that have to be asked for."""
    return Keys(
        {row.external_id for row in rows if row.external_id},
        {number.msisdn for row in rows for number in row.numbers},
        {row.name for row in rows if not row.numbers and not row.external_id},
    )


def read_known(session: Session, keys: Keys, organisations: dict[str, str]) -> Known:
    """Look up everybody who may be meant. `organisations`: paths of names -> paths of ids."""
    external_ids, msisdns, names = keys.external_ids, keys.msisdns, keys.names
    ids: set[int] = set()
    for portion in in_bulk(external_ids):
        ids.update(session.scalars(select(Member.id).where(Member.external_id.in_(portion))))
    for portion in in_bulk(msisdns):
        ids.update(session.scalars(select(Number.member_id).where(Number.msisdn.in_(portion))))
    for portion in in_bulk(names):
        ids.update(session.scalars(select(Member.id).where(Member.name.in_(portion))))
    members = read_members(session, ids)
    # who has no number in the file may have one on record
    held = {number.msisdn for member in members.values() for number in member.numbers}
    known = Known(organisations, wishes=wishes(session, msisdns | held))
    for member in members.values():
        known.remember(member)
    return known


def read_members(session: Session, ids: Collection[int]) -> dict[int, KnownMember]:
    """Members with numbers and places, by id; three statements per thousand."""
    members: dict[int, KnownMember] = {}
    for portion in in_bulk(sorted(ids)):
        people = select(Member.id, Member.name, Member.external_id, Member.birthday, Member.tags, Member.fields)
        for row in session.execute(people.where(Member.id.in_(portion))):
            members[row.id] = KnownMember(*row)
        numbers = select(
            Number.member_id,
            Number.id,
            Number.msisdn,
            Number.kind,
            Number.preferred,
            Number.shared,
            Number.suspended_at.is_not(None),
        )
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
        for member_id, *place in session.execute(places):
            members[member_id].places.append(Place(*place))
    return members


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def known_organisations(session: Session, file_bytes: int) -> dict[str, str]:
    """Paths of names -> paths of ids of the whole tree, if the file is large enough beside it to be worth reading."""
    size = session.scalar(select(func.max(Organisation.id))) or 0
    if size * _BYTES_PER_ORGANISATION > file_bytes:
        return {}
    names: dict[str, str] = {}
    columns = select(Organisation.name, Organisation.path).order_by(Organisation.level)
    for name, path in session.execute(columns.execution_options(yield_per=10_000)):
        above = names.get(path[: path.rindex("/", 0, -1) + 1]) if path.count("/") > 1 else None
        names[path] = f"{above}/{name}" if above else name
    return {name: path for path, name in names.items()}


def closed_organisations(session: Session, on: date) -> dict[str, date]:
    """Paths of ids of the organisations that take nobody in on this day, and since when."""
    rows = session.execute(select(Organisation.path, Organisation.closed_on).where(Organisation.closed_on <= on))
    return {path: closed_on for path, closed_on in rows if closed_on is not None}


def refuse_newcomers(session: Session, spans: Sequence[tuple[int, int]], *, after: int) -> None:
    """Raise `Conflict` if somebody else registered a number of this import while it was running.

    `spans`: first and last ids of the members that it made, ascending. The map of possible keys is as old as the
    import; members after the one with the id `after` are not in it.
    """
    if is_sqlite(session):
        # it has one writer
        return
    theirs: set[str] = set()
    begin = after + 1
    for first, last in [*spans, (MOST, MOST)]:
        if begin < first:
            others = select(Number.msisdn).where(Number.member_id.between(begin, first - 1), Number.shared.is_(False))
            theirs.update(session.scalars(others))
        begin = last + 1
    ours = or_(*(Number.member_id.between(first, last) for first, last in spans))
    for portion in in_bulk(theirs):
        met = session.scalar(select(Number.msisdn).where(Number.msisdn.in_(portion), ours).limit(1))
        if met is not None:
            raise Conflict(
                "Somebody registered the number {number} while the file was being imported.",
                hint="Nothing was written. Import the file again.",
                number=mask(met),
            )
