"""Receipts that fitted no part when they came: they overtook the answer, or the answer was lost.

An answer that is lost takes the carrier's id with it. Such a receipt is given to a part in doubt only if nothing else
can be meant: better a part in doubt than a part that wrongly counts as delivered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Doubt, InboxState, Message, Part, ReceiptInbox, Submission
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.receipts import APPLY, learn, reference_of
from broadcaster.delivery.states import State
from subscribers.db import in_bulk, wake

#: a gateway, and a number that it sends to
Number = tuple[str, str]

#: how far apart a hand-over in doubt and a receipt without a known id may lie and still be taken for the same part
NEAR = timedelta(minutes=10)


def retry(session: Session, *, now: datetime) -> None:
    """Give another chance to those whose part is known by now; and hint at everything that waits to be applied."""
    go_by_keys(session)
    _settle_doubts_by_number(session, now=now)
    known = exists().where(
        Submission.provider_id == ReceiptInbox.provider_id, Submission.gateway == ReceiptInbox.gateway
    )
    session.execute(
        update(ReceiptInbox)
        .where(ReceiptInbox.outcome == InboxState.ORPHAN, known)
        .values(outcome=InboxState.PENDING)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(select(ReceiptInbox.id).where(ReceiptInbox.outcome == InboxState.PENDING).limit(1)):
        wake(session, APPLY)


def _settle_doubts_by_number(session: Session, *, now: datetime) -> None:
    """Tell the parts in doubt the ids of the receipts that can only be theirs."""
    recent = select(ReceiptInbox.__table__).where(
        ReceiptInbox.outcome == InboxState.ORPHAN,
        ReceiptInbox.msisdn.is_not(None),
        ReceiptInbox.received_at > now - 3 * NEAR,
    )
    receipts: dict[Number, list[Any]] = defaultdict(list)
    for row in session.execute(recent.order_by(ReceiptInbox.id)):
        if reference_of(row) is None:
            receipts[row.gateway, row.msisdn].append(row)
    for msisdns in in_bulk(dict.fromkeys(msisdn for _, msisdn in receipts)):
        doubts = _open_doubts(session, msisdns)
        # a receipt that overtakes its answer may be for what is on its way at this moment
        busy = _being_sent_to(session, msisdns) if doubts else set()
        for number in doubts.keys() - busy:
            learn(session, certain(receipts[number], doubts[number]))


def certain(receipts: Sequence[Any], doubts: Sequence[Any]) -> list[tuple[Any, int]]:
    """Receipt and part in doubt, where nothing else can be meant; both of one number, in order. Pure.

    As many ids as parts, and all parts of one message: then which is whose makes no difference to the message.
    """
    near = [d for d in doubts if any(abs(r.received_at - d.since) <= NEAR for r in receipts)]
    told = {r.provider_id: r for r in reversed(receipts) if any(abs(r.received_at - d.since) <= NEAR for d in near)}
    if len(told) != len(near) or len({d.message_id for d in near}) != 1:
        return []
    return list(zip(sorted(told.values(), key=lambda r: r.id), [d.part_id for d in near], strict=True))


def _open_doubts(session: Session, msisdns: Sequence[str]) -> dict[Number, list[Any]]:
    rows = session.execute(
        select(Doubt.gateway, Doubt.msisdn, Doubt.part_id, Doubt.since, Part.message_id)
        .join(Part, Part.id == Doubt.part_id)
        .where(Doubt.msisdn.in_(msisdns), Doubt.settled_at.is_(None))
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
        .where(Message.msisdn.in_(msisdns), Part.state == State.SUBMITTING)
    )
    return {(row.gateway, row.msisdn) for row in rows if row.msisdn is not None}
