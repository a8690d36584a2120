"""Receipts that fitted no part when they came: they overtook the answer, or the answer was lost.

An answer that is lost takes the carrier's id with it. Such a receipt is given to a part in doubt only if nothing else
can be meant: better a part in doubt than a part that wrongly counts as delivered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, exists, select, update
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Doubt, Message, Part, ReceiptInbox, ReceiptOrphan, ReceiptWaiting, Submission
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.receipts import APPLY, learn, reference_of
from broadcaster.delivery.states import State
from subscribers.db import among, insert_all, wake

#: a gateway, and a number that it sends to
Number = tuple[str, str]

#: how far apart a hand-over in doubt and a receipt without a known id may lie and still be taken for the same part
NEAR = timedelta(minutes=10)


#: how often an orphan is looked at: until this age, with this pause
_LOOKS = (
    (timedelta(seconds=10), timedelta(0)),
    (timedelta(minutes=1), timedelta(seconds=5)),
    (timedelta(minutes=10), timedelta(seconds=30)),
    (timedelta(hours=2), timedelta(minutes=5)),
    (timedelta(days=1), timedelta(hours=1)),
)
_RARELY = timedelta(days=1)
#: so many in one sweep
_MOST = 20_000


def retry(session: Session, *, now: datetime) -> None:
    """Give another chance to those whose part is known by now; and hint at everything that waits to be applied."""
    go_by_keys(session)
    _settle_doubts_by_number(session, now=now)
    known = exists().where(
        Submission.provider_id == ReceiptInbox.provider_id, Submission.gateway == ReceiptInbox.gateway
    )
    looked_at = session.execute(
        select(ReceiptOrphan.inbox_id, known.label("known"))
        .join(ReceiptInbox, ReceiptInbox.id == ReceiptOrphan.inbox_id)
        .where(ReceiptOrphan.due <= now)
        .order_by(ReceiptOrphan.due)
        .limit(_MOST)
        .with_for_update(of=ReceiptOrphan, skip_locked=True)
    ).all()
    _apply_again(session, [row.inbox_id for row in looked_at if row.known])
    _leave_alone(session, [row.inbox_id for row in looked_at if not row.known], now=now)
    if session.scalar(select(ReceiptWaiting.inbox_id).limit(1)) is not None:
        wake(session, APPLY)


def _apply_again(session: Session, inbox_ids: Sequence[int]) -> None:
    session.execute(delete(ReceiptOrphan).where(among(session, ReceiptOrphan.inbox_id, inbox_ids)))
    insert_all(session, ReceiptWaiting, [{"inbox_id": id_} for id_ in inbox_ids])


def _leave_alone(session: Session, inbox_ids: Sequence[int], *, now: datetime) -> None:
    """Until they are due again. Strangers are never given up, but there are more of them every day."""
    due = case(*((ReceiptOrphan.since > now - age, now + pause) for age, pause in _LOOKS), else_=now + _RARELY)
    session.execute(
        update(ReceiptOrphan)
        .where(among(session, ReceiptOrphan.inbox_id, inbox_ids))
        .values(due=due)
        .execution_options(synchronize_session=False)
    )


def _settle_doubts_by_number(session: Session, *, now: datetime) -> None:
    """Tell the parts in doubt the ids of the receipts that can only be theirs."""
    doubts = _open_doubts(session, since=now - 4 * NEAR)
    if not doubts:
        return
    msisdns = sorted({msisdn for _, msisdn in doubts})
    # a receipt that overtakes its answer may be for what is on its way at this moment
    busy = _being_sent_to(session, msisdns)
    receipts = _unclaimed(session, msisdns, since=now - 3 * NEAR)
    learn(session, [pair for number in doubts.keys() - busy for pair in certain(receipts[number], doubts[number])])


def _unclaimed(session: Session, msisdns: Sequence[str], *, since: datetime) -> dict[Number, list[Any]]:
    """Orphans of late that name one of these numbers and no part of ours."""
    rows = session.execute(
        select(ReceiptInbox.__table__)
        .join(ReceiptOrphan, ReceiptOrphan.inbox_id == ReceiptInbox.id)
        .where(ReceiptOrphan.since > since, among(session, ReceiptInbox.msisdn, msisdns))
        .order_by(ReceiptInbox.id)
    )
    found: dict[Number, list[Any]] = defaultdict(list)
    for row in rows:
        if reference_of(row) is None:
            found[row.gateway, row.msisdn].append(row)
    return found


def certain(receipts: Sequence[Any], doubts: Sequence[Any]) -> list[tuple[Any, int]]:
    """Receipt and part in doubt, where nothing else can be meant; both of one number, in order. Pure.

    As many ids as parts, and all parts of one message: then which is whose makes no difference to the message.
    """
    near = [d for d in doubts if any(abs(r.received_at - d.since) <= NEAR for r in receipts)]
    told = {r.provider_id: r for r in reversed(receipts) if any(abs(r.received_at - d.since) <= NEAR for d in near)}
    if len(told) != len(near) or len({d.message_id for d in near}) != 1:
        return []
    return list(zip(sorted(told.values(), key=lambda r: r.id), [d.part_id for d in near], strict=True))


def _open_doubts(session: Session, *, since: datetime) -> dict[Number, list[Any]]:
    rows = session.execute(
        select(Doubt.gateway, Doubt.msisdn, Doubt.part_id, Doubt.since, Part.message_id)
        .join(Part, Part.id == Doubt.part_id)
        .where(Doubt.since > since, Doubt.settled_at.is_(None))
        .order_by(Doubt.part_id)
    )
    found: dict[Number, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.gateway, row.msisdn].append(row)
    return found


def _being_sent_to(session: Session, msisdns: Sequence[str]) -> set[Number]:
    rows = session.execute(
        select(Part.gateway, Message.msisdn)
        .join(Message, (Message.id == Part.message_id) & (Message.attempt == Part.attempt))
        .where(among(session, Message.msisdn, msisdns), Part.state == State.SUBMITTING)
    )
    return {(row.gateway, row.msisdn) for row in rows if row.msisdn is not None}
