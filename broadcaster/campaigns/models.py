"""The tables of a campaign: what, to whom, when."""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from broadcaster.campaigns.states import UNDER_WAY, CampaignState
from broadcaster.newspaper.models import Edition
from subscribers.db import Base, Instant
from subscribers.models import Key
from subscribers.models.organisation import Bytewise


class Lane(IntEnum):
    """Which goes first: the smaller number."""

    ANSWER = 0
    URGENT = 1
    BULK = 2


class Campaign(Base):
    """One send: an edition or a notice, to one audience, at one time.

    What will be sent is frozen here and in its variants: `content_hash` covers the texts, the audience and how they are
    dressed, so that what was approved is what goes out, whatever happens to the edition or the settings later.
    """

    __tablename__ = "campaign"
    __table_args__ = (Index("ix_campaign_state", "state"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    edition_id: Mapped[int | None] = mapped_column(ForeignKey(Edition.id), index=True)
    state: Mapped[str] = mapped_column(String(20), default=CampaignState.DRAFT)
    #: counts the changes of state, so that two who act at once cannot both be right
    generation: Mapped[int] = mapped_column(default=0)
    lane: Mapped[int] = mapped_column(SmallInteger, default=Lane.BULK)
    rule: Mapped[str] = mapped_column(Text)
    #: the same as it was asked for: segments by their names
    asked: Mapped[str] = mapped_column(Text, default="", server_default=text("''"))
    #: the part of the tree it stays within; empty is all of it
    under: Mapped[str] = mapped_column(String(400), default="")
    gateway: Mapped[str | None] = mapped_column(String(40))
    signature: Mapped[str] = mapped_column(String(40), default="")
    opt_out: Mapped[str] = mapped_column(String(100), default="")
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    #: gateway -> [price of a part, currency, way of billing], as they were when it started
    tariffs: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    #: gateway -> whether nothing that it took reached a phone when this was scheduled or started; none: nobody knows
    rehearsed: Mapped[dict[str, bool] | None] = mapped_column(JSON(none_as_null=True))
    created_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(Instant)
    scheduled_for: Mapped[datetime | None] = mapped_column(Instant)
    started_by: Mapped[str | None] = mapped_column(String(100))
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    #: the audience is who was in it on this day; memberships are dated, so this one value freezes it
    audience_on: Mapped[date | None]
    #: nobody with a greater id was there when it started
    audience_up_to: Mapped[int | None] = mapped_column(Key)
    #: members up to this id have their message row; a snapshot that was cut off goes on behind it
    snapshot_cursor: Mapped[int] = mapped_column(Key, default=0)
    #: when the last of the audience had been written down
    prepared_at: Mapped[datetime | None] = mapped_column(Instant)
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    #: why it was stopped, missed or paused: a sentence of the catalogue, and its fields
    note: Mapped[str] = mapped_column(Text, default="")
    note_fields: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    variants: Mapped[list[CampaignVariant]] = relationship(order_by="CampaignVariant.position", lazy="selectin")
    #: there from its start on
    dresses: Mapped[list[CampaignDress]] = relationship(order_by="CampaignDress.gateway", lazy="selectin")

    @property
    def is_being_written_down(self) -> bool:
        """Whether there will be more recipients than there are, though it may be sent to these already."""
        return self.state in UNDER_WAY and self.prepared_at is None


class CampaignVariant(Base):
    """What one segment gets. The first variant whose rule holds a person is theirs."""

    __tablename__ = "campaign_variant"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    rule: Mapped[str] = mapped_column(Text)
    #: the template's source
    source: Mapped[str] = mapped_column(Text)
    #: what is the same for every reader of the variant: paper, number, columns
    context: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class CampaignDress(Base):
    """How the texts of a campaign were dressed and cut for a gateway when it started."""

    __tablename__ = "campaign_dress"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    gateway: Mapped[str] = mapped_column(String(40), primary_key=True)
    signature: Mapped[str] = mapped_column(String(40))
    place: Mapped[str] = mapped_column(String(10))
    opt_out: Mapped[str] = mapped_column(String(100))
    alphabet: Mapped[str] = mapped_column(String(40))
    reference_bits: Mapped[int] = mapped_column(SmallInteger)


class ProfileChange(Base):
    """What the operator of a gateway demands from a day on, key by key. Rows are never changed, only taken back."""

    __tablename__ = "gateway_profile"
    __table_args__ = (Index("ix_gateway_profile_gateway", "gateway"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    gateway: Mapped[str] = mapped_column(String(40))
    day: Mapped[date]
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
    written_by: Mapped[str] = mapped_column(String(100))
    written_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_by: Mapped[str | None] = mapped_column(String(100))
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


class EditionCount(Base):
    """What an edition comes to over its whole audience, for one part of the tree: how far the count is, or its end."""

    __tablename__ = "edition_count"

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    #: whose audience, as a path of ids
    under: Mapped[str] = mapped_column(Bytewise, primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    #: of whoever counts, and when it last told something
    runner: Mapped[str] = mapped_column(String(16), default="")
    heard_at: Mapped[datetime | None] = mapped_column(Instant)
    #: readers counted so far, and about how many there are
    seen: Mapped[int] = mapped_column(default=0)
    about: Mapped[int] = mapped_column(default=0)
    #: the digest of what was counted last, its figures and when that was
    revision: Mapped[str] = mapped_column(String(64), default="")
    figures: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    counted_at: Mapped[datetime | None] = mapped_column(Instant)
    #: why it could not be counted: a sentence with its fields
    trouble: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
