"""Members -> a spreadsheet that shows them as they are and that the import takes back without a change."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session

from subscribers import audit, segments
from subscribers.actor import Actor, Right, needs
from subscribers.consent import wishes
from subscribers.db import in_bulk
from subscribers.importing.columns import FIELDS
from subscribers.models import Member, Membership, Number, Organisation, Wish
from subscribers.msisdn import national
from subscribers.organisations import names_of
from subscribers.registry import standing_on
from subscribers.sheets import write_sheet

_WORDS = {Wish.IN: "yes", Wish.OUT: "no"}
#: rows that the database hands over at once
_AT_ONCE = 10_000


@needs(Right.NUMBERS)
def export_members(
    session: Session,
    actor: Actor,
    path: Path,
    *,
    to: str = "everyone",
    region: str = "CN",
    now: datetime,
    on: date | None = None,
    place: Callable[[str], str] = str,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the members in the rule `to`, as of the day `on` (today): how many. XLSX or CSV by the ending of `path`.

    `place`: how the path of an organisation is told.

    A file already there is replaced at the end, or left alone if anything fails. Numbers are in full, and it is
    audited. Raises `Invalid` for the rule or the ending, `Unavailable` if the file cannot be written.
    """
    day = on or now.date()
    audience = segments.members_matching(session, to, on=day, within=actor.under).where(Member.forgotten_at.is_(None))
    ids = array("q", session.scalars(audience.order_by(Member.id).execution_options(yield_per=_AT_ONCE)))
    own = _own_headings(session, audience)
    audit.note(session, actor, "members.export", people=len(ids), now=now, kind=path.suffix.lower().lstrip("."))
    return write_sheet(path, [*FIELDS, *own], _rows(session, ids, own, day, region, place, progress))


def written_number(msisdn: str, region: str) -> str:
    """As the import of the same region reads it back: short at home in China, else with +."""
    short = national(msisdn) if region == "CN" and msisdn.startswith("+861") else ""
    # more digits, or a zero in front, and a spreadsheet shows a quantity
    return short if len(short) == 11 and short[0] == "1" else msisdn


def _own_headings(session: Session, audience: Select[int]) -> list[str]:
    """The headings of the users' own columns."""
    unfolded = func.json_each(Member.fields).table_valued("key", "value")
    keys: ColumnElement[str] = unfolded.c.key
    query = select(keys).select_from(Member).join(unfolded, true()).where(Member.id.in_(audience)).distinct()
    return sorted(session.scalars(query))


def _rows(
    session: Session,
    ids: Sequence[int],
    own: Sequence[str],
    on: date,
    region: str,
    place: Callable[[str], str],
    progress: Callable[[int], None] | None,
) -> Iterator[list[object]]:
    done = 0
    for portion in in_bulk(ids):
        yield from _portion(session, portion, own, on, region, place)
        done += len(portion)
        if progress is not None:
            progress(done)


def _portion(
    session: Session, ids: Sequence[int], own: Sequence[str], on: date, region: str, told: Callable[[str], str]
) -> Iterator[list[object]]:
    people = {row.id: row for row in _people(session, ids)}
    joined = dict(
        session.execute(
            select(Membership.member_id, func.min(Membership.valid_from))
            .where(Membership.member_id.in_(ids))
            .group_by(Membership.member_id)
        ).all()
    )
    places = {row.member_id: row for row in _places(session, ids, on)}
    numbers = _numbers(session, ids)
    said = wishes(session, {held[0] for held in numbers.values()})
    names = names_of(session, {place.path for place in places.values()})
    for id_ in ids:
        person, place, held = people[id_], places[id_], numbers.get(id_, [])
        present = said.get(held[0]) if held else None
        written = [written_number(msisdn, region) for msisdn in held]
        cells = {
            "name": person.name,
            "msisdn": written[0] if written else "",
            "other_numbers": ";".join(written[1:]),
            "organisation": told(names[place.path]),
            "status": f"{place.status} mobile" if place.mobile else place.status,
            "away_place": place.away_place or "",
            "host_branch": place.host_branch or "",
            "joined_on": joined[id_],
            "birthday": person.birthday or "",
            "subscribed": _WORDS[present.wish] if present else "",
            "tags": ";".join(person.tags),
            "external_id": person.external_id or "",
        }
        yield [cells[field] for field in FIELDS] + [str(person.fields.get(key, "")) for key in own]


def _people(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    columns = (Member.id, Member.name, Member.external_id, Member.birthday, Member.tags, Member.fields)
    return session.execute(select(*columns).where(Member.id.in_(ids))).all()


def _places(session: Session, ids: Sequence[int], on: date) -> Sequence[Any]:
    return session.execute(
        select(
            Membership.member_id,
            Membership.status,
            Membership.mobile,
            Membership.away_place,
            Membership.host_branch,
            Organisation.path,
        )
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.member_id.in_(ids), standing_on(on))
    ).all()


def _numbers(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    """Member -> their numbers, the one that is used first."""
    held: dict[int, list[str]] = {}
    query = (
        select(Number.member_id, Number.msisdn)
        .where(Number.member_id.in_(ids))
        .order_by(Number.member_id, Number.preferred.desc(), Number.id)
    )
    for member_id, msisdn in session.execute(query):
        held.setdefault(member_id, []).append(msisdn)
    return held
