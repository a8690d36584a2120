"""Members -> CSV that a spreadsheet shows as it is and that the import takes back without a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session

from subscribers import segments
from subscribers.actor import Actor, Right
from subscribers.cells import protect
from subscribers.consent import wishes
from subscribers.csv_files import csv_file
from subscribers.db import BULK
from subscribers.importing.columns import FIELDS
from subscribers.importing.known import KnownMember, Place, read_members
from subscribers.models import Member, Wish
from subscribers.msisdn import national
from subscribers.organisations import names_of

_WORDS = {Wish.IN: "yes", Wish.OUT: "no"}


def export_members(
    session: Session,
    actor: Actor,
    path: Path,
    *,
    to: str = "everyone",
    region: str = "CN",
    now: datetime,
    on: date | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the members in the rule `to`, as of the day `on` (today): how many.

    A file already there is replaced at the end, or left alone if anything fails. Numbers are in full: it takes the
    right to change the registry. Raises `Invalid` for the rule, `Unavailable` if the file cannot be written.
    """
    actor.must(Right.REGISTER)
    day = on or now.date()
    audience = segments.members_matching(session, to, on=day, within=actor.under)
    headings = _own_headings(session, audience)
    unfinished = path.with_name(f"{path.name}.unfinished")
    rows = 0
    try:
        with csv_file(unfinished, told=path) as write:
            write([*FIELDS, *(protect(heading) for heading in headings)])
            for members in _portions(session, audience):
                for row in _rows(session, members, headings, day, region):
                    write(row)
                rows += len(members)
                if progress is not None:
                    progress(rows)
            unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return rows


def written_number(msisdn: str, region: str) -> str:
    """As the import of the same region reads it back: short at home in China, else with + and kept from calculation."""
    short = national(msisdn) if region == "CN" and msisdn.startswith("+861") else ""
    # more digits, or a zero in front, and a spreadsheet shows a quantity
    return short if len(short) == 11 and short[0] == "1" else protect(msisdn)


def _own_headings(session: Session, audience: Select[int]) -> list[str]:
    """The headings of the users' own columns."""
    unfolded = func.json_each(Member.fields).table_valued("key", "value")
    keys: ColumnElement[str] = unfolded.c.key
    query = select(keys).select_from(Member).join(unfolded, true()).where(Member.id.in_(audience)).distinct()
    return sorted(session.scalars(query))


def _portions(session: Session, audience: Select[int]) -> Iterator[list[KnownMember]]:
    last = 0
    while ids := session.scalars(audience.where(Member.id > last).order_by(Member.id).limit(BULK)).all():
        members = read_members(session, ids)
        yield [members[id_] for id_ in ids]
        last = ids[-1]


def _rows(
    session: Session, members: Sequence[KnownMember], headings: Sequence[str], on: date, region: str
) -> Iterator[list[str]]:
    numbers = {member.id: _used_number(member) for member in members}
    said = wishes(session, {number for number in numbers.values() if number})
    places = {member.id: _place_on(member, on) for member in members}
    names = names_of(session, {place.path for place in places.values()})
    for member in members:
        number, place = numbers[member.id], places[member.id]
        present = said.get(number) if number else None
        cells = {
            "name": protect(member.name),
            "msisdn": written_number(number, region) if number else "",
            "other_numbers": "",
            "away_place": protect(place.away_place or ""),
            "host_branch": protect(place.host_branch or ""),
            "organisation": protect(names[place.path]),
            "status": f"{place.status} mobile" if place.mobile else place.status,
            "joined_on": member.places[0].valid_from.isoformat(),
            "birthday": member.birthday.isoformat() if member.birthday else "",
            "subscribed": _WORDS[present.wish] if present else "",
            "tags": protect(";".join(member.tags)),
            "external_id": protect(member.external_id or ""),
        }
        yield [cells[field] for field in FIELDS] + [protect(str(member.fields.get(key, ""))) for key in headings]


def _used_number(member: KnownMember) -> str | None:
    preferred = sorted(member.numbers, key=lambda number: (not number.preferred, number.id))
    return preferred[0].msisdn if preferred else None


def _place_on(member: KnownMember, on: date) -> Place:
    return next(
        place
        for place in member.places
        if place.valid_from <= on and (place.valid_until is None or place.valid_until > on)
    )
