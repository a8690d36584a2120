"""Pictures of items: kept once for whoever handed them in, named by items and pages, forgotten when nobody does."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Text, cast, delete, exists, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.newspaper.models import Edition, Item, ItemDraft, ItemPicture, PagePicture, Picture
from broadcaster.newspaper.places import seen_from
from broadcaster.newspaper.shrinking import Rendition, Shrunk
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Invalid, NotFound

#: what no item, page or draft names any more is kept so long
KEPT = timedelta(days=60)
#: of one person in a day
MOST = 200
#: the field of the form, and of a draft, that names one
FIELD = "picture"
_IN_A_DRAFT = literal(f'["{FIELD}", "').concat(cast(Picture.id, Text)).concat('"]')


@dataclass(frozen=True, slots=True)
class Facts:
    """A picture, without itself: points and bytes of the small one and of the large one."""

    id: int
    width: int
    height: int
    size: int
    large_width: int
    large_height: int
    large_size: int


@needs(Right.WRITE)
def keep(session: Session, actor: Actor, shrunk: Shrunk, *, now: datetime) -> int:
    """Keep a picture; the number by which its owner's items may name it. The same one again has the same number.

    Raises `Invalid` for too many in a day.
    """
    digest = digest_of(shrunk)
    mine = Picture.made_by == actor.name
    if known := session.scalar(select(Picture.id).where(mine, Picture.digest == digest)):
        _used(session, known, now)
        return known
    today = session.scalar(select(func.count(Picture.id)).where(mine, Picture.made_at > now - timedelta(days=1)))
    if (today or 0) >= MOST:
        raise Invalid("{most} pictures a day are the most.", hint="Go on tomorrow.", most=MOST)
    row = {"digest": digest, "made_by": actor.name, "made_at": now, "used_at": now}
    row |= _columns("small", shrunk.small) | _columns("large", shrunk.large)
    try:
        with session.begin_nested():
            session.execute(insert(Picture), [row])
    except IntegrityError:
        # handed in twice at once: the other one will do
        pass
    return session.scalars(select(Picture.id).where(mine, Picture.digest == digest)).one()


def digest_of(shrunk: Shrunk) -> str:
    """By which a picture is known again. Pure."""
    return hashlib.sha256(shrunk.large.content).hexdigest()


@needs(Right.SEE)
def facts(session: Session, actor: Actor, picture_id: int) -> Facts | None:
    """What is known of a picture that the actor may see; None for any other."""
    picture = session.scalar(select(Picture).where(Picture.id == picture_id, _seen_by(actor)))
    if picture is None:
        return None
    small = picture.small_width, picture.small_height, picture.small_size
    return Facts(picture.id, *small, picture.large_width, picture.large_height, picture.large_size)


@needs(Right.SEE)
def look(session: Session, actor: Actor, picture_id: int, *, large: bool = False) -> bytes:
    """A JPEG: of a picture that the actor handed in, or of an item that they may see. Raises `NotFound`."""
    wanted = Picture.large if large else Picture.small
    content = session.scalar(select(wanted).where(Picture.id == picture_id, _seen_by(actor)))
    if content is None:
        raise NotFound("There is no such picture.", hint="Load the page again.")
    return content


@needs(Right.WRITE)
def use(session: Session, actor: Actor, picture_id: int, *, now: datetime) -> None:
    """An item is about to name it. Raises `Invalid` if it is gone, or is none that the actor may see."""
    if facts(session, actor, picture_id) is None:
        raise Invalid("The picture is not here any more.", hint="Choose it again, or save without one.")
    _used(session, picture_id, now)


def of_page(session: Session, number: int, item_id: int, *, large: bool = False) -> bytes | None:
    """The picture that an item had when edition `number` was published; who may see it is for the page to say."""
    wanted = Picture.large if large else Picture.small
    query = select(wanted).join(PagePicture, PagePicture.picture_id == Picture.id)
    query = query.join(Edition, Edition.id == PagePicture.edition_id)
    return session.scalar(query.where(Edition.number == number, PagePicture.item_id == item_id))


def forget_unused(session: Session, *, now: datetime, limit: int = 100) -> int:
    """Delete what nothing has named for `KEPT`: how many."""
    unused = (
        Picture.used_at < now - KEPT,
        ~exists().where(ItemPicture.picture_id == Picture.id),
        ~exists().where(PagePicture.picture_id == Picture.id),
        ~exists().where(cast(ItemDraft.fields, Text).contains(_IN_A_DRAFT)),
    )
    ids = session.scalars(select(Picture.id).where(*unused).order_by(Picture.id).limit(limit)).all()
    if ids:
        session.execute(delete(Picture).where(Picture.id.in_(ids), *unused))
    return len(ids)


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    of_items = exists().where(
        ItemPicture.picture_id == Picture.id,
        Item.id == ItemPicture.item_id,
        seen_from(Item.under, Item.shared, actor.under),
    )
    return or_(Picture.made_by == actor.name, of_items)


def _used(session: Session, picture_id: int, now: datetime) -> None:
    # it also holds the row: nobody forgets it before this transaction ends
    session.execute(update(Picture).where(Picture.id == picture_id).values(used_at=now))


def _columns(name: str, made: Rendition) -> dict[str, object]:
    return {
        name: made.content,
        f"{name}_width": made.width,
        f"{name}_height": made.height,
        f"{name}_size": len(made.content),
    }
