"""Retention: the words of what is old are emptied. Who was sent what, when, and what became of it stays countable.

A portion is a short transaction of its own, so that senders never wait for it long. It may be run anywhere, as often as
one likes, and goes on where the last one stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import CursorResult, Update, func, literal_column, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery.lots import MOST
from broadcaster.delivery.models import Batch, Message, Part, ReceiptInbox, ReceiptLot, ReceiptLotWaiting
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.recording import insert_or_ignore
from broadcaster.delivery.states import State
from broadcaster.keeping.models import Emptying
from broadcaster.newspaper import drafts, presence
from broadcaster.replies.models import Letter, LetterState

TEXTS, ANSWERS, RECEIPTS, LETTERS = "texts", "answers", "receipts", "letters"
DRAFTS, PRESENCE = "drafts", "presence"

#: rows that are looked at in one transaction; a batch of messages counts as its messages
PORTION = 2000
#: a walk through all there is begins at most so often
AGAIN = timedelta(days=1)

#: nothing of these is handed over any more, unless a person orders it: then it is written anew
_OVER = (CampaignState.SENT, CampaignState.CLOSED, CampaignState.CANCELLED, CampaignState.ABORTED)
_WAITING = (State.QUEUED, State.HELD, State.SUBMITTING)
_UNREAD = (LetterState.NEW, LetterState.OPEN)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long words are kept: those of parts, of receipts as they came, of letters."""

    texts: timedelta
    receipts: timedelta
    letters: timedelta


@dataclass(frozen=True, slots=True)
class Emptied:
    """What one portion did: rows that lost their words, by what they are, and whether there is more at once."""

    rows: Mapping[str, int]
    more: bool


def empty(session: Session, keeping: Keeping, *, now: datetime, portion: int = PORTION) -> Emptied:
    """Empty the next portion of everything that is old enough."""
    go_by_keys(session)
    steps: Mapping[str, Callable[[], tuple[int, bool]]] = {
        TEXTS: lambda: _texts(session, now - keeping.texts, portion, now=now),
        ANSWERS: lambda: _answers(session, now - keeping.texts, portion, now=now),
        RECEIPTS: lambda: _receipts(session, now - keeping.receipts, portion),
        LETTERS: lambda: _letters(session, now - keeping.letters, portion, now=now),
        DRAFTS: lambda: _drafts(session, portion, now=now),
        PRESENCE: lambda: (presence.forget_old(session, now=now), False),
    }
    done = {what: step() for what, step in steps.items()}
    return Emptied({what: rows for what, (rows, _) in done.items()}, any(more for _, more in done.values()))


def _texts(session: Session, before: datetime, portion: int, *, now: datetime) -> tuple[int, bool]:
    """The next campaign that has been over for long enough, a few of its batches at a time."""
    over_since = func.coalesce(Campaign.closed_at, Campaign.sent_at, Campaign.started_at)
    campaign_id = session.scalar(
        select(Campaign.id)
        .outerjoin(Emptying, (Emptying.what == TEXTS) & (Emptying.of == Campaign.id))
        .where(
            Campaign.state.in_(_OVER),
            over_since <= before,
            or_(Emptying.of.is_(None), Emptying.done_at.is_(None), Emptying.done_at <= over_since),
        )
        .order_by(Campaign.id)
        .limit(1)
    )
    if campaign_id is None:
        return 0, False
    walk = _walk(session, TEXTS, campaign_id)
    batches = _batches(session, campaign_id, walk, portion)
    rows = sum(_empty_parts(session, batch, campaign_id) for batch in batches)
    _step(walk, [batch.id for batch in batches], now=now)
    return rows, True


def _answers(session: Session, before: datetime, portion: int, *, now: datetime) -> tuple[int, bool]:
    """Messages to single members. An answer has a batch of its own."""
    walk = _walk(session, ANSWERS)
    if _is_resting(walk, now=now):
        return 0, False
    batches = _batches(session, None, walk, portion)
    rows = sum(_empty_parts(session, batch, None, before) for batch in batches)
    _step(walk, [batch.id for batch in batches], now=now)
    return rows, bool(batches)


def _batches(session: Session, campaign_id: int | None, walk: Emptying, portion: int) -> Sequence[Batch]:
    mine = Batch.campaign_id.is_(None) if campaign_id is None else Batch.campaign_id == campaign_id
    found = session.scalars(select(Batch).where(mine, Batch.id > walk.cursor).order_by(Batch.id).limit(portion)).all()
    room, count = portion, 0
    for batch in found:
        room -= batch.high - batch.low + 1
        if count and room < 0:
            break
        count += 1
    return found[:count]


def _empty_parts(session: Session, batch: Batch, campaign_id: int | None, before: datetime | None = None) -> int:
    mine = Message.campaign_id.is_(None) if campaign_id is None else Message.campaign_id == campaign_id
    messages = select(Message.id).where(Message.id.between(batch.low, batch.high), mine)
    statement = update(Part).where(Part.message_id.in_(messages), Part.text != "", Part.state.not_in(_WAITING))
    if before is not None:
        statement = statement.where(func.coalesce(Part.final_at, Part.submitted_at) <= before)
    return _count(session, statement.values(text=""))


def _receipts(session: Session, before: datetime, portion: int) -> tuple[int, bool]:
    """As they came, with the number in them: rows, then lots."""
    rows, more_rows = _receipt_rows(session, before, portion)
    lots, more_lots = _receipt_lots(session, before, portion)
    return rows + lots, more_rows or more_lots


def _receipt_rows(session: Session, before: datetime, portion: int) -> tuple[int, bool]:
    """Their ids grow with the time they came at, or nearly: one that is not old yet is waited for."""
    walk = _walk(session, RECEIPTS)
    rows = session.execute(
        select(ReceiptInbox.id, ReceiptInbox.received_at)
        .where(ReceiptInbox.id > walk.cursor)
        .order_by(ReceiptInbox.id)
        .limit(portion)
    ).all()
    old = [row.id for row in rows if row.received_at <= before]
    if not old:
        return 0, False
    emptied = update(ReceiptInbox).where(
        ReceiptInbox.id.between(old[0], old[-1]),
        ReceiptInbox.received_at <= before,
        or_(ReceiptInbox.raw != "", ReceiptInbox.msisdn.is_not(None)),
    )
    count = _count(session, emptied.values(raw="", msisdn=None))
    passed = [row.id for row in takewhile(lambda row: row.received_at <= before, rows)]
    if passed:
        walk.cursor = passed[-1]
    return count, len(passed) == portion


def _receipt_lots(session: Session, before: datetime, portion: int) -> tuple[int, bool]:
    """The oldest that are opened. Their rows stay: a number is never given again."""
    most = max(1, portion // MOST)
    found = session.execute(
        select(ReceiptLot.id, ReceiptLot.receipts)
        .where(
            # written out: so a database sees that its partial index holds them all
            ReceiptLot.told != literal_column("''"),
            ReceiptLot.received_at <= before,
            ReceiptLot.id.not_in(select(ReceiptLotWaiting.lot_id)),
        )
        .order_by(ReceiptLot.received_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    _count(session, update(ReceiptLot).where(ReceiptLot.id.in_([lot.id for lot in found])).values(told=""))
    return sum(lot.receipts for lot in found), len(found) == most


def _letters(session: Session, before: datetime, portion: int, *, now: datetime) -> tuple[int, bool]:
    """What members wrote. A letter that still waits for a person keeps its words until somebody has dealt with it."""
    walk = _walk(session, LETTERS)
    if _is_resting(walk, now=now):
        return 0, False
    ids = session.scalars(select(Letter.id).where(Letter.id > walk.cursor).order_by(Letter.id).limit(portion)).all()
    rows = 0
    if ids:
        emptied = update(Letter).where(
            Letter.id.between(ids[0], ids[-1]),
            Letter.received_at <= before,
            Letter.text != "",
            Letter.state.not_in(_UNREAD),
        )
        rows = _count(session, emptied.values(text=""))
    _step(walk, ids, now=now)
    return rows, bool(ids)


def _drafts(session: Session, portion: int, *, now: datetime) -> tuple[int, bool]:
    rows = drafts.forget_old(session, now=now, limit=portion)
    return rows, rows == portion


def _walk(session: Session, what: str, of: int = 0) -> Emptying:
    """How far it has come; held, so that nobody walks there at the same time. One that was done begins anew."""
    session.execute(insert_or_ignore(session, Emptying), [{"what": what, "of": of, "cursor": 0}])
    return session.scalars(
        select(Emptying)
        .where(Emptying.what == what, Emptying.of == of)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _is_resting(walk: Emptying, *, now: datetime) -> bool:
    return walk.done_at is not None and walk.cursor == 0 and walk.done_at > now - AGAIN


def _step(walk: Emptying, ids: Sequence[int], *, now: datetime) -> None:
    """Go on behind these; where nothing is left, the walk is done, and the next one begins at the start."""
    if ids:
        walk.cursor = ids[-1]
    else:
        walk.cursor, walk.done_at = 0, now


def _count(session: Session, statement: Update) -> int:
    done = session.execute(statement, execution_options={"synchronize_session": False})
    return done.rowcount if isinstance(done, CursorResult) else 0
