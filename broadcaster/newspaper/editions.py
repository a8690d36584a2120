"""Editions: taken in from a file, listed, and seen as the variants that readers get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.newspaper.edition_file import ColumnText, EditionText, ItemText, decode, parse, stands_in
from broadcaster.newspaper.edition_pictures import missing_picture
from broadcaster.newspaper.models import (
    Column,
    Edition,
    Item,
    ItemPicture,
    ItemState,
    Picture,
    Placement,
    Variant,
    VariantText,
)
from broadcaster.newspaper.own_words import plain
from broadcaster.newspaper.pictures import digest_of, keep
from broadcaster.newspaper.places import above, at_or_under
from broadcaster.newspaper.sentences import kept_apart
from broadcaster.newspaper.shrinking import Shrunk
from subscribers import audit, segments
from subscribers.actor import Actor, Right, needs
from subscribers.db import among
from subscribers.errors import Conflict, NotFound
from subscribers.organisations import hold_place


@dataclass(frozen=True, slots=True)
class EditionLine:
    """One edition in a list."""

    number: int
    date: date
    title: str
    variants: tuple[str, ...]
    columns: int
    items: int


@dataclass(frozen=True, slots=True)
class VariantContent:
    """What one segment gets: only columns in which it has items, in the shape that templates take."""

    position: int
    name: str
    rule: str
    #: [{"name": ..., "items": [{"headline": ..., "sms": ...}]}]
    columns: list[dict[str, Any]]
    #: written by hand; None: it is made of the columns
    body: str | None = None
    #: it ends with the address of the reading page
    with_link: bool = False


@needs(Right.EDIT)
def import_edition(
    session: Session,
    actor: Actor,
    source: bytes | str,
    *,
    pictures: Mapping[str, Shrunk] | None = None,
    now: datetime,
) -> Edition:
    """Take in an edition file. The same content again gives the edition that is there already.

    `pictures`: by the names that the file has for them. Raises `Invalid` for a file that cannot be used, and
    `Conflict`, offering the next free number, if the number belongs to an edition with other content.
    """
    text = decode(source) if isinstance(source, bytes) else source
    content, kept = _with_pictures(parse(text), pictures or {})
    for name in content.variants:
        segments.check(session, name, within=actor.under)
    if existing := _by_number(session, content.number):
        return _the_same(session, actor, existing, content)
    edition = enter(
        session, content.number, content.date, content.title, source=text, under=actor.under, by=actor.name, now=now
    )
    if edition is None:
        # someone else has just taken the number
        existing = session.scalars(select(Edition).where(Edition.number == content.number)).one()
        return _the_same(session, actor, existing, content)
    ids = {digest: keep(session, actor, each, now=now) for digest, each in kept.items()}
    _store(session, edition, content, ids)
    audit.note(session, actor, "editions.make", f"edition {content.number}", people=0, now=now)
    return edition


def _with_pictures(content: EditionText, given: Mapping[str, Shrunk]) -> tuple[EditionText, dict[str, Shrunk]]:
    """The same with the digest of each picture for its name, and the pictures by their digests."""
    named = {item.picture for column in content.columns for item in column.items if item.picture}
    for name in sorted(named - given.keys()):
        raise missing_picture(name)
    digests = {name: digest_of(given[name]) for name in named}
    columns = tuple(
        replace(column, items=tuple(replace(item, picture=digests.get(item.picture, "")) for item in column.items))
        for column in content.columns
    )
    return replace(content, columns=columns), {digests[name]: given[name] for name in named}


def enter(
    session: Session, number: int, day: date, title: str, *, source: str = "", under: str, by: str, now: datetime
) -> Edition | None:
    """An empty edition of this place; None if the number is taken."""
    hold_place(session, under)
    edition = Edition(number=number, date=day, title=title, source=source, under=under, created_by=by, created_at=now)
    try:
        with session.begin_nested():
            session.add(edition)
            session.flush()
    except IntegrityError:
        return None
    return edition


@needs(Right.SEE)
def listing(
    session: Session, actor: Actor, *, before: int | None = None, limit: int | None = None
) -> list[EditionLine]:
    """The editions of the actor's part of the tree and of all above it, the newest number first.

    `before`: those with a smaller number, `limit` of them at most.
    """
    read = or_(at_or_under(Edition.under, actor.under), Edition.under.in_(above(actor.under)))
    query = select(Edition).where(read).order_by(Edition.number.desc()).limit(limit)
    if before is not None:
        query = query.where(Edition.number < before)
    found = session.scalars(query).all()
    mine = among(session, Column.edition_id, [edition.id for edition in found])
    columns = _counts(session, select(Column.edition_id, func.count()).where(mine).group_by(Column.edition_id))
    per_edition = select(Column.edition_id, func.count()).join(Placement, Placement.column_id == Column.id).where(mine)
    items = _counts(session, per_edition.group_by(Column.edition_id))
    variants: dict[int, list[str]] = {}
    named = select(Variant.edition_id, Variant.name).order_by(Variant.position)
    named = named.where(among(session, Variant.edition_id, [edition.id for edition in found]))
    for edition_id, name in session.execute(named):
        variants.setdefault(edition_id, []).append(name)
    return [
        EditionLine(
            edition.number,
            edition.date,
            edition.title,
            tuple(variants.get(edition.id, ())),
            columns.get(edition.id, 0),
            items.get(edition.id, 0),
        )
        for edition in found
    ]


@needs(Right.SEE)
def get(session: Session, actor: Actor, number: int) -> Edition:
    """The edition with this number; `NotFound` if there is none."""
    edition = _by_number(session, number)
    if edition is None or not is_read_at(actor.under, edition.under):
        raise NotFound(
            "There is no edition {number}.", hint="`broadsheet editions list` shows those there are.", number=number
        )
    return edition


def next_number(session: Session) -> int:
    """The number after the highest that was used."""
    return (session.scalar(select(func.max(Edition.number))) or 0) + 1


def variants(
    session: Session,
    edition: Edition,
    *,
    instead: Mapping[int, str] | None = None,
    names: Sequence[str] | None = None,
) -> list[VariantContent]:
    """The variants of an edition, in the order in which readers are given theirs.

    To see what would become of it, `instead`: by the id of an item another sentence for its SMS; `names`: other
    segments than those that it has.
    """
    rows = [(column, item) for column, _, item in contents(session, edition) if item.state != ItemState.WITHDRAWN]
    own = own_texts(session, edition)
    made = []
    for position, name in enumerate(variant_names(session, edition) if names is None else names):
        mine = own.get(name)
        columns = _columns_of(name, rows, instead or {}, in_full=mine is not None and mine.in_full)
        body, with_link = (mine.body, mine.with_link) if mine else (None, False)
        made.append(VariantContent(position, name, name, columns, body, with_link))
    return made


def own_texts(session: Session, edition: Edition) -> dict[str, VariantText]:
    """What editors have decided about the texts of variants, by name."""
    found = session.scalars(select(VariantText).where(VariantText.edition_id == edition.id))
    return {each.name: each for each in found}


def variant_names(session: Session, edition: Edition) -> list[str]:
    """The segments of an edition's variants, in their order."""
    query = select(Variant.name).where(Variant.edition_id == edition.id).order_by(Variant.position)
    return list(session.scalars(query))


def context(edition: Edition, variant: VariantContent, paper: str) -> dict[str, Any]:
    """What is the same for every reader of a variant, for the template `headlines`; may be kept as JSON."""
    return {
        "paper": paper,
        "number": edition.number,
        "date": edition.date.isoformat(),
        "columns": [
            column | {"items": [item | {"sms": sms} for item, sms in zip(column["items"], _apart(column), strict=True)]}
            for column in variant.columns
        ],
    }


def _apart(column: Mapping[str, Any]) -> list[str]:
    return kept_apart([item["sms"] for item in column["items"]])


def _by_number(session: Session, number: int) -> Edition | None:
    return session.scalar(select(Edition).where(Edition.number == number))


def is_read_at(place: str, under: str) -> bool:
    """Whether an edition that was made at `under` is one of this place: of its part of the tree, or of one above."""
    return under.startswith(place) or place.startswith(under)


def _the_same(session: Session, actor: Actor, existing: Edition, content: EditionText) -> Edition:
    if is_read_at(actor.under, existing.under) and _as_text(session, existing) == content:
        return existing
    raise Conflict(
        "There is an edition {number} already, with other content.",
        hint="The next free number is {free}: write number = {free}.",
        number=existing.number,
        free=next_number(session),
    )


def _as_text(session: Session, edition: Edition) -> EditionText:
    """What stands in it now, as its file would have it."""
    columns = session.scalars(select(Column).where(Column.edition_id == edition.id).order_by(Column.position)).all()
    items: dict[int, list[ItemText]] = {column.id: [] for column in columns}
    for column, _, item in contents(session, edition):
        text = ItemText(item.headline, item.sms, item.full, tuple(item.audience))
        if item.picture is not None:
            text = replace(text, picture=_digest(session, item.picture.picture_id), alt=item.picture.alt)
        items[column.id].append(text)
    return EditionText(
        edition.number,
        edition.date,
        edition.title,
        tuple(variant_names(session, edition)),
        tuple(ColumnText(column.name, tuple(items[column.id])) for column in columns),
    )


def _digest(session: Session, picture_id: int) -> str:
    return session.scalars(select(Picture.digest).where(Picture.id == picture_id)).one()


def contents(session: Session, edition: Edition) -> Sequence[Row[Column, Placement, Item]]:
    """Every item where it stands, in the order of the edition."""
    return session.execute(
        select(Column, Placement, Item)
        .join(Placement, Placement.column_id == Column.id)
        .join(Item, Item.id == Placement.item_id)
        .where(Column.edition_id == edition.id)
        .order_by(Column.position, Placement.position, Placement.id)
    ).all()


def _store(session: Session, edition: Edition, content: EditionText, pictures: Mapping[str, int]) -> None:
    columns = [
        Column(edition_id=edition.id, position=position, name=column.name)
        for position, column in enumerate(content.columns)
    ]
    session.add_all(columns)
    session.add_all(
        Variant(edition_id=edition.id, position=position, name=name) for position, name in enumerate(content.variants)
    )
    session.flush()
    placed = [
        (row, position, _item(edition, item, pictures))
        for row, column in zip(columns, content.columns, strict=True)
        for position, item in enumerate(column.items)
    ]
    session.add_all(item for _, _, item in placed)
    session.flush()
    session.add_all(Placement(column_id=row.id, item_id=item.id, position=at) for row, at, item in placed)
    session.flush()


def _item(edition: Edition, text: ItemText, pictures: Mapping[str, int]) -> Item:
    by, at = edition.created_by, edition.created_at
    return Item(
        picture=ItemPicture(picture_id=pictures[text.picture], alt=text.alt) if text.picture else None,
        under=edition.under,
        headline=text.headline,
        sms=text.sms,
        full=text.full,
        audience=list(text.audience),
        state=ItemState.READY,
        created_by=by,
        created_at=at,
        changed_by=by,
        changed_at=at,
    )


def _columns_of(
    variant: str, rows: Iterable[tuple[Column, Item]], instead: Mapping[int, str], *, in_full: bool
) -> list[dict[str, Any]]:
    columns: dict[int, dict[str, Any]] = {}
    for column, item in rows:
        if stands_in(variant, item.audience):
            entry = columns.setdefault(column.id, {"name": column.name, "items": []})
            entry["items"].append({"headline": item.headline, "sms": instead.get(item.id) or _said(item, in_full)})
    return list(columns.values())


def _said(item: Item, in_full: bool) -> str:
    return plain(item.full) if in_full and item.full else item.sms


def _counts(session: Session, query: Select[int, int]) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(query)}
