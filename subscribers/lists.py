"""Lists of people, by hand or from a file, to be named in rules: `list("Delegates")`.

A list belongs to the place of whoever saved it, and is known there and under it, like a saved segment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.orm import Session

from subscribers import audit
from subscribers.actor import Actor, Right, needs
from subscribers.cells import unprotect
from subscribers.db import in_bulk
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.models import Listed, Member, Membership, Number, Organisation, PeopleList, Segment
from subscribers.msisdn import parse_any
from subscribers.organisations import home_of, in_subtree, names_of
from subscribers.rules import OnList, parse, walk
from subscribers.segments.resolving import homes, of_homes
from subscribers.segments.saved import clean_name
from subscribers.sheets import Limits, open_sheet
from subscribers.sheets.faults import too_many_rows

#: cells that were not understood, as many as are told
SHOWN = 20
LIMITS = Limits(rows=1_000_000, bytes=256 << 20)


@dataclass(frozen=True, slots=True)
class SavedList:
    """A list, and how many are on it. `place`: the path of names of where it was saved; empty for the whole tree.

    `unknown`: how many of those given are nobody's; `rows`: of a file, the rows of the first of these.
    """

    name: str
    members: int
    saved_by: str
    saved_at: datetime
    place: str = ""
    unknown: int = 0
    rows: tuple[int, ...] = ()


@needs(Right.EDIT)
def save_list(
    session: Session,
    actor: Actor,
    name: str,
    *,
    ids: Collection[int] = (),
    external_ids: Collection[str] = (),
    file: Path | None = None,
    region: str = "CN",
    now: datetime,
) -> SavedList:
    """Put people of the actor's part of the tree on a list of this name, in place of those on it before.

    `file`: CSV or XLSX with an external id or a number in the first cell of each row. Who is no member now, or not of
    this part of the tree, is counted as unknown. Raises `Invalid` for a list that nobody would be on.
    """
    name = clean_name(name)
    given = [(0, str(one)) for one in external_ids]
    found = _by(session, actor, Member.id, ids)
    unknown = len(set(ids)) - len(found)
    people = {member for members in found.values() for member in members}
    rows: list[int] = []
    for portion in in_bulk([*given, *(_cells(file) if file else ())]):
        members, missing = _look_up(session, actor, portion, region, first=portion[0] if file else None)
        people |= members
        unknown += len(missing)
        rows += [row for row in missing if row][: SHOWN - len(rows)]
    if not people:
        raise Invalid(
            "Nobody of these is a member here: the list {name} would be empty.",
            hint="Give ids or external ids of members, or a file with external ids or numbers in its first column.",
            name=name,
        )
    kept = _kept(session, actor, name, now)
    for chosen in in_bulk(sorted(people)):
        session.execute(insert(Listed), [{"list_id": kept.id, "member_id": member} for member in chosen])
    audit.note(session, actor, "lists.save", name, people=len(people), now=now)
    return SavedList(name, len(people), actor.name, now, home_of(session, actor), unknown, tuple(rows))


@needs(Right.EDIT)
def remove_list(session: Session, actor: Actor, name: str, *, now: datetime) -> SavedList:
    """Take a list away. Raises `NotFound` if it was not saved at the actor's own place, `Conflict` while it is used.

    A campaign that was drafted for it can then no longer be sent.
    """
    kept = _own(session, actor, name.strip())
    if kept is None:
        raise NotFound(
            "There is no list {name} of yours.",
            hint="`broadsheet lists list` shows them. Those of the places above are removed there.",
            name=name.strip()[:100],
        )
    users = _users(session, actor, kept.name)
    if users:
        raise Conflict(
            "The list {name} is named by {users}.",
            hint="Change these segments first, or remove them.",
            name=kept.name,
            users=users,
        )
    gone = session.scalar(select(func.count()).where(Listed.list_id == kept.id)) or 0
    removed = SavedList(kept.name, gone, kept.saved_by, kept.saved_at, home_of(session, actor))
    session.execute(delete(Listed).where(Listed.list_id == kept.id))
    session.delete(kept)
    session.flush()
    audit.note(session, actor, "lists.remove", removed.name, people=gone, now=now)
    return removed


@needs(Right.SEE)
def listing(session: Session, actor: Actor) -> list[SavedList]:
    """The lists that the actor's rules may name, by name, with the people of the actor's part of the tree on them."""
    rows = session.execute(
        select(PeopleList, Organisation.path)
        .outerjoin(Organisation, Organisation.id == PeopleList.organisation_id)
        .where(of_homes(PeopleList.organisation_id, actor.under))
    ).all()
    names = names_of(session, {path for _, path in rows if path})
    nearest = {row.name: (row, path) for row, path in sorted(rows, key=lambda one: len(one[1] or ""))}
    counts = _counts(session, actor, [row.id for row, _ in nearest.values()])
    return [
        SavedList(name, counts.get(row.id, 0), row.saved_by, row.saved_at, names[path] if path else "")
        for name, (row, path) in sorted(nearest.items())
    ]


def _counts(session: Session, actor: Actor, lists: Sequence[int]) -> dict[int, int]:
    query = (
        select(Listed.list_id, func.count())
        .join(Membership, Membership.member_id == Listed.member_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Listed.list_id.in_(lists), *_ours(actor))
        .group_by(Listed.list_id)
    )
    return dict(session.execute(query).all())


def _kept(session: Session, actor: Actor, name: str, now: datetime) -> PeopleList:
    """The row of the list, without anybody on it."""
    kept = _own(session, actor, name)
    if kept is None:
        kept = PeopleList(name=name, organisation_id=homes(actor.under)[0])
        session.add(kept)
    kept.saved_by, kept.saved_at = actor.name, now
    session.flush()
    session.execute(delete(Listed).where(Listed.list_id == kept.id))
    return kept


def _cells(file: Path) -> Iterable[tuple[int, str]]:
    """The first cell of every row of the first way to read the file, with the number of the row."""
    sheet = open_sheet(file, LIMITS)
    taken = 0
    for number, cells in sheet.rows(sheet.samples()[0]):
        if cells and (cell := unprotect(cells[0]).strip()):
            taken += 1
            if taken > LIMITS.rows:
                raise too_many_rows(sheet.file, LIMITS.rows)
            yield number, cell


def _look_up(
    session: Session, actor: Actor, given: Sequence[tuple[int, str]], region: str, *, first: tuple[int, str] | None
) -> tuple[set[int], list[int]]:
    """The members behind external ids or numbers, and the rows that are nobody's; a row of headings is no row."""
    by_id = _by(session, actor, Member.external_id, {cell for _, cell in given})
    numbers = {cell: number for _, cell in given if cell not in by_id and (number := _number(cell, region))}
    by_number = _by(session, actor, Number.msisdn, set(numbers.values()))
    people: set[int] = set()
    missing: list[int] = []
    for row, cell in given:
        members = by_id.get(cell) or by_number.get(numbers.get(cell, ""), set())
        people |= members
        is_heading = first is not None and (row, cell) == first and row == 1 and not any(map(str.isdigit, cell))
        if not members and not is_heading:
            missing.append(row)
    return people, missing


def _number(cell: str, region: str) -> str | None:
    try:
        return parse_any(cell, region).msisdn
    except Invalid:
        return None


def _by(session: Session, actor: Actor, column: object, values: Collection[object]) -> dict[object, set[int]]:
    """Value -> members of the actor's part of the tree who have it."""
    found: dict[object, set[int]] = {}
    for portion in in_bulk(values):
        query = (
            select(column, Member.id)  # type: ignore[call-overload]
            .join(Membership, Membership.member_id == Member.id)
            .join(Organisation, Organisation.id == Membership.organisation_id)
            .where(column.in_(portion), *_ours(actor))  # type: ignore[attr-defined]
        )
        if column is Number.msisdn:
            query = query.join(Number, Number.member_id == Member.id)
        for value, member in session.execute(query):
            found.setdefault(value, set()).add(member)
    return found


def _ours(actor: Actor) -> list[ColumnElement[bool]]:
    return [Membership.valid_until.is_(None), in_subtree(Organisation.path, actor.under)]


def _own(session: Session, actor: Actor, name: str) -> PeopleList | None:
    home = homes(actor.under)[0]
    return session.scalar(
        select(PeopleList).where(PeopleList.name == name, PeopleList.organisation_id.is_not_distinct_from(home))
    )


def _users(session: Session, actor: Actor, name: str) -> list[str]:
    """The segments, here and further down, whose rule has this list in it."""
    below = select(Organisation.id).where(in_subtree(Organisation.path, actor.under))
    mine = Segment.organisation_id.in_(below) if actor.under else Segment.id.is_not(None)
    rows = session.scalars(select(Segment).where(mine, Segment.rule.contains(name, autoescape=True)))
    return sorted(
        {
            segment.name
            for segment in rows
            if any(isinstance(term, OnList) and term.name == name for term in walk(parse(segment.rule)))
        }
    )
