"""What somebody writes in an item and has not saved: kept beside the item, so that nobody prints half a sentence.

An item may stand in an edition that is sent at this moment: keeping a draft changes neither it nor its version.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.newspaper import items
from broadcaster.newspaper.models import ItemDraft, ItemState
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Invalid, NotFound

#: unfinished ones are kept so long, and those that were thrown away
KEPT, KEPT_AWAY = timedelta(days=60), timedelta(days=1)
#: characters of all fields together
MOST = 60_000

Fields = Sequence[tuple[str, str]]


@needs(Right.WRITE)
def keep(
    session: Session,
    actor: Actor,
    fields: Fields,
    *,
    item_id: int | None = None,
    version: int = 0,
    draft_id: int = 0,
    saves: int = 0,
    now: datetime,
) -> ItemDraft:
    """Keep what was typed. A draft that somebody else has, or that another window has gone on with, is left alone and a
    new one made. Raises `NotFound`, `Denied` for an item that the actor may not change, `Invalid` for too much.
    """
    if sum(len(value) for _, value in fields) > MOST:
        raise Invalid("This is too long to be kept.", hint="{most} characters are the most.", most=MOST)
    if item_id is not None:
        item = items.get(session, actor, item_id)
        if not item.under.startswith(actor.under):
            raise NotFound("There is no item {id}.", hint="Look for it under its headline.", id=item_id)
        if item.state != ItemState.DRAFT:
            actor.must(Right.EDIT)
    given: dict[str, Any] = {"fields": [list(pair) for pair in fields], "version": version, "saved_at": now}
    mine = (
        ItemDraft.id == draft_id,
        ItemDraft.written_by == actor.name,
        ItemDraft.item_id.is_not_distinct_from(item_id),
    )
    on = update(ItemDraft).where(*mine, ItemDraft.saves == saves, ItemDraft.discarded_at.is_(None))
    done = session.execute(on.values(**given, saves=saves + 1))
    if cast(CursorResult[Any], done).rowcount:
        return session.get_one(ItemDraft, draft_id, populate_existing=True)
    _forget_old(session, actor, now)
    made = ItemDraft(item_id=item_id, saves=1, written_by=actor.name, **given)
    session.add(made)
    session.flush()
    return made


@needs(Right.WRITE)
def unfinished(session: Session, actor: Actor, *, item_id: int | None = None, limit: int = 20) -> Sequence[ItemDraft]:
    """The actor's own drafts, the newest first; those of one item only, if it is named."""
    query = select(ItemDraft).where(ItemDraft.written_by == actor.name, ItemDraft.discarded_at.is_(None))
    if item_id is not None:
        query = query.where(ItemDraft.item_id == item_id)
    return session.scalars(query.order_by(ItemDraft.saved_at.desc(), ItemDraft.id.desc()).limit(limit)).all()


@needs(Right.WRITE)
def get(session: Session, actor: Actor, draft_id: int) -> ItemDraft:
    """One of the actor's own drafts. Raises `NotFound`."""
    mine = and_(ItemDraft.id == draft_id, ItemDraft.written_by == actor.name, ItemDraft.discarded_at.is_(None))
    found = session.scalar(select(ItemDraft).where(mine))
    if found is None:
        raise NotFound("This draft is not there any more.", hint="What was saved stands under Items.")
    return found


@needs(Right.WRITE)
def discard(session: Session, actor: Actor, draft_id: int, *, back: bool = False, now: datetime) -> None:
    """Throw one of the actor's own drafts away, or take it back; nothing happens to anybody else's."""
    mine = update(ItemDraft).where(ItemDraft.id == draft_id, ItemDraft.written_by == actor.name)
    session.execute(mine.values(discarded_at=None if back else now))


@needs(Right.WRITE)
def finish(session: Session, actor: Actor, draft_id: int) -> None:
    """What was in it has been saved."""
    session.execute(delete(ItemDraft).where(ItemDraft.id == draft_id, ItemDraft.written_by == actor.name))


def _forget_old(session: Session, actor: Actor, now: datetime) -> None:
    is_old = or_(ItemDraft.saved_at < now - KEPT, ItemDraft.discarded_at < now - KEPT_AWAY)
    session.execute(delete(ItemDraft).where(ItemDraft.written_by == actor.name, is_old))
