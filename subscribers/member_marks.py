"""What the forms of a member are opened with: their own data, where they belong and how they stand, their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import seen
from subscribers.models import Member, Membership, Number

#: deeds that change each of them, as the audit calls them
DATA = frozenset({"members.change"})
PLACES = frozenset({"members.status", "members.leave", "members.rejoin", "members.take_back"})
NUMBERS = frozenset({"members.number"})


@dataclass(frozen=True, slots=True)
class MemberMarks:
    """One for each kind of form."""

    data: str
    places: str
    numbers: str


def of_data(member: Member, headings: Iterable[str] | None = None) -> str:
    """Of their own data; of columns of their own only these, and None: all of them."""
    own = {name: member.fields.get(name, "") for name in (member.fields if headings is None else headings)}
    birthday = member.birthday and member.birthday.isoformat()
    return seen.mark(member.name, birthday, member.tags, member.external_id, own)


def of_places(places: Sequence[Membership]) -> str:
    """Of where they belonged and belong, in which standing, from when until when."""
    return seen.mark(
        [
            [
                each.organisation_id,
                each.status,
                each.mobile,
                each.away_place or "",
                each.host_branch or "",
                each.valid_from.isoformat(),
                each.valid_until and each.valid_until.isoformat(),
            ]
            for each in places
        ]
    )


def of_numbers(session: Session, member_id: int) -> str:
    """Of their numbers, and which of them is used."""
    query = select(Number.msisdn, Number.preferred).where(Number.member_id == member_id).order_by(Number.id)
    return seen.mark([tuple(row) for row in session.execute(query)])
