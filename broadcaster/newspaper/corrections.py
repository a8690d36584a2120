"""What was put right: from an item to its correction, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from broadcaster.newspaper.models import Column, Edition, EditionPage, Item, ItemState, Placement
from broadcaster.newspaper.places import seen_from
from subscribers.actor import Actor, Right, needs


@dataclass(frozen=True, slots=True)
class Stands:
    """Where readers find an item: on the page of this edition."""

    number: int
    item: int


@dataclass(frozen=True, slots=True)
class Ties:
    """For items by their ids: where the newest correction stands, and where stands what they put right."""

    corrected: Mapping[int, Stands]
    corrects: Mapping[int, Stands]


@needs(Right.SEE)
def corrections_of(session: Session, actor: Actor, item_id: int) -> list[tuple[int, str]]:
    """Id and headline of the items that put this one right, as far as the actor sees them, the newest first."""
    query = select(Item.id, Item.headline).where(Item.corrects_id == item_id, Item.state != ItemState.WITHDRAWN)
    query = query.where(seen_from(Item.under, Item.shared, actor.under)).order_by(Item.id.desc())
    return [(id_, headline) for id_, headline in session.execute(query)]


def ties(session: Session, items: Collection[int]) -> Ties:
    """For readers: only what stands on a page that was published, and only what its own house put right."""
    was, now = aliased(Item), aliased(Item)
    pairs = select(was.id, was.under, now.id, now.under, now.state).join(now, now.corrects_id == was.id)
    found = [
        (before, after, state)
        for before, under, after, by, state in session.execute(
            pairs.where(was.id.in_(items)).union(pairs.where(now.id.in_(items)))
        )
        # whoever may use an item of the place above cannot say on its page what is right
        if under.startswith(by)
    ]
    pages = _pages(session, {item for before, after, _ in found for item in (before, after)})
    corrected: dict[int, Stands] = {}
    corrects: dict[int, Stands] = {}
    for before, after, state in sorted(found):
        if after in pages and state != ItemState.WITHDRAWN:
            corrected[before] = Stands(pages[after], after)
        if before in pages:
            corrects[after] = Stands(pages[before], before)
    return Ties(corrected, corrects)


def _pages(session: Session, items: Collection[int]) -> dict[int, int]:
    """Item -> the newest edition on whose page it stands."""
    if not items:
        return {}
    query = (
        select(Placement.item_id, Edition.number, EditionPage.columns)
        .join(Column, Column.id == Placement.column_id)
        .join(Edition, Edition.id == Column.edition_id)
        .join(EditionPage, EditionPage.edition_id == Edition.id)
        .where(Placement.item_id.in_(items))
        .order_by(Edition.number)
    )
    return {
        item: number
        for item, number, columns in session.execute(query)
        if any(each["id"] == item for column in columns for each in column["items"])
    }
