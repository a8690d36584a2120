"""What somebody writes in an item and has not saved: kept beside the item, so that nobody prints half a sentence.

An item may stand in an edition that is sent at this moment: keeping a draft changes neither it nor its version. A draft
is of a user, whatever they are called: `user_id` is that of the actor.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.newspaper import items
from broadcaster.newspaper.models import ItemDraft, ItemState
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Invalid, NotFound

#: unfinished ones are kept so long, and those that were thrown away
KEPT, KEPT_AWAY = timedelta(days=60), timedelta(days=1)
#: characters of all fields together
MOST = 60_000
#: drafts of one user, and characters of all of them
DRAFTS, CHARACTERS = 50, 500_000
#: those thrown away that can be taken back
AWAY = 20

Fields = Sequence[tuple[str, str]]


@needs(Right.WRITE)
def keep(
    session: Session,
    actor: Actor,
    user_id: int,
    fields: Fields,
    *,
    item_id: int | None = None,
    version: int = 0,
    draft_id: int = 0,
    saves: int = 0,
    now: datetime,
) -> ItemDraft:
    """Keep what was typed. A draft that somebody else has, or that another window has gone on with, is left alone and a
    new one made. Raises `NotFound`, `Denied` for an item that the actor may not change, `Invalid` for too much,
    `Conflict` where the user has too many of them.
    """
    characters = sum(len(value) for _, value in fields)
    if characters > MOST:
        raise Invalid("This is too long to be kept.", hint="{most} characters are the most.", most=MOST)
    if item_id is not None:
        item = items.get(session, actor, item_id)
        if not item.under.startswith(actor.under):
            raise NotFound("There is no item {id}.", hint="Look for it under its headline.", id=item_id)
        if item.state != ItemState.DRAFT:
            actor.must(Right.EDIT)
    given: dict[str, Any] = {"fields": [list(pair) for pair in fields], "version": version, "saved_at": now}
    given["characters"] = characters
    _refuse_too_much(session, user_id, draft_id, characters)
    mine = (
        ItemDraft.id == draft_id,
        ItemDraft.user_id == user_id,
        ItemDraft.item_id.is_not_distinct_from(item_id),
    )
    on = update(ItemDraft).where(*mine, ItemDraft.saves == saves, ItemDraft.discarded_at.is_(None))
    done = session.execute(on.values(**given, saves=saves + 1))
    if cast(CursorResult[Any], done).rowcount:
        return session.get_one(ItemDraft, draft_id, populate_existing=True)
    if (session.scalar(select(func.count()).select_from(_own(user_id).subquery())) or 0) >= DRAFTS:
        raise Conflict(
            "You have {most} drafts that are not saved; no more are kept.",
            hint="Save what you write, or throw some away under Not saved yet.",
            most=DRAFTS,
        )
    made = ItemDraft(item_id=item_id, saves=1, user_id=user_id, **given)
    session.add(made)
    session.flush()
    return made


@needs(Right.WRITE)
def unfinished(
    session: Session, actor: Actor, user_id: int, *, item_id: int | None = None, limit: int = 20
) -> Sequence[ItemDraft]:
    """The actor's own drafts, the newest first; those of one item only, if it is named."""
    query = _own(user_id)
    if item_id is not None:
        query = query.where(ItemDraft.item_id == item_id)
    return session.scalars(query.order_by(ItemDraft.saved_at.desc(), ItemDraft.id.desc()).limit(limit)).all()


@needs(Right.WRITE)
def get(session: Session, actor: Actor, user_id: int, draft_id: int) -> ItemDraft:
    """One of the actor's own drafts. Raises `NotFound`."""
    found = session.scalar(_own(user_id).where(ItemDraft.id == draft_id))
    if found is None:
        raise NotFound("This draft is not there any more.", hint="What was saved stands under Items.")
    return found


@needs(Right.WRITE)
def discard(session: Session, actor: Actor, user_id: int, draft_id: int, *, back: bool = False, now: datetime) -> None:
    """Throw one of the actor's own drafts away, or take it back; nothing happens to anybody else's."""
    mine = update(ItemDraft).where(ItemDraft.id == draft_id, ItemDraft.user_id == user_id)
    session.execute(mine.values(discarded_at=None if back else now))
    away = select(ItemDraft.id).where(ItemDraft.user_id == user_id, ItemDraft.discarded_at.is_not(None))
    many = session.scalars(away.order_by(ItemDraft.discarded_at.desc(), ItemDraft.id.desc()).offset(AWAY)).all()
    session.execute(delete(ItemDraft).where(ItemDraft.id.in_(many)))


@needs(Right.WRITE)
def finish(session: Session, actor: Actor, user_id: int, draft_id: int) -> None:
    """What was in it has been saved."""
    session.execute(delete(ItemDraft).where(ItemDraft.id == draft_id, ItemDraft.user_id == user_id))


def forget_old(session: Session, *, now: datetime, limit: int) -> int:
    """Drafts that nobody went on with for so long are gone: how many were, `limit` at most."""
    is_old = or_(ItemDraft.saved_at < now - KEPT, ItemDraft.discarded_at < now - KEPT_AWAY)
    old = session.scalars(select(ItemDraft.id).where(is_old).order_by(ItemDraft.id).limit(limit)).all()
    session.execute(delete(ItemDraft).where(and_(ItemDraft.id.in_(old), is_old)))
    return len(old)


def _own(user_id: int) -> Select[ItemDraft]:
    return select(ItemDraft).where(ItemDraft.user_id == user_id, ItemDraft.discarded_at.is_(None))


def _refuse_too_much(session: Session, user_id: int, draft_id: int, characters: int) -> None:
    # those thrown away are few, and throwing away has to help
    mine = (ItemDraft.user_id == user_id, ItemDraft.discarded_at.is_(None), ItemDraft.id != draft_id)
    others = select(func.sum(ItemDraft.characters)).where(*mine)
    if (session.scalar(others) or 0) + characters > CHARACTERS:
        raise Conflict(
            "All that you have not saved is too long together to be kept.",
            hint="Save what you write, or throw some away under Not saved yet.",
        )
