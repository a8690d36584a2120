"""Items: written, changed by one at a time, handed in, accepted, shared, withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import CursorResult, Select, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.language import listed
from broadcaster.newspaper import pictures
from broadcaster.newspaper.columns import get as get_column
from broadcaster.newspaper.edition_file import EVERYONE
from broadcaster.newspaper.item_words import Unaddressed, Unmeant, Words, checked
from broadcaster.newspaper.models import Column, Edition, Item, ItemPicture, ItemState, Placement
from broadcaster.newspaper.places import at_or_under, seen_from
from broadcaster.words import STATUSES, status_word
from subscribers import audit, segments
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Denied, Invalid, NotFound, Outdated
from subscribers.organisations import hold_place


class Shelf(StrEnum):
    """Which items of those that one sees."""

    #: of one's part of the tree
    ALL = "all"
    #: handed in, waiting for an editor
    CONTRIBUTED = "contributed"
    #: drafts, and what is handed in
    UNACCEPTED = "unaccepted"
    #: the shared pool
    SHARED = "shared"
    #: whatever may be put into an edition
    READY = "ready"


class Move(StrEnum):
    """What an editor does with an item."""

    ACCEPT = "accept"
    SEND_BACK = "send_back"
    WITHDRAW = "withdraw"
    RESTORE = "restore"
    SHARE = "share"
    UNSHARE = "unshare"


#: from which states, to which
MOVES: Mapping[Move, tuple[frozenset[ItemState], ItemState | None]] = {
    Move.ACCEPT: (frozenset({ItemState.DRAFT, ItemState.CONTRIBUTED}), ItemState.READY),
    Move.SEND_BACK: (frozenset({ItemState.CONTRIBUTED, ItemState.READY}), ItemState.DRAFT),
    Move.WITHDRAW: (frozenset({ItemState.DRAFT, ItemState.CONTRIBUTED, ItemState.READY}), ItemState.WITHDRAWN),
    Move.RESTORE: (frozenset({ItemState.WITHDRAWN}), ItemState.READY),
    Move.SHARE: (frozenset({ItemState.READY}), None),
    Move.UNSHARE: (frozenset(ItemState), None),
}
MAX_NOTE = 200


@needs(Right.WRITE)
def write(session: Session, actor: Actor, words: Words, *, now: datetime, corrects: int | None = None) -> Item:
    """A new draft of the actor's place. Raises `Invalid` for words that cannot be used."""
    words = _usable(session, actor, words, now)
    if corrects is not None:
        get(session, actor, corrects)
    return _written(session, actor, words, corrects, now)


def _written(session: Session, actor: Actor, words: Words, corrects: int | None, now: datetime) -> Item:
    hold_place(session, actor.under)
    item = Item(under=actor.under, corrects_id=corrects, created_by=actor.name, created_at=now, **_columns(words))
    item.changed_by, item.changed_at = actor.name, now
    item.picture = _picture(words)
    session.add(item)
    session.flush()
    return item


@needs(Right.WRITE)
def change(session: Session, actor: Actor, item_id: int, words: Words, *, version: int, now: datetime) -> Item:
    """Other words for an item that was read as `version`. Raises `Outdated` if it is not the newest any more."""
    item = _own(session, actor, item_id)
    if item.state != ItemState.DRAFT:
        actor.must(Right.EDIT)
    words = _usable(session, actor, words, now, before=item.audience)
    given = _columns(words) | {"changed_by": actor.name, "changed_at": now, "version": version + 1}
    # what was accepted at this moment is not a draft any more, whatever it was when the right was looked at
    as_seen = (Item.id == item.id, Item.version == version, Item.state == item.state)
    done = session.execute(update(Item).where(*as_seen).values(given))
    if not cast(CursorResult[Any], done).rowcount:
        session.refresh(item)
        raise Outdated(
            "{who} has changed this item since you opened it.",
            hint="Both texts are below: take one of them, or put them together.",
            who=item.changed_by,
        )
    session.refresh(item)
    if item.picture is None or not words.picture_id:
        item.picture = _picture(words)
    else:
        item.picture.picture_id, item.picture.alt = words.picture_id, words.alt
    session.flush()
    return item


@needs(Right.WRITE)
def contribute(session: Session, actor: Actor, item_id: int, *, now: datetime) -> Item:
    """Hand a draft in: from now on it waits for an editor."""
    return _to(session, actor, _own(session, actor, item_id), frozenset({ItemState.DRAFT}), ItemState.CONTRIBUTED, now)


@needs(Right.WRITE)
def take_back(session: Session, actor: Actor, item_id: int, *, now: datetime) -> Item:
    """A draft again, as long as no editor has answered. Raises `Conflict`."""
    handed_in = frozenset({ItemState.CONTRIBUTED})
    return _to(session, actor, _own(session, actor, item_id), handed_in, ItemState.DRAFT, now)


@needs(Right.EDIT)
def decide(session: Session, actor: Actor, item_id: int, move: Move, *, note: str = "", now: datetime) -> Item:
    """Accept, send back (with a reason), withdraw, put back, share or no longer. Raises `Conflict`."""
    item = _own(session, actor, item_id)
    before, after = MOVES[move]
    state = item.state
    moved = _to(session, actor, item, before, after or ItemState(state), now)
    if move in (Move.SHARE, Move.UNSHARE):
        moved.shared = move is Move.SHARE
    moved.note = " ".join(note.split())[:MAX_NOTE] if move in (Move.SEND_BACK, Move.WITHDRAW) else moved.note
    audit.note(session, actor, f"items.{move}", str(item.id), people=0, now=now, before=state)
    session.flush()
    return moved


@needs(Right.WRITE)
def copy(session: Session, actor: Actor, item_id: int, *, now: datetime) -> Item:
    """A draft with the same words at the actor's own place; the two have nothing to do with each other any more."""
    words = words_of(get(session, actor, item_id))
    return _written(session, actor, _usable(session, actor, words, now, before=words.audience), None, now)


@needs(Right.SEE)
def get(session: Session, actor: Actor, item_id: int) -> Item:
    """An item that this actor may see; `NotFound` for any other."""
    item = session.scalar(select(Item).where(Item.id == item_id, seen_from(Item.under, Item.shared, actor.under)))
    if item is None:
        raise NotFound("There is no item {id}.", hint="Look for it under its headline.", id=item_id)
    return item


@needs(Right.SEE)
def listing(
    session: Session, actor: Actor, shelf: Shelf, *, words: str = "", before: int | None = None, limit: int = 50
) -> Sequence[Item]:
    """The items of a shelf, the newest first; `words` stand in the headline or the sentence."""
    query = _shelf(actor, shelf).order_by(Item.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Item.id < before)
    if words:
        found = Item.headline.contains(words, autoescape=True), Item.sms.contains(words, autoescape=True)
        query = query.where(or_(*found))
    return session.scalars(query).all()


def words_of(item: Item) -> Words:
    """What is written in it."""
    return Words(
        item.headline,
        item.sms,
        item.full,
        tuple(item.audience),
        item.source,
        item.standing_id,
        item.valid_from,
        item.valid_to,
        item.picture.picture_id if item.picture else None,
        item.picture.alt if item.picture else "",
    )


@needs(Right.SEE)
def stands_in(session: Session, actor: Actor, item_id: int) -> Sequence[int]:
    """The numbers of the editions that the item stands in, the newest first."""
    item = get(session, actor, item_id)
    query = (
        select(Edition.number)
        .join(Column, Column.edition_id == Edition.id)
        .join(Placement, Placement.column_id == Column.id)
        .where(Placement.item_id == item.id, at_or_under(Edition.under, actor.under))
        .order_by(Edition.number.desc())
        .distinct()
    )
    return session.scalars(query).all()


def _shelf(actor: Actor, shelf: Shelf) -> Select[Item]:
    query = select(Item)
    if shelf in (Shelf.SHARED, Shelf.READY):
        query = query.where(Item.state == ItemState.READY, seen_from(Item.under, Item.shared, actor.under))
        return query.where(Item.shared.is_(True)) if shelf is Shelf.SHARED else query
    query = query.where(at_or_under(Item.under, actor.under))
    if shelf is Shelf.CONTRIBUTED:
        return query.where(Item.state == ItemState.CONTRIBUTED)
    if shelf is Shelf.UNACCEPTED:
        return query.where(Item.state.in_((ItemState.DRAFT, ItemState.CONTRIBUTED)))
    return query


def _own(session: Session, actor: Actor, item_id: int) -> Item:
    """An item of the actor's part of the tree, which they may touch."""
    item = get(session, actor, item_id)
    if not item.under.startswith(actor.under):
        raise Denied(
            "This item is shared by the place above you, and changed there.",
            hint="Make a copy of it, and change that.",
        )
    return item


def _to(
    session: Session, actor: Actor, item: Item, before: frozenset[ItemState], after: ItemState, now: datetime
) -> Item:
    given = {"state": after, "changed_by": actor.name, "changed_at": now}
    fits = Item.state.in_([each.value for each in before])
    done = session.execute(update(Item).where(Item.id == item.id, fits).values(given))
    if not cast(CursorResult[Any], done).rowcount:
        raise Conflict("This item is not in a state for that any more.", hint="Load the page again.")
    session.refresh(item)
    return item


def _usable(session: Session, actor: Actor, words: Words, now: datetime, *, before: Sequence[str] = ()) -> Words:
    """`before`: for whom it has been; items that came otherwise than by the form may be for both, and stay usable."""
    words = checked(words)
    others = [name for name in words.audience if name not in EVERYONE]
    if others and len(others) < len(words.audience) and list(words.audience) != list(before):
        raise Unaddressed(
            "It is ticked for everyone and for {audience}, too: everyone would get it.",
            hint="Leave only one of them ticked.",
            audience=listed(status_word(name) if name in STATUSES else name for name in others),
        )
    if words.picture_id:
        pictures.use(session, actor, words.picture_id, now=now)
    for name in words.audience:
        try:
            segments.check(session, name, within=actor.under)
        except Invalid as error:
            raise _unmeant(name, error) from None
    if words.standing_id is not None:
        get_column(session, actor, words.standing_id)
    return words


def _unmeant(line: str, error: Invalid) -> Unmeant:
    """Why a line says nobody; one that is a mere name has no column in which something is wrong."""
    if error.fields.get("name") == line.strip():
        return Unmeant(
            "There is no segment {name}.",
            hint="Tick a segment or an organisation, or make the segment under Members, Segments.",
            name=line.strip(),
        )
    return Unmeant(error.message, hint=error.hint, **error.fields)


def _picture(words: Words) -> ItemPicture | None:
    return ItemPicture(picture_id=words.picture_id, alt=words.alt) if words.picture_id else None


def _columns(words: Words) -> dict[str, Any]:
    return {
        "headline": words.headline,
        "sms": words.sms,
        "full": words.full,
        "audience": list(words.audience),
        "source": words.source,
        "standing_id": words.standing_id,
        "valid_from": words.valid_from,
        "valid_to": words.valid_to,
    }
