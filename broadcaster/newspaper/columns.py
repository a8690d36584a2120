"""Columns that come back in every edition: a tree, each with the place whose it is and an owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.access.models import User
from broadcaster.newspaper.edition_file import MAX_COLUMN_NAME
from broadcaster.newspaper.models import Column, Item, StandingColumn
from broadcaster.newspaper.pasted import clean_line
from broadcaster.newspaper.places import above, at_or_under
from subscribers import audit, seen
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.models import Organisation
from subscribers.organisations import hold_place

MAX_COLUMNS = 200
MAX_DEPTH = 4
_CHANGE = "columns.change"


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One column where it hangs. `depth` counts from 0; `is_own`: the actor may change it."""

    id: int
    name: str
    owner: str
    parent_id: int | None
    depth: int
    items: int
    is_own: bool


@needs(Right.SEE)
def tree(session: Session, actor: Actor) -> list[ColumnLine]:
    """The columns of the actor's part of the tree and of all above it, each parent before its children."""
    found = session.scalars(select(StandingColumn).where(_seen(actor))).all()
    counted = select(Item.standing_id, func.count()).where(at_or_under(Item.under, actor.under))
    rows = session.execute(counted.group_by(Item.standing_id))
    items: dict[int | None, int] = {row[0]: row[1] for row in rows}
    known = {each.id for each in found}
    below: dict[int | None, list[StandingColumn]] = {}
    for each in sorted(found, key=lambda one: (one.position, one.id)):
        # what hangs from a column of somebody else stands at the top for this one
        below.setdefault(each.parent_id if each.parent_id in known else None, []).append(each)
    lines: list[ColumnLine] = []

    def walk(parent: int | None, depth: int) -> None:
        for each in below.get(parent, ()):
            is_own = each.under.startswith(actor.under)
            line = ColumnLine(each.id, each.name, each.owner, parent, depth, items.get(each.id, 0), is_own)
            lines.append(line)
            walk(each.id, depth + 1)

    walk(None, 0)
    return lines


@needs(Right.SEE)
def get(session: Session, actor: Actor, column_id: int) -> StandingColumn:
    """A column that this actor may use; `NotFound` for any other."""
    column = session.scalar(select(StandingColumn).where(StandingColumn.id == column_id, _seen(actor)))
    if column is None:
        raise NotFound("There is no column {id}.", hint="Choose one of the list.", id=column_id)
    return column


@needs(Right.EDIT)
def add(
    session: Session, actor: Actor, name: str, *, parent: int | None = None, owner: str = "", now: datetime
) -> StandingColumn:
    """A column of the actor's place, behind its neighbours. Raises `Invalid`."""
    lines = tree(session, actor)
    if len(lines) >= MAX_COLUMNS:
        raise Invalid("There are {limit} columns already; more are not kept.", limit=MAX_COLUMNS)
    if parent is not None:
        get(session, actor, parent)
        if next(line.depth for line in lines if line.id == parent) + 1 >= MAX_DEPTH:
            raise Invalid("Columns go {limit} levels deep at most.", hint="Hang it further up.", limit=MAX_DEPTH)
    hold_place(session, actor.under)
    column = StandingColumn(
        name=_name(name, lines, parent, None),
        parent_id=parent,
        owner=_owner(session, actor, owner),
        under=actor.under,
        position=len(lines),
        created_by=actor.name,
        created_at=now,
    )
    session.add(column)
    session.flush()
    return column


@needs(Right.EDIT)
def begin(session: Session, actor: Actor, names: Sequence[str], *, now: datetime) -> list[StandingColumn]:
    """The first columns of a paper. Raises `Conflict` where there are some."""
    if tree(session, actor):
        raise Conflict("There are columns already.", hint="Load the page again.")
    return [add(session, actor, name, now=now) for name in names]


@needs(Right.EDIT)
def change(
    session: Session, actor: Actor, column_id: int, *, name: str, owner: str, read: str = "", now: datetime
) -> StandingColumn:
    """Another name and owner. Editions keep the name that they were made with.

    `read`: what its form carried. Raises `Invalid`, `Outdated`.
    """
    column = _held(session, actor, column_id)
    before, thing = mark_of(column), f"column {column_id}"
    column.name = _name(name, tree(session, actor), column.parent_id, column.id)
    column.owner = _owner(session, actor, owner)
    seen.refuse_outdated(session, read, before, mark_of(column), deeds={_CHANGE}, thing=thing)
    audit.note(session, actor, _CHANGE, thing, people=0, now=now)
    session.flush()
    return column


def mark_of(column: StandingColumn | ColumnLine) -> str:
    """The mark of its name and owner."""
    return seen.mark(column.name, column.owner)


@needs(Right.EDIT)
def move(session: Session, actor: Actor, column_id: int, *, down: bool) -> StandingColumn:
    """One place up or down among its neighbours; at the end it stays."""
    column = _own(session, actor, column_id)
    lines = [line for line in tree(session, actor) if line.is_own]
    parent = next(line.parent_id for line in lines if line.id == column_id)
    neighbours = [line.id for line in lines if line.parent_id == parent]
    here = neighbours.index(column_id)
    there = min(max(here + (1 if down else -1), 0), len(neighbours) - 1)
    neighbours.insert(there, neighbours.pop(here))
    for position, each in enumerate(neighbours):
        session.execute(update(StandingColumn).where(StandingColumn.id == each).values(position=position))
    session.refresh(column)
    return column


@needs(Right.EDIT)
def remove(session: Session, actor: Actor, column_id: int, *, into: int | None, read: str = "", now: datetime) -> int:
    """A column ends; its items want to stand in `into` from now on, or nowhere. How many items these are.

    `read`: what its form carried. Raises `Invalid`, `Conflict`, `Outdated`.
    """
    column = _held(session, actor, column_id)
    seen.refuse_outdated(session, read, mark_of(column), deeds={_CHANGE}, thing=f"column {column_id}")
    if into == column_id:
        raise Invalid("The items cannot go into the column that ends.", hint="Choose another one.")
    if into is not None:
        get(session, actor, into)
    if session.scalar(select(func.count()).where(StandingColumn.parent_id == column.id)):
        raise Conflict("There are columns below {name}.", hint="Remove these first.", name=column.name)
    name = column.name
    items = session.scalar(select(func.count()).where(Item.standing_id == column.id)) or 0
    session.execute(update(Item).where(Item.standing_id == column.id).values(standing_id=into))
    session.execute(update(Column).where(Column.standing_id == column.id).values(standing_id=into))
    session.delete(column)
    audit.note(session, actor, "columns.remove", name, people=0, now=now, items=items)
    session.flush()
    return items


def _seen(actor: Actor) -> ColumnElement[bool]:
    return or_(at_or_under(StandingColumn.under, actor.under), StandingColumn.under.in_(above(actor.under)))


def _own(session: Session, actor: Actor, column_id: int) -> StandingColumn:
    column = get(session, actor, column_id)
    if not column.under.startswith(actor.under):
        raise NotFound("There is no column {id} of yours.", hint="It is changed at the place above.", id=column_id)
    return column


def _held(session: Session, actor: Actor, column_id: int) -> StandingColumn:
    """One of the actor's own, which nobody else changes before this transaction ends."""
    # it may end at this moment: then it is not found below
    session.execute(select(StandingColumn.id).where(StandingColumn.id == column_id).with_for_update())
    column = _own(session, actor, column_id)
    session.refresh(column)
    return column


def _name(name: str, lines: Sequence[ColumnLine], parent: int | None, own: int | None) -> str:
    name = clean_line(name)
    if not name:
        raise Invalid("The name of the column is missing.", hint="Write a name, for example News.")
    if len(name) > MAX_COLUMN_NAME:
        raise Invalid("A column's name has {limit} characters at most.", limit=MAX_COLUMN_NAME)
    if any(line.name == name and line.parent_id == parent and line.id != own for line in lines):
        raise Invalid("There is a column {name} there already.", hint="Take another name.", name=name)
    return name


def _owner(session: Session, actor: Actor, name: str) -> str:
    """A user of the actor's part of the tree; of others nobody is told whether they are there."""
    name = name.strip()
    place = func.coalesce(Organisation.path, "")
    query = select(User.id).outerjoin(Organisation, Organisation.id == User.organisation_id)
    query = query.where(
        User.name == name, User.disabled_at.is_(None), func.substr(place, 1, len(actor.under)) == actor.under
    )
    if name and session.scalar(query) is None:
        raise Invalid(
            "There is no user {name} here.",
            hint="`broadsheet users list` shows them. Left empty, it is any editor.",
            name=name[:100],
        )
    return name
