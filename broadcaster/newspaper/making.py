"""Editions made at the desk: begun from the last one, filled with items, put in order.

Every change locks the edition's row for its length, so that two who move things at once do not undo each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from broadcaster.newspaper.edition_file import EVERYONE, MAX_COLUMN_NAME, MAX_TITLE
from broadcaster.newspaper.editions import contents, enter, get, next_number, variant_names
from broadcaster.newspaper.items import get as get_item
from broadcaster.newspaper.models import Column, Edition, Item, ItemState, Placement, StandingColumn, Variant
from broadcaster.newspaper.pasted import clean_line
from broadcaster.newspaper.places import above, at_or_under
from broadcaster.newspaper.values import MAX_ENTRIES, MAX_NUMBER
from broadcaster.words import segment_name
from subscribers import audit, seen, segments
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Invalid, NotFound, Outdated

#: as the audit calls it
VARIANTS = "editions.variants"
_CHANGE = "editions.change"


@dataclass(frozen=True, slots=True)
class PlacedItem:
    """An item where it stands."""

    id: int
    item: Item


@dataclass(frozen=True, slots=True)
class LaidColumn:
    """A column of an edition, with what stands in it."""

    id: int
    name: str
    standing_id: int | None
    items: Sequence[PlacedItem]


@dataclass(frozen=True, slots=True)
class Layout:
    """An edition as its editors see it: everything that was put into it, also what readers do not get any more."""

    edition: Edition
    columns: Sequence[LaidColumn]
    variants: Sequence[str]
    is_own: bool


@needs(Right.SEE)
def layout(session: Session, actor: Actor, number: int) -> Layout:
    """What stands where."""
    edition = get(session, actor, number)
    found = select(Column).where(Column.edition_id == edition.id).order_by(Column.position)
    placed: dict[int, list[PlacedItem]] = {}
    for column, placement, item in contents(session, edition):
        placed.setdefault(column.id, []).append(PlacedItem(placement.id, item))
    columns = [
        LaidColumn(column.id, column.name, column.standing_id, placed.get(column.id, ()))
        for column in session.scalars(found)
    ]
    is_own = edition.under.startswith(actor.under)
    return Layout(edition, columns, variant_names(session, edition), is_own)


@needs(Right.EDIT)
def begin(session: Session, actor: Actor, *, number: int, day: date, title: str, now: datetime) -> Edition:
    """An edition with the columns and segments of the last one, and nothing in it. Raises `Invalid`, `Conflict`."""
    if not 1 <= number <= MAX_NUMBER:
        raise Invalid("An edition's number is from 1 to {limit}.", limit=MAX_NUMBER)
    last = session.scalar(
        select(Edition).where(at_or_under(Edition.under, actor.under)).order_by(Edition.number.desc()).limit(1)
    )
    edition = enter(session, number, day, _title(title), under=actor.under, by=actor.name, now=now)
    if edition is None:
        raise Conflict(
            "The number {number} is taken.",
            hint="The next free one is {free}.",
            number=number,
            free=next_number(session),
        )
    for position, (name, standing_id) in enumerate(_columns_to_begin_with(session, actor, last)):
        session.add(Column(edition_id=edition.id, position=position, name=name, standing_id=standing_id))
    for position, name in enumerate(variant_names(session, last) if last else ["everyone"]):
        session.add(Variant(edition_id=edition.id, position=position, name=name))
    session.flush()
    audit.note(session, actor, "editions.make", f"edition {number}", people=0, now=now)
    return edition


@needs(Right.EDIT)
def rename(
    session: Session, actor: Actor, number: int, *, day: date, title: str, read: str = "", now: datetime
) -> Edition:
    """Another day and title. `read`: what its form carried. Raises `Invalid`, `Outdated`."""
    edition = hold(session, actor, number)
    before, thing = heading_mark(edition), f"edition {number}"
    edition.date, edition.title = day, _title(title)
    seen.refuse_outdated(session, read, before, heading_mark(edition), deeds={_CHANGE}, thing=thing)
    audit.note(session, actor, _CHANGE, thing, people=0, now=now)
    session.flush()
    return edition


def heading_mark(edition: Edition) -> str:
    """The mark of an edition's day and title."""
    return seen.mark(edition.date.isoformat(), edition.title)


@needs(Right.EDIT)
def place(session: Session, actor: Actor, number: int, column_id: int, item_ids: Sequence[int]) -> list[int]:
    """Put accepted items at the end of a column; those that stand in the edition already stay where they are.

    Returns the placements made. Raises `Conflict` for an item that is not accepted, or a column that is full.
    """
    edition = hold(session, actor, number)
    column = _column(session, edition, column_id)
    there = {item.id for _, _, item in contents(session, edition)}
    standing = _standing(session, column)
    made: list[Placement] = []
    for item_id in dict.fromkeys(item_ids):
        item = get_item(session, actor, item_id)
        if item.id in there:
            continue
        if item.state != ItemState.READY:
            raise Conflict("{headline}: this item is not accepted.", hint="Accept it first.", headline=item.headline)
        if len(standing) + len(made) >= MAX_ENTRIES:
            raise Conflict("A column holds {limit} items.", hint="Take another column.", limit=MAX_ENTRIES)
        made.append(Placement(column_id=column.id, item_id=item.id, position=0))
    session.add_all(made)
    session.flush()
    _put(session, column.id, [*standing, *(each.id for each in made)])
    return [each.id for each in made]


@needs(Right.EDIT)
def move(session: Session, actor: Actor, number: int, placement_id: int, *, down: bool) -> None:
    """One step up or down; from the end of a column into the next one, from its beginning into the one before."""
    edition = hold(session, actor, number)
    placed = _placed(session, edition, placement_id)
    line = _standing(session, _column(session, edition, placed.column_id))
    here = line.index(placement_id)
    there = here + (1 if down else -1)
    if 0 <= there < len(line):
        line.insert(there, line.pop(here))
        _put(session, placed.column_id, line)
        return
    columns = _column_ids(session, edition)
    beside = columns.index(placed.column_id) + (1 if down else -1)
    if 0 <= beside < len(columns):
        _into(session, edition, placed, columns[beside], 0 if down else None)


@needs(Right.EDIT)
def move_to(
    session: Session, actor: Actor, number: int, placement_id: int, column_id: int, position: int | None = None
) -> None:
    """Into a column: to this position, counted from 0, or to its end."""
    edition = hold(session, actor, number)
    _into(session, edition, _placed(session, edition, placement_id), column_id, position)


@needs(Right.EDIT)
def take_out(session: Session, actor: Actor, number: int, placement_id: int) -> tuple[int, int]:
    """Out of the edition; the item stays. Returns its column and the item, for putting it back."""
    edition = hold(session, actor, number)
    placed = _placed(session, edition, placement_id)
    session.execute(delete(Placement).where(Placement.id == placed.id))
    return placed.column_id, placed.item_id


@needs(Right.EDIT)
def set_variants(
    session: Session,
    actor: Actor,
    number: int,
    names: Sequence[str],
    *,
    read: Sequence[str] | None = None,
    now: datetime,
) -> list[str]:
    """The segments that get a variant of their own, in order. `read`: those that it had when the actor looked.

    Raises `Invalid`, and `Outdated` if it has others by now.
    """
    edition = hold(session, actor, number)
    names = list(dict.fromkeys(segment_name(name) for name in map(clean_line, names) if name))
    if not 1 <= len(names) <= MAX_ENTRIES:
        raise Invalid(
            "An edition has from 1 to {limit} variants.", hint="Name a segment in each line.", limit=MAX_ENTRIES
        )
    if not EVERYONE.isdisjoint(names[:-1]):
        raise Invalid(
            "The variant for everyone stands before others, which nobody would get then.",
            hint="Put it at the end of variants.",
        )
    for name in names:
        segments.check(session, name, within=actor.under)
    thing, before = f"edition {number}", variant_names(session, edition)
    if read is not None and before not in (list(read), names):
        raise Outdated(
            "{who} has changed the variants since you opened them.",
            hint="Theirs and yours are below: take one of them, or put them together.",
            who=audit.last_by(session, VARIANTS, thing),
        )
    if names != before:
        audit.note(session, actor, VARIANTS, thing, people=0, now=now, variants=len(names))
    session.execute(delete(Variant).where(Variant.edition_id == edition.id))
    rows = [{"edition_id": edition.id, "position": at, "name": name} for at, name in enumerate(names)]
    session.execute(insert(Variant), rows)
    return names


@needs(Right.EDIT)
def add_column(session: Session, actor: Actor, number: int, name: str) -> Column:
    """A column of this edition only, at its end."""
    edition = hold(session, actor, number)
    name = clean_line(name)
    columns = _column_ids(session, edition)
    if not name or len(name) > MAX_COLUMN_NAME:
        raise Invalid("A column's name has from 1 to {limit} characters.", limit=MAX_COLUMN_NAME)
    if len(columns) >= MAX_ENTRIES:
        raise Invalid("An edition has {limit} columns at most.", limit=MAX_ENTRIES)
    last = session.scalar(select(func.max(Column.position)).where(Column.edition_id == edition.id))
    column = Column(edition_id=edition.id, position=0 if last is None else last + 1, name=name)
    session.add(column)
    session.flush()
    return column


@needs(Right.EDIT)
def take_columns(session: Session, actor: Actor, number: int) -> int:
    """The columns that come back, into an edition that has none. How many they are. Raises `Conflict`."""
    edition = hold(session, actor, number)
    if _column_ids(session, edition):
        raise Conflict("Edition {number} has columns already.", hint="Load it again.", number=number)
    found = _columns_to_begin_with(session, actor, None)
    for position, (name, standing_id) in enumerate(found):
        session.add(Column(edition_id=edition.id, position=position, name=name, standing_id=standing_id))
    session.flush()
    return len(found)


@needs(Right.EDIT)
def remove_column(session: Session, actor: Actor, number: int, column_id: int) -> None:
    """A column without items is taken out. Raises `Conflict` for any other."""
    edition = hold(session, actor, number)
    column = _column(session, edition, column_id)
    if _standing(session, column):
        raise Conflict("There are items in {name}.", hint="Move them first.", name=column.name)
    session.delete(column)
    session.flush()


@needs(Right.EDIT)
def hold(session: Session, actor: Actor, number: int) -> Edition:
    """An edition of the actor's part of the tree; nobody else changes it until this transaction ends."""
    edition = get(session, actor, number)
    if not edition.under.startswith(actor.under):
        raise NotFound(
            "There is no edition {number} of yours.", hint="It is changed at the place above.", number=number
        )
    session.execute(update(Edition).where(Edition.id == edition.id).values(version=Edition.version + 1))
    session.refresh(edition)
    return edition


def _title(text: str) -> str:
    title = clean_line(text)
    if not title or len(title) > MAX_TITLE:
        raise Invalid("A title has from 1 to {limit} characters.", hint="Write a title.", limit=MAX_TITLE)
    return title


def _columns_to_begin_with(session: Session, actor: Actor, last: Edition | None) -> list[tuple[str, int | None]]:
    if last is not None:
        query = select(Column.name, Column.standing_id).where(Column.edition_id == last.id).order_by(Column.position)
        return [(name, standing_id) for name, standing_id in session.execute(query)]
    # the lowest columns of the tree: what is above them only sorts them
    parents = select(StandingColumn.parent_id).where(StandingColumn.parent_id.is_not(None))
    here = at_or_under(StandingColumn.under, actor.under) | StandingColumn.under.in_(above(actor.under))
    query = select(StandingColumn.name, StandingColumn.id).where(here, StandingColumn.id.not_in(parents))
    rows = session.execute(query.order_by(StandingColumn.position, StandingColumn.id).limit(MAX_ENTRIES))
    return [(name, id_) for name, id_ in rows]


def _column_ids(session: Session, edition: Edition) -> list[int]:
    query = select(Column.id).where(Column.edition_id == edition.id).order_by(Column.position)
    return list(session.scalars(query))


def _column(session: Session, edition: Edition, column_id: int) -> Column:
    column = session.scalar(select(Column).where(Column.id == column_id, Column.edition_id == edition.id))
    if column is None:
        raise NotFound("There is no such column in edition {number}.", hint="Load it again.", number=edition.number)
    return column


def _placed(session: Session, edition: Edition, placement_id: int) -> Placement:
    query = select(Placement).join(Column, Column.id == Placement.column_id)
    placed = session.scalar(query.where(Placement.id == placement_id, Column.edition_id == edition.id))
    if placed is None:
        raise NotFound("It does not stand in edition {number} any more.", hint="Load it again.", number=edition.number)
    return placed


def _standing(session: Session, column: Column) -> list[int]:
    query = select(Placement.id).where(Placement.column_id == column.id)
    return list(session.scalars(query.order_by(Placement.position, Placement.id)))


def _into(session: Session, edition: Edition, placed: Placement, column_id: int, position: int | None) -> None:
    column = _column(session, edition, column_id)
    line = [each for each in _standing(session, column) if each != placed.id]
    if len(line) >= MAX_ENTRIES:
        raise Conflict("A column holds {limit} items.", hint="Take another column.", limit=MAX_ENTRIES)
    line.insert(len(line) if position is None else max(position, 0), placed.id)
    _put(session, column.id, line)


def _put(session: Session, column_id: int, line: Sequence[int]) -> None:
    rows = [{"id": each, "column_id": column_id, "position": at} for at, each in enumerate(line)]
    session.execute(update(Placement), rows)
    session.expire_all()
