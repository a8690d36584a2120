"""The ledger. Narrow rows, few indexes: these tables are written for every part that goes out.

State and provider id are on no index of `message` and `part`, so that PostgreSQL can update a row in its page (HOT);
what is open is found through `batch` and `turn`, which are small.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

from sqlalchemy import Dialect, ForeignKey, Index, SmallInteger, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from broadcaster.delivery.states import STATES, State
from subscribers.db import Base, Instant
from subscribers.models import Key


class StateType(TypeDecorator[State]):
    """A state, kept as its small number."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: State | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> State | None:
        # a call of the class costs eight times as much, and every row that is read comes through here
        return None if value is None else STATES[value]


_ROOM_FOR_UPDATES = {"postgresql_with": {"fillfactor": 50}}


class Message(Base):
    """One recipient of one campaign, or one answer to a member (then without a campaign).

    `msisdn` is empty for a person who was skipped when the audience was frozen: there is nobody to send to.
    """

    __tablename__ = "message"
    __table_args__ = (
        # the number first: what somebody was sent last is asked for as well, for their letters, and for receipts that
        # name nothing but a number. An index of numbers costs as much as the row, so there is one of them
        UniqueConstraint("msisdn", "campaign_id"),
        Index("ix_message_campaign", "campaign_id"),
        _ROOM_FOR_UPDATES,
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: no foreign key: an audience is written down while its campaign is claimed from, and each check would queue at it
    campaign_id: Mapped[int | None] = mapped_column(Key)
    #: no foreign key: each check would lock the member's row, and so write it. `undoing` looks before anybody goes
    member_id: Mapped[int | None] = mapped_column(Key)
    msisdn: Mapped[str | None] = mapped_column(String(20))
    gateway: Mapped[str | None] = mapped_column(String(40))
    variant: Mapped[int] = mapped_column(SmallInteger, default=0)
    state: Mapped[State] = mapped_column(StateType)
    attempt: Mapped[int] = mapped_column(SmallInteger, default=1)
    parts: Mapped[int] = mapped_column(SmallInteger, default=0)
    delivered_parts: Mapped[int] = mapped_column(SmallInteger, default=0)
    #: why it was skipped, or the words for what its worst part met
    reason: Mapped[str | None] = mapped_column(String(200))


class Part(Base):
    """One SMS piece of a message, exactly as it is sent. A new attempt makes new rows; the old ones stay."""

    __tablename__ = "part"
    __table_args__ = (UniqueConstraint("message_id", "attempt", "number"), _ROOM_FOR_UPDATES)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    #: no foreign key, as in `submission`: who writes it holds the message, and a check would lock and log each one
    message_id: Mapped[int] = mapped_column(Key)
    attempt: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[State] = mapped_column(StateType)
    gateway: Mapped[str] = mapped_column(String(40))
    #: who is handing it over, or did
    owner_id: Mapped[int | None] = mapped_column(Key)
    encoding: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    #: the carrier's own code, raw
    code: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(String(200))
    permanent: Mapped[bool | None]
    submitted_at: Mapped[datetime | None] = mapped_column(Instant)
    final_at: Mapped[datetime | None] = mapped_column(Instant)


class Kind(IntEnum):
    """What a tally counts."""

    MESSAGE = 1
    PART = 2


class Tally(Base):
    """So many more, or fewer, messages or parts of a campaign are in a state: added up, the figures of now.

    Every transaction that moves some adds a few rows, and changes none; the sweep makes few of many. `campaign_id` is
    no foreign key: who holds a campaign waits for messages, so who holds messages must not wait for their campaign.
    """

    __tablename__ = "tally"
    __table_args__ = (Index("ix_tally_campaign", "campaign_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(Key)
    kind: Mapped[int] = mapped_column(SmallInteger)
    #: empty for a message that no gateway was chosen for
    gateway: Mapped[str] = mapped_column(String(40))
    state: Mapped[State] = mapped_column(StateType)
    #: of messages that were skipped, refused or not delivered; empty for all others
    reason: Mapped[str] = mapped_column(String(200))
    n: Mapped[int]


class Submission(Base):
    """What the carrier called a part when it took it. Insert-only; receipts find their part here."""

    __tablename__ = "submission"
    __table_args__ = (Index("ix_submission_provider", "provider_id", "gateway"),)

    part_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    gateway: Mapped[str] = mapped_column(String(40))
    provider_id: Mapped[str] = mapped_column(String(100))


class Batch(Base):
    """A range of messages that one gateway has to hand over; the unit of a wake-up.

    `cursor` is the first message id that was not yet looked at. Overlapping ranges do no harm: a claim takes queued
    messages only.
    """

    __tablename__ = "batch"
    __table_args__ = (
        Index(
            "ix_batch_open", "gateway", "lane", "id", postgresql_where=text("NOT done"), sqlite_where=text("NOT done")
        ),
        Index("ix_batch_campaign", "campaign_id"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    gateway: Mapped[str] = mapped_column(String(40))
    lane: Mapped[int] = mapped_column(SmallInteger)
    low: Mapped[int] = mapped_column(Key)
    high: Mapped[int] = mapped_column(Key)
    cursor: Mapped[int] = mapped_column(Key)
    done: Mapped[bool] = mapped_column(default=False, server_default=false())
    not_before: Mapped[datetime | None] = mapped_column(Instant)


class Proof(Base):
    """A message that showed an editor an edition on their own phone."""

    __tablename__ = "proof"
    __table_args__ = (Index("ix_proof_message", "message_id"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), index=True)
    #: by its name in the edition
    variant: Mapped[str] = mapped_column(String(500))
    message_id: Mapped[int] = mapped_column(Key)
    #: its gateway reached no phone when it was asked for; None: that was not written down then
    rehearsed: Mapped[bool | None]
    by: Mapped[str] = mapped_column(String(100))
    sent_at: Mapped[datetime] = mapped_column(Instant)


class Owner(Base):
    """A process that hands parts over. It holds a lock while it lives; whoever gets that lock knows it is dead."""

    __tablename__ = "owner"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    host: Mapped[str] = mapped_column(String(200))
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    #: stands in its journal too: an owner of another database may have had the same id
    token: Mapped[str | None] = mapped_column(String(32))


class Lease(Base):
    """A place at a gateway, held by an owner for as long as it lives: it sends for it, and has its share of the rate.

    A gateway that holds a connection has as many places as binds; any other has one for whoever wants to send.
    """

    __tablename__ = "lease"
    __table_args__ = (UniqueConstraint("gateway", "owner_id"), Index("ix_lease_owner_id", "owner_id"))

    gateway: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"))
    since: Mapped[datetime] = mapped_column(Instant)
    #: when its connection was made; empty while there is none
    bound_at: Mapped[datetime | None] = mapped_column(Instant)
    #: what went wrong last, as `language.kept` writes it
    error: Mapped[str | None] = mapped_column(String(300))
    error_at: Mapped[datetime | None] = mapped_column(Instant)


class Learned(Base):
    """What a gateway has found out about its carrier, in words of its own."""

    __tablename__ = "learned"

    gateway: Mapped[str] = mapped_column(String(40), primary_key=True)
    text: Mapped[str] = mapped_column(String(200))
    learned_at: Mapped[datetime] = mapped_column(Instant)


class Outage(Base):
    """A gateway through which nothing leaves although something waits there, and since when."""

    __tablename__ = "outage"

    gateway: Mapped[str] = mapped_column(String(40), primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant)


class Turn(Base):
    """One hand-over: messages `low` to `high`, claimed by an owner, not yet recorded. At most a window of parts.

    Its id is the proof that the outcomes are still ours to write down, so none is ever given again.
    """

    __tablename__ = "turn"
    __table_args__ = (Index("ix_turn_owner", "owner_id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owner.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    gateway: Mapped[str] = mapped_column(String(40))
    lane: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    low: Mapped[int] = mapped_column(Key)
    high: Mapped[int] = mapped_column(Key)
    parts: Mapped[int]


class Doubt(Base):
    """A part whose hand-over was left open: who it was for, and how it was settled, if it was."""

    __tablename__ = "doubt"
    __table_args__ = (
        Index(
            "ix_doubt_open",
            "gateway",
            "msisdn",
            postgresql_where=text("settled_at IS NULL"),
            sqlite_where=text("settled_at IS NULL"),
        ),
    )

    part_id: Mapped[int] = mapped_column(ForeignKey("part.id"), primary_key=True, autoincrement=False)
    gateway: Mapped[str] = mapped_column(String(40))
    msisdn: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_by: Mapped[str | None] = mapped_column(String(100))


class InboxState(IntEnum):
    """What became of a receipt."""

    APPLIED = 1
    #: it names another final state than the known one
    CONFLICT = 3
    #: it says no more than is already known
    STALE = 4


class ReceiptInbox(Base):
    """Every receipt as it came, written before it is acknowledged and before anything is made of it.

    Nearly every row stays as it was written: an UPDATE would write it, and its keys, once more. So what still has to be
    looked at stands in two narrow tables beside it, and what has only been applied is marked so from the start.
    """

    __tablename__ = "receipt_inbox"
    __table_args__ = (UniqueConstraint("gateway", "provider_id", "state", "done"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    gateway: Mapped[str] = mapped_column(String(40))
    provider_id: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20))
    #: the carrier's own time, as text, so that its absence counts as a value in the key, and a mark of the number, for
    #: a carrier may give one id to two. The number itself goes from here when it is forgotten, and the key has to stay
    done: Mapped[str] = mapped_column(String(40), default="")
    msisdn: Mapped[str | None] = mapped_column(String(20))
    client_reference: Mapped[str | None] = mapped_column(String(40))
    code: Mapped[str | None] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(String(200))
    permanent: Mapped[bool | None]
    #: the code says that nobody has the number
    unknown_number: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: the code says that whoever has the number wants nothing
    opted_out: Mapped[bool] = mapped_column(default=False, server_default=false())
    raw: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(Instant)
    #: true of what stands neither in `receipt_waiting` nor in `receipt_orphan`
    outcome: Mapped[int] = mapped_column(SmallInteger, default=InboxState.APPLIED)


class ReceiptLot(Base):
    """Receipts that came together, as they came: one row for hundreds (`delivery/lots.py`).

    Nearly all of them are applied from here. Only what is left over, because it has to be looked at by itself, becomes
    rows of the inbox, under the numbers that it has here.
    """

    __tablename__ = "receipt_lot"
    __table_args__ = (
        # what can grow old; numbers are taken ahead, so that their order is not that of time
        Index(
            "ix_receipt_lot_kept",
            "received_at",
            postgresql_where=text("told <> ''"),
            sqlite_where=text("told <> ''"),
        ),
    )

    #: the number of its last receipt; the others have those before it, of the same count as the inbox's ids
    id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    gateway: Mapped[str] = mapped_column(String(40))
    receipts: Mapped[int]
    received_at: Mapped[datetime] = mapped_column(Instant)
    #: in JSON; empty once it is older than texts are kept
    told: Mapped[str] = mapped_column(Text)


class ReceiptLotWaiting(Base):
    """A lot that nobody has opened yet. The row goes when it is opened."""

    __tablename__ = "receipt_lot_waiting"

    lot_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    receipts: Mapped[int]


class ReceiptWaiting(Base):
    """A receipt that nothing was made of yet. The row goes when it is applied."""

    __tablename__ = "receipt_waiting"

    inbox_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)


class ReceiptOrphan(Base):
    """A receipt under whose id no part is known yet: looked at again when it is `due`, the older the less often."""

    __tablename__ = "receipt_orphan"
    __table_args__ = (Index("ix_receipt_orphan_due", "due"),)

    inbox_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(Instant)
    due: Mapped[datetime] = mapped_column(Instant)
