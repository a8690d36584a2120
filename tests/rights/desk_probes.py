"""Columns and items that last, and editions made at the desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from broadcaster.access.models import User
from broadcaster.campaigns import compose
from broadcaster.newspaper import columns, drafts, items, making, pictures, publishing, variant_texts, word_lists
from broadcaster.newspaper.corrections import corrections_of
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.items import Move, Shelf
from broadcaster.newspaper.models import (
    Column,
    EarlierText,
    Edition,
    Item,
    ItemDraft,
    ItemPicture,
    ItemState,
    Picture,
    Placement,
    StandingColumn,
)
from broadcaster.newspaper.segment_uses import segment_uses
from broadcaster.newspaper.shrinking import Rendition, Shrunk
from tests.factories import NOW
from tests.rights.probe import Probe
from tests.rights.world import TODAY, Side

WORDS = Words("要闻", "今天供暖。")


def _item(session: Session, side: Side) -> int:
    return session.scalars(select(Item.id).where(Item.headline == f"{side.mark}开会")).one()


def _stands(session: Session, side: Side) -> tuple[int, int]:
    """The column and the placement of the side's item in its edition."""
    query = select(Column.id, Placement.id).join(Placement, Placement.column_id == Column.id)
    query = query.join(Edition, Edition.id == Column.edition_id).where(Edition.number == side.edition)
    column, placement = session.execute(query).one()
    return column, placement


def _names_a_segment(session: Session, side: Side) -> None:
    session.get_one(Item, _item(session, side)).audience = [f"{side.mark}老人"]


def _draft(session: Session, side: Side) -> None:
    session.get_one(Item, _item(session, side)).state = ItemState.DRAFT


def _contributed(session: Session, side: Side) -> None:
    session.get_one(Item, _item(session, side)).state = ItemState.CONTRIBUTED


def _corrected(session: Session, side: Side) -> None:
    items.write(
        session, side.chief, replace(WORDS, headline=f"{side.mark}更正"), corrects=_item(session, side), now=NOW
    )


def _shared(session: Session, side: Side) -> None:
    session.get_one(Item, _item(session, side)).shared = True


def _no_columns(session: Session, side: Side) -> None:
    session.execute(update(Item).values(standing_id=None))
    session.execute(update(Column).values(standing_id=None))
    session.execute(delete(StandingColumn))


def _bare(session: Session, side: Side) -> None:
    mine = select(Column.id).join(Edition, Edition.id == Column.edition_id).where(Edition.number == side.edition)
    session.execute(delete(Placement).where(Placement.column_id.in_(mine)))
    session.execute(delete(Column).where(Column.id.in_(mine)))


_I, _K, _M = "broadcaster.newspaper.items.", "broadcaster.newspaper.columns.", "broadcaster.newspaper.making."
_OWN = "it is of the actor's own part of the tree"
PROBES = {
    "broadcaster.newspaper.segment_uses.segment_uses": Probe(
        lambda s, a, side: segment_uses(s, a, f"{side.mark}老人"), ready=_names_a_segment, shows=True
    ),
    _I + "write": Probe(lambda s, a, side: items.write(s, a, WORDS, now=NOW), makes=True, blind=_OWN),
    _I + "change": Probe(
        lambda s, a, side: items.change(s, a, _item(s, side), WORDS, version=1, now=NOW), ready=_draft
    ),
    _I + "contribute": Probe(lambda s, a, side: items.contribute(s, a, _item(s, side), now=NOW), ready=_draft),
    _I + "take_back": Probe(lambda s, a, side: items.take_back(s, a, _item(s, side), now=NOW), ready=_contributed),
    _I + "decide": Probe(lambda s, a, side: items.decide(s, a, _item(s, side), Move.WITHDRAW, now=NOW)),
    _I + "copy": Probe(lambda s, a, side: items.copy(s, a, _item(s, side), now=NOW), ready=_shared),
    _I + "get": Probe(lambda s, a, side: items.get(s, a, _item(s, side)), shows=True, ready=_shared),
    _I + "listing": Probe(lambda s, a, side: [items.listing(s, a, shelf) for shelf in Shelf], shows=True),
    _I + "stands_in": Probe(lambda s, a, side: items.stands_in(s, a, _item(s, side))),
    "broadcaster.newspaper.corrections.corrections_of": Probe(
        lambda s, a, side: corrections_of(s, a, _item(s, side)), ready=_corrected, shows=True
    ),
    _K + "tree": Probe(lambda s, a, side: columns.tree(s, a), shows=True),
    _K + "get": Probe(lambda s, a, side: columns.get(s, a, side.column), shows=True),
    _K + "add": Probe(lambda s, a, side: columns.add(s, a, "新栏", parent=side.column, owner=side.user, now=NOW)),
    _K + "begin": Probe(
        lambda s, a, side: columns.begin(s, a, ["新栏"], now=NOW), ready=_no_columns, makes=True, blind=_OWN
    ),
    _K + "change": Probe(lambda s, a, side: columns.change(s, a, side.column, name="新名", owner=side.user, now=NOW)),
    _K + "move": Probe(lambda s, a, side: columns.move(s, a, side.column, down=True)),
    _K + "remove": Probe(lambda s, a, side: columns.remove(s, a, side.column, into=None, now=NOW)),
    _M + "layout": Probe(lambda s, a, side: making.layout(s, a, side.edition), shows=True),
    _M + "begin": Probe(
        lambda s, a, side: making.begin(s, a, number=77, day=TODAY, title="新一期", now=NOW), makes=True, blind=_OWN
    ),
    _M + "rename": Probe(lambda s, a, side: making.rename(s, a, side.edition, day=TODAY, title="新名", now=NOW)),
    _M + "place": Probe(lambda s, a, side: making.place(s, a, side.edition, _stands(s, side)[0], [_item(s, side)])),
    _M + "move": Probe(lambda s, a, side: making.move(s, a, side.edition, _stands(s, side)[1], down=True)),
    _M + "move_to": Probe(
        lambda s, a, side: making.move_to(s, a, side.edition, _stands(s, side)[1], _stands(s, side)[0], 0)
    ),
    _M + "take_out": Probe(lambda s, a, side: making.take_out(s, a, side.edition, _stands(s, side)[1])),
    _M + "set_variants": Probe(
        lambda s, a, side: making.set_variants(s, a, side.edition, ["retired", "everyone"], now=NOW)
    ),
    _M + "add_column": Probe(lambda s, a, side: making.add_column(s, a, side.edition, "新栏")),
    _M + "take_columns": Probe(lambda s, a, side: making.take_columns(s, a, side.edition), ready=_bare),
    _M + "remove_column": Probe(
        lambda s, a, side: making.remove_column(s, a, side.edition, _empty_column(s, side)),
        ready=lambda s, side: _empty_column(s, side),
    ),
}


def _empty_column(session: Session, side: Side) -> int:
    edition = session.scalars(select(Edition.id).where(Edition.number == side.edition)).one()
    found = session.scalars(select(Column).where(Column.edition_id == edition, Column.position == 9)).one_or_none()
    if found is None:
        found = Column(edition_id=edition, position=9, name=f"{side.mark}空栏")
        session.add(found)
        session.flush()
    return found.id


def _word_list(session: Session, side: Side) -> None:
    word_lists.save(session, side.chief, [f"{side.mark}词"], now=NOW)


def _by_hand(session: Session, side: Side) -> None:
    body = f"{side.mark}的话。"
    variant_texts.write(session, side.chief, side.edition, "everyone", body, composed="", version=0, now=NOW)


def _put_aside(session: Session, side: Side) -> None:
    _by_hand(session, side)
    variant_texts.make_anew(session, side.chief, side.edition, "everyone", version=1, now=NOW)


def _earlier(session: Session, side: Side) -> int:
    mine = select(EarlierText.id).join(Edition, Edition.id == EarlierText.edition_id)
    return session.scalars(mine.where(Edition.number == side.edition)).one()


_V = "broadcaster.newspaper.variant_texts."
PROBES |= {
    _V + "write": Probe(
        lambda s, a, side: variant_texts.write(
            s, a, side.edition, "everyone", "供暖。", composed="", version=0, now=NOW
        )
    ),
    _V + "make_anew": Probe(
        lambda s, a, side: variant_texts.make_anew(s, a, side.edition, "everyone", version=1, now=NOW),
        ready=_by_hand,
    ),
    _V + "earlier": Probe(
        lambda s, a, side: variant_texts.earlier(s, a, side.edition, "everyone"), ready=_put_aside, shows=True
    ),
    _V + "take_back": Probe(
        lambda s, a, side: variant_texts.take_back(
            s, a, side.edition, "everyone", _earlier(s, side), version=2, now=NOW
        ),
        ready=_put_aside,
    ),
    _V + "set_form": Probe(
        lambda s, a, side: variant_texts.set_form(
            s, a, side.edition, "everyone", in_full=True, with_link=False, pages="", now=NOW
        )
    ),
    _M + "hold": Probe(lambda s, a, side: making.hold(s, a, side.edition)),
    "broadcaster.campaigns.compose.composed": Probe(
        lambda s, a, side: compose.composed(s, a, side.edition, "everyone", paper="报", language="zh"), shows=True
    ),
}
_W = "broadcaster.newspaper.word_lists."
PROBES |= {
    _W + "own": Probe(lambda s, a, side: word_lists.own(s, a), shows=True, ready=_word_list),
    _W + "holding": Probe(lambda s, a, side: word_lists.holding(s, a), shows=True, ready=_word_list),
    _W + "save": Probe(lambda s, a, side: word_lists.save(s, a, ["词"], now=NOW), makes=True, blind=_OWN),
}


def _published(session: Session, side: Side) -> None:
    publishing.publish(session, side.chief, side.edition, now=NOW)


def _published_to_some(session: Session, side: Side) -> None:
    _published(session, side)
    publishing.publish(session, side.chief, side.edition, now=NOW, readers=f"under({side.names})")


_R = "broadcaster.newspaper.publishing."
PROBES |= {
    _R + "publish": Probe(lambda s, a, side: publishing.publish(s, a, side.edition, now=NOW)),
    _R + "take_down": Probe(lambda s, a, side: publishing.take_down(s, a, side.edition, now=NOW), ready=_published),
    _R + "readers_of": Probe(lambda s, a, side: publishing.readers_of(s, a, side.edition), ready=_published_to_some),
    _R + "without_readers": Probe(
        lambda s, a, side: publishing.without_readers(s, a, side.edition), ready=_published_to_some
    ),
    _R + "published_at": Probe(lambda s, a, side: publishing.published_at(s, a, side.edition), ready=_published),
}


def _user_id(session: Session, side: Side) -> int:
    return session.scalars(select(User.id).where(User.name == side.user)).one()


def _me(session: Session) -> int:
    """The user who acts: the one inside."""
    return session.scalars(select(User.id).order_by(User.id)).first() or 0


def _kept(session: Session, side: Side) -> None:
    item = _item(session, side)
    drafts.keep(
        session,
        side.chief,
        _user_id(session, side),
        [("headline", f"{side.mark}草稿")],
        item_id=item,
        version=1,
        now=NOW,
    )


def _kept_id(session: Session, side: Side) -> int:
    query = select(ItemDraft.id).where(ItemDraft.user_id == _user_id(session, side))
    return session.scalars(query).one()


_D = "broadcaster.newspaper.drafts."
_THEIRS = "drafts are one's own, whatever the place"
PROBES |= {
    _D + "keep": Probe(
        lambda s, a, side: drafts.keep(
            s, a, _me(s), [("headline", "草稿")], item_id=_item(s, side), version=1, now=NOW
        ),
        ready=_draft,
    ),
    _D + "unfinished": Probe(lambda s, a, side: drafts.unfinished(s, a, _me(s)), blind=_THEIRS, ready=_kept),
    _D + "get": Probe(lambda s, a, side: drafts.get(s, a, _me(s), _kept_id(s, side)), blind=_THEIRS, ready=_kept),
    _D + "discard": Probe(
        lambda s, a, side: drafts.discard(s, a, _me(s), _kept_id(s, side), now=NOW),
        blind=_THEIRS,
        ready=_kept,
    ),
    _D + "finish": Probe(lambda s, a, side: drafts.finish(s, a, _me(s), _kept_id(s, side)), blind=_THEIRS, ready=_kept),
}


_TINY = Rendition(b"\xff\xd8", 20, 20)


def _with_picture(session: Session, side: Side) -> None:
    made = pictures.keep(session, side.chief, Shrunk(_TINY, _TINY), now=NOW)
    session.add(ItemPicture(item_id=_item(session, side), picture_id=made, alt=f"{side.mark}的图"))
    session.flush()


def _picture(session: Session, side: Side) -> int:
    return session.scalars(select(Picture.id).where(Picture.made_by == side.chief.name)).one()


_T = "broadcaster.newspaper.pictures."
PROBES |= {
    _T + "keep": Probe(lambda s, a, side: pictures.keep(s, a, Shrunk(_TINY, _TINY), now=NOW), makes=True, blind=_OWN),
    _T + "facts": Probe(lambda s, a, side: pictures.facts(s, a, _picture(s, side)), ready=_with_picture),
    _T + "look": Probe(lambda s, a, side: pictures.look(s, a, _picture(s, side)), ready=_with_picture),
    _T + "use": Probe(
        lambda s, a, side: pictures.use(s, a, _picture(s, side), now=NOW + timedelta(1)), ready=_with_picture
    ),
}
