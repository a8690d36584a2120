"""The tables of the desk: columns and items that last, and the editions that they stand in."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, SmallInteger, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from subscribers.db import Base, Instant
from subscribers.models.organisation import Bytewise, Key


class Edition(Base):
    """One numbered issue of the paper."""

    __tablename__ = "edition"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    date: Mapped[date]
    title: Mapped[str] = mapped_column(String(200))
    #: the file it was read from, as it was written; empty: it was made in the newsroom
    source: Mapped[str] = mapped_column(Text)
    #: the part of the tree whose paper it is, as a path of ids; all that is under it may read it
    under: Mapped[str] = mapped_column(Bytewise, default="", server_default=text("''"))
    #: counts the changes of what stands in it
    version: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)


class StandingColumn(Base):
    """A column that comes back in every edition: a tree, each with the place whose it is and an owner."""

    __tablename__ = "standing_column"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("standing_column.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str] = mapped_column(String(50))
    under: Mapped[str] = mapped_column(Bytewise)
    #: the user whom contributions wait for; empty: any editor of the place
    owner: Mapped[str] = mapped_column(String(100))
    created_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)


class Column(Base):
    """A named place for items in one edition."""

    # COLUMN is a word of SQL
    __tablename__ = "edition_column"
    __table_args__ = (UniqueConstraint("edition_id", "position"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str] = mapped_column(String(50))
    #: the lasting one that it is
    standing_id: Mapped[int | None] = mapped_column(ForeignKey("standing_column.id"))


class ItemState(StrEnum):
    """How far an item is."""

    DRAFT = "draft"
    #: handed in; waits for an editor
    CONTRIBUTED = "contributed"
    READY = "ready"
    WITHDRAWN = "withdrawn"


class Item(Base):
    """One article: a headline, what stands in the SMS, and the full text in Markdown for the reading page."""

    __tablename__ = "item"
    __table_args__ = (
        Index("ix_item_under", "under"),
        # each look at a reading page asks what was put right
        Index(
            "ix_item_corrects",
            "corrects_id",
            postgresql_where=text("corrects_id IS NOT NULL"),
            sqlite_where=text("corrects_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: the part of the tree whose it is, as a path of ids
    under: Mapped[str] = mapped_column(Bytewise)
    #: where it wants to stand
    standing_id: Mapped[int | None] = mapped_column(ForeignKey("standing_column.id"))
    headline: Mapped[str] = mapped_column(String(100))
    sms: Mapped[str] = mapped_column(Text)
    full: Mapped[str] = mapped_column(Text, default="")
    #: variants of an edition, or "everyone" for all of them
    audience: Mapped[list[str]] = mapped_column(JSON)
    #: the organisation or person that it comes from, as it is printed
    source: Mapped[str] = mapped_column(String(100), default="")
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(20), default=ItemState.DRAFT)
    #: in the shared pool: everybody below its place may use it
    shared: Mapped[bool] = mapped_column(default=False)
    #: the item that this one puts right
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    #: why it was sent back or withdrawn
    note: Mapped[str] = mapped_column(String(200), default="")
    #: counts the changes of its words, so that of two who write at once none loses theirs
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)
    changed_by: Mapped[str] = mapped_column(String(100))
    changed_at: Mapped[datetime] = mapped_column(Instant)
    picture: Mapped[ItemPicture | None] = relationship(lazy="joined", cascade="all, delete-orphan")


class ItemPicture(Base):
    """The picture of an item, and what is in it, in words."""

    __tablename__ = "item_picture"
    __table_args__ = (Index("ix_item_picture_picture", "picture_id"),)

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    picture_id: Mapped[int] = mapped_column(ForeignKey("picture.id"))
    alt: Mapped[str] = mapped_column(String(150))


class Picture(Base):
    """A picture as it is kept: two JPEGs without anything that cannot be seen in them. It is never changed."""

    __tablename__ = "picture"
    __table_args__ = (UniqueConstraint("made_by", "digest"), Index("ix_picture_used_at", "used_at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: of the large one
    digest: Mapped[str] = mapped_column(String(64))
    small: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    small_width: Mapped[int] = mapped_column(SmallInteger)
    small_height: Mapped[int] = mapped_column(SmallInteger)
    small_size: Mapped[int]
    large: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    large_width: Mapped[int] = mapped_column(SmallInteger)
    large_height: Mapped[int] = mapped_column(SmallInteger)
    large_size: Mapped[int]
    made_by: Mapped[str] = mapped_column(String(100))
    made_at: Mapped[datetime] = mapped_column(Instant)
    #: when it was last handed in or put into an item: what nothing names is forgotten some time after
    used_at: Mapped[datetime] = mapped_column(Instant)


class ItemDraft(Base):
    """What somebody is writing in an item, or in one that is none yet, and has not saved: nobody else reads it."""

    __tablename__ = "item_draft"
    __table_args__ = (Index("ix_item_draft_user", "user_id"), Index("ix_item_draft_saved_at", "saved_at"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))
    #: of the item, when its words were read
    version: Mapped[int]
    #: counts how often it was kept, so that of two windows none writes over what the other has
    saves: Mapped[int]
    #: the fields of the form as they were typed: [name, value]
    fields: Mapped[list[list[str]]] = mapped_column(JSON)
    #: of all fields together
    characters: Mapped[int]
    #: whose it is
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    saved_at: Mapped[datetime] = mapped_column(Instant)
    #: thrown away: it can be taken back for a day
    discarded_at: Mapped[datetime | None] = mapped_column(Instant)


class Presence(Base):
    """Somebody who has a page open on which others write, too."""

    __tablename__ = "presence"

    #: for example "item 5"
    place: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)


class Placement(Base):
    """An item in a column of an edition. It is a reference: the words are the item's."""

    __tablename__ = "placement"
    __table_args__ = (UniqueConstraint("column_id", "item_id"), Index("ix_placement_item", "item_id"))

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    column_id: Mapped[int] = mapped_column(ForeignKey("edition_column.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    position: Mapped[int] = mapped_column(SmallInteger)


class Variant(Base):
    """What one segment gets of an edition. The first, by position, whose segment holds a person is theirs."""

    __tablename__ = "variant"
    __table_args__ = (UniqueConstraint("edition_id", "name"),)

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    #: a segment by its name, or a rule
    name: Mapped[str] = mapped_column(String(500))


class VariantText(Base):
    """What an editor has decided about the text of a variant; it holds while the edition has one of this name."""

    __tablename__ = "variant_text"

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(500), primary_key=True)
    #: items stand in it with their full texts, not with their sentences
    in_full: Mapped[bool] = mapped_column(default=False)
    #: it ends with the address of the edition's reading page
    with_link: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: written by hand, with fields as 〔姓名〕; None: it is made of the items
    body: Mapped[str | None] = mapped_column(Text)
    #: what the items gave when it was written
    composed: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=0)
    changed_by: Mapped[str] = mapped_column(String(100))
    changed_at: Mapped[datetime] = mapped_column(Instant)


class EarlierText(Base):
    """A text that was written by hand for a variant and gave way to another one: it can be taken back."""

    __tablename__ = "variant_text_earlier"
    __table_args__ = (Index("ix_variant_text_earlier_edition", "edition_id", "name"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    name: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(Text)
    #: what the items gave when it was written
    composed: Mapped[str] = mapped_column(Text)
    written_by: Mapped[str] = mapped_column(String(100))
    written_at: Mapped[datetime] = mapped_column(Instant)


class WordList(Base):
    """Words that editors of a place, and of all below it, are warned of."""

    __tablename__ = "word_list"

    #: as a path of ids
    under: Mapped[str] = mapped_column(Bytewise, primary_key=True)
    words: Mapped[list[str]] = mapped_column(JSON)
    changed_by: Mapped[str] = mapped_column(String(100))
    changed_at: Mapped[datetime] = mapped_column(Instant)


class EditionPage(Base):
    """The reading page of an edition, as it was when it was published: what members read does not change by itself."""

    __tablename__ = "edition_page"

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    #: [{"name": ..., "items": [{"id": ..., "headline": ..., "sms": ..., "full": ..., "source": ..., "picture": ...}]}]
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    #: whose page it is, as a rule that was looked up; empty: whoever has the address
    readers: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    #: and as the editor named them
    readers_named: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    #: all words of it that anybody may read, for the search of the archive
    words: Mapped[str] = mapped_column(Text)
    published_by: Mapped[str] = mapped_column(String(100))
    published_at: Mapped[datetime] = mapped_column(Instant)


class PagePicture(Base):
    """The picture that an item had when its edition was published."""

    __tablename__ = "page_picture"
    __table_args__ = (Index("ix_page_picture_picture", "picture_id"),)

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition_page.edition_id"), primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    picture_id: Mapped[int] = mapped_column(ForeignKey("picture.id"))
