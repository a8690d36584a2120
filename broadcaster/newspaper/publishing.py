"""Reading pages: an edition as it was published, for whoever has the address, or for some of the members.

An address can be passed on: an item for some of the members, or a page that is theirs, is shown to whom it is for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from broadcaster.newspaper.edition_file import EVERYONE
from broadcaster.newspaper.editions import contents, get
from broadcaster.newspaper.models import (
    Column,
    Edition,
    EditionPage,
    Item,
    ItemPicture,
    ItemState,
    PagePicture,
    Picture,
    Placement,
)
from broadcaster.words import segment_name
from subscribers import audit, seen, segments
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.models import Member

#: bytes of a page, as they are estimated here
LARGEST = 46_000
#: characters of whom a page is for
_NAMED = 500
_PUBLISH = "editions.publish"
_TAKE_DOWN = "editions.take_down"


@dataclass(frozen=True, slots=True)
class ReadingPage:
    """What members read. `withdrawn`: of these items only the headline is shown."""

    number: int
    day: date
    title: str
    columns: Sequence[Mapping[str, Any]]
    withdrawn: frozenset[int]
    #: whose it is, as a rule and in the editor's words; empty: anybody's
    readers: str
    readers_named: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class ArchiveLine:
    """One edition in the archive."""

    number: int
    day: date
    title: str
    #: for anybody
    is_open: bool


@dataclass(frozen=True, slots=True)
class Published:
    """How many items stand on a page for whoever may open it, and how many for some of the members only."""

    common: int
    others: int


class ForNobody(Invalid):
    """An item is for people who cannot be asked for any more."""

    #: which one
    item_id = 0


@needs(Right.EDIT)
def publish(
    session: Session, actor: Actor, number: int, *, now: datetime, readers: str = "", read: str = ""
) -> Published:
    """Make the reading page, or make it anew.

    `readers`: a segment or a rule, whose members alone may; `read`: what the form carried. Raises `Conflict`,
    `Invalid`, `ForNobody`, `Outdated`.
    """
    edition = _own(session, actor, number)
    readers = segment_name(readers.strip())
    if len(readers) > _NAMED:
        raise Invalid(
            "The rule of who may read it has {length} characters; {limit} are the most.",
            hint="Save it as a segment, and write its name here.",
            length=len(readers),
            limit=_NAMED,
        )
    rule = segments.frozen(session, readers, within=edition.under) if readers else ""
    page = session.get(EditionPage, edition.id, with_for_update=True, populate_existing=True)
    before = mark_of(page.readers_named, is_published=True) if page else mark_of("", is_published=False)
    after = mark_of(readers, is_published=True)
    seen.refuse_outdated(session, read, before, after, deeds={_PUBLISH, _TAKE_DOWN}, thing=str(number))
    stood = {item["id"]: item for column in page.columns for item in column["items"]} if page else {}
    columns: list[dict[str, Any]] = []
    pictures: dict[int, int] = {}
    withdrawn: set[int] = set()
    for column, _, item in contents(session, edition):
        is_withdrawn = item.state == ItemState.WITHDRAWN
        if is_withdrawn and item.id not in stood:
            continue
        if not is_withdrawn and item.state != ItemState.READY:
            raise Conflict("{headline}: this item is not accepted.", hint="Accept it first.", headline=item.headline)
        theirs = [] if not EVERYONE.isdisjoint(item.audience) else item.audience
        if not columns or columns[-1]["id"] != column.id:
            columns.append({"id": column.id, "name": column.name, "items": []})
        if is_withdrawn:
            # who has read it finds its headline, and that it was withdrawn
            withdrawn.add(item.id)
            columns[-1]["items"].append({**stood[item.id], "picture": None})
            continue
        if item.picture:
            pictures[item.id] = item.picture.picture_id
        columns[-1]["items"].append(
            {
                "id": item.id,
                "version": item.version,
                "headline": item.headline,
                "sms": item.sms,
                "full": item.full,
                "source": item.source,
                "corrects": item.corrects_id,
                "picture": _told(session, item.picture) if item.picture else None,
                # rules; none: for everyone who may open the page
                "for": [_frozen(session, item, each, edition.under) for each in theirs],
            }
        )
    items = [item for column in columns for item in column["items"]]
    standing = [item for item in items if item["id"] not in withdrawn]
    common = [item for item in standing if not item["for"]]
    if not common:
        raise Conflict("No item of edition {number} is for everyone.", hint="The page would be empty.", number=number)
    words = "\n".join(item[name] for item in common for name in ("headline", "sms", "full"))
    if (size := _size(items)) > LARGEST:
        raise Invalid(
            "The reading page would have {size} bytes; {limit} are the most that an old phone loads in time.",
            hint="Shorten the longest full texts.",
            size=size,
            limit=LARGEST,
        )
    _place(items, LARGEST - size)
    if page is None:
        page = EditionPage(edition_id=edition.id)
        session.add(page)
    page.columns, page.words = columns, "" if rule else words.lower()
    page.readers, page.readers_named, page.published_by, page.published_at = rule, readers, actor.name, now
    session.flush()
    session.execute(delete(PagePicture).where(PagePicture.edition_id == edition.id))
    session.add_all(
        PagePicture(edition_id=edition.id, item_id=item, picture_id=each) for item, each in pictures.items()
    )
    audit.note(session, actor, _PUBLISH, str(number), people=0, now=now, items=len(standing))
    session.flush()
    return Published(len(common), len(standing) - len(common))


def _frozen(session: Session, item: Item, audience: str, within: str) -> str:
    try:
        return segments.frozen(session, audience, within=within)
    except Invalid:
        gone = ForNobody(
            "“{headline}” is for: {audience}. That cannot be found any more.",
            hint="Say on its page for whom it is, then publish again.",
            headline=item.headline,
            audience=audience,
        )
        gone.item_id = item.id
        raise gone from None


def mark_of(readers: str, *, is_published: bool) -> str:
    """The mark of a reading page: whether there is one, and whose it is, as the editor named them."""
    return seen.mark(readers if is_published else None)


@needs(Right.EDIT)
def take_down(session: Session, actor: Actor, number: int, *, now: datetime) -> None:
    """Nobody finds the page any more; it can be published again."""
    edition = _own(session, actor, number)
    page = session.get(EditionPage, edition.id)
    if page is None:
        raise NotFound("Edition {number} has no reading page.", hint="Load it again.", number=number)
    audit.note(session, actor, _TAKE_DOWN, str(number), people=0, now=now)
    session.execute(delete(PagePicture).where(PagePicture.edition_id == edition.id))
    session.delete(page)
    session.flush()


@needs(Right.SEE)
def published_at(session: Session, actor: Actor, number: int) -> datetime | None:
    """Since when the page is as it is; None: there is none."""
    edition = get(session, actor, number)
    page = session.get(EditionPage, edition.id)
    return page.published_at if page else None


@needs(Right.SEE)
def readers_of(session: Session, actor: Actor, number: int) -> str:
    """Whose page it is, as the editor named them; empty: anybody's, or there is none."""
    page = session.get(EditionPage, get(session, actor, number).id)
    return page.readers_named if page else ""


@needs(Right.SEE)
def without_readers(session: Session, actor: Actor, number: int) -> tuple[bool, list[str]]:
    """What nobody may read any more, because a list or a place was removed that it is for: the whole page, or of which
    items (headlines).
    """
    page = session.get(EditionPage, get(session, actor, number).id)
    if page is None:
        return False, []
    items = [item for column in page.columns for item in column["items"]]
    rules = {rule for item in items for rule in item.get("for") or ()} | {page.readers} - {""}
    gone = {rule for rule in rules if not _can_be_asked(session, rule)}
    lost = [item["headline"] for item in items if item.get("for") and gone.issuperset(item["for"])]
    return page.readers in gone, lost


def outdated(session: Session, numbers: Sequence[int]) -> set[int]:
    """Of these editions, by their numbers, those whose reading page has other items than the edition now, other words
    in them, or another order. What was withdrawn since is not counted: the page shows it as withdrawn by itself.
    """
    query = select(Edition.number, Edition.id, EditionPage.columns, EditionPage.published_at)
    query = query.join(EditionPage, EditionPage.edition_id == Edition.id).where(Edition.number.in_(numbers))
    pages = session.execute(query).all()
    now: dict[int, list[Any]] = {}
    gone: set[int] = set()
    standing = (
        select(Column.edition_id, Column.id, Column.name, Item.id, Item.version, Item.state, Item.changed_at)
        .join(Placement, Placement.column_id == Column.id)
        .join(Item, Item.id == Placement.item_id)
        .where(Column.edition_id.in_([page.id for page in pages]))
        .order_by(Column.position, Placement.position, Placement.id)
    )
    for edition, column, name, item, version, state, changed_at in session.execute(standing):
        if state == ItemState.WITHDRAWN:
            gone.add(item)
        else:
            now.setdefault(edition, []).append((column, name, item, version, changed_at))
    return {page.number for page in pages if _is_other(page, now.get(page.id, []), gone)}


def _is_other(page: Any, now: Sequence[Any], gone: Collection[int]) -> bool:
    was = [(column["id"], column["name"], item) for column in page.columns for item in column["items"]]
    was = [(column, name, item) for column, name, item in was if item["id"] not in gone]
    if len(was) != len(now):
        return True
    return any(
        (column, name, item["id"]) != (at, called, id_)
        # a page of before has not kept which words it has
        or (item["version"] != version if "version" in item else changed_at > page.published_at)
        for (column, name, item), (at, called, id_, version, changed_at) in zip(was, now, strict=True)
    )


def _can_be_asked(session: Session, rule: str) -> bool:
    try:
        segments.check(session, rule)
    except Invalid:
        return False
    return True


def _told(session: Session, chosen: ItemPicture) -> dict[str, Any]:
    """What the page says of a picture. `larger`: bytes of the large one, 0 if it shows no more."""
    picture = session.get_one(Picture, chosen.picture_id)
    return {
        "alt": chosen.alt,
        "mark": picture.digest[:16],
        "width": picture.small_width,
        "height": picture.small_height,
        "size": picture.small_size,
        "larger": picture.large_size if picture.large_width > picture.small_width else 0,
        "is_in_place": False,
    }


def _place(items: Sequence[Mapping[str, Any]], room: int) -> None:
    """Pictures stand in their places as long as the page stays what an old phone loads; the others behind a link."""
    for picture in filter(None, (item["picture"] for item in items)):
        picture["is_in_place"] = picture["size"] <= room
        room -= picture["size"] if picture["is_in_place"] else 0


def _size(items: Sequence[Mapping[str, Any]]) -> int:
    """Bytes of the page at most: words as HTML writes them, tags of paragraphs and links, what stands around items."""
    written = [escape(item["full"] or item["sms"]) for item in items]
    heads = sum(len(escape(item["headline"] * 2 + item["source"]).encode()) + 250 for item in items)
    heads += sum(len(escape(item["picture"]["alt"]).encode()) + 250 for item in items if item["picture"])
    return heads + sum(len(text.encode()) + 20 * text.count("\n") + 40 * text.count("](") for text in written)


def read(session: Session, number: int) -> ReadingPage | None:
    """The page, for anybody; None: there is none."""
    query = select(Edition, EditionPage).join(EditionPage, EditionPage.edition_id == Edition.id)
    found = session.execute(query.where(Edition.number == number)).one_or_none()
    if found is None:
        return None
    edition, page = found
    withdrawn = _withdrawn(session, [item["id"] for item in _items(page.columns)])
    numbers = select(Edition.number).join(EditionPage, EditionPage.edition_id == Edition.id)
    return ReadingPage(
        edition.number,
        edition.date,
        edition.title,
        page.columns,
        withdrawn,
        page.readers,
        page.readers_named,
        session.scalar(numbers.where(Edition.number < number).order_by(Edition.number.desc()).limit(1)),
        session.scalar(numbers.where(Edition.number > number).order_by(Edition.number).limit(1)),
    )


def holds(session: Session, members: Sequence[int], rule: str, *, on: date) -> bool:
    """Whether one of these members is in a rule that was looked up; nobody is in one that names what was removed."""
    if not members:
        return False
    try:
        query = segments.compile_rule(session, rule, on=on)
    except Invalid:
        return False
    return session.scalar(query.where(Member.id.in_(members)).limit(1)) is not None


def archive(session: Session, *, words: str = "", before: int | None = None, limit: int = 30) -> list[ArchiveLine]:
    """The published editions, the newest first; `words` stand in the title or on the page."""
    query = select(Edition.number, Edition.date, Edition.title, EditionPage.readers == "")
    query = query.join(EditionPage, EditionPage.edition_id == Edition.id).order_by(Edition.number.desc()).limit(limit)
    if not words:
        query = query if before is None else query.where(Edition.number < before)
        return [ArchiveLine(*row) for row in session.execute(query)]
    in_title = Edition.title.contains(words, autoescape=True)
    on_page = EditionPage.words.contains(words.lower(), autoescape=True)
    query = query.add_columns(in_title.label("in_title"), EditionPage.columns).where(
        in_title | on_page, EditionPage.readers == ""
    )
    found: list[ArchiveLine] = []
    while len(found) < limit:
        rows = session.execute(query if before is None else query.where(Edition.number < before)).all()
        withdrawn = _withdrawn(session, [item["id"] for row in rows for item in _items(row.columns)])
        found += [
            ArchiveLine(row.number, row.date, row.title, is_open=True)
            for row in rows
            if row.in_title or _says(_items(row.columns), withdrawn, words.lower())
        ]
        if len(rows) < limit:
            break
        before = rows[-1].number
    return found[:limit]


def _says(items: Sequence[Mapping[str, Any]], withdrawn: Collection[int], words: str) -> bool:
    """Whether these words are still shown to everybody: of what was withdrawn, the headline is."""
    return any(
        words in item[name].lower()
        for item in items
        if not item.get("for")
        for name in (("headline",) if item["id"] in withdrawn else ("headline", "sms", "full"))
    )


def _items(columns: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [item for column in columns for item in column["items"]]


def _withdrawn(session: Session, ids: Collection[int]) -> frozenset[int]:
    return frozenset(session.scalars(select(Item.id).where(Item.id.in_(ids), Item.state == ItemState.WITHDRAWN)))


def _own(session: Session, actor: Actor, number: int) -> Edition:
    """An edition of the actor's part of the tree; of two who publish it at once, one comes after the other."""
    edition = get(session, actor, number)
    if not edition.under.startswith(actor.under):
        raise NotFound(
            "There is no edition {number} of yours.", hint="It is changed at the place above.", number=number
        )
    session.execute(select(Edition.id).where(Edition.id == edition.id).with_for_update())
    return edition
