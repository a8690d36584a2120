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
from broadcaster.delivery.receipts import APPLY, learn, reference_of
from broadcaster.delivery.states import State
from subscribers.db import wake

#: how far apart a hand-over in doubt and a receipt without a known id may lie and still be taken for the same part
NEAR = timedelta(minutes=10)


def retry(session: Session, *, now: datetime) -> None:
    """Give another chance to those whose part is known by now; and hint at everything that waits to be applied."""
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
    pairs = session.execute(
        select(
            ReceiptInbox.id,
            ReceiptInbox.gateway,
            ReceiptInbox.provider_id,
            ReceiptInbox.msisdn,
            ReceiptInbox.client_reference,
            ReceiptInbox.received_at,
            Doubt.part_id,
            Doubt.since,
            Part.message_id,
        )
        .join(Doubt, (Doubt.gateway == ReceiptInbox.gateway) & (Doubt.msisdn == ReceiptInbox.msisdn))
        .join(Part, Part.id == Doubt.part_id)
        .where(ReceiptInbox.outcome == InboxState.ORPHAN, Doubt.settled_at.is_(None), Doubt.since > now - 3 * NEAR)
        .order_by(ReceiptInbox.id, Doubt.part_id)
    ).all()
    by_number: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for pair in pairs:
        by_number[pair.gateway, pair.msisdn].append(pair)
    busy = _being_sent_to(session, [msisdn for _, msisdn in by_number])
    for key, mine in by_number.items():
        # a receipt that overtakes its answer may be for what is on its way at this moment
        if key not in busy:
            learn(session, certain(mine))


def certain(pairs: Sequence[Any]) -> list[tuple[Any, int]]:
    """Receipt and part in doubt, where nothing else can be meant. `pairs` has every receipt with every doubt of one
    number, in order. Pure.

    As many ids as parts, and all parts of one message: then which is whose makes no difference to the message.
    """
    near = [p for p in pairs if abs(p.received_at - p.since) <= NEAR and reference_of(p) is None]
    receipts = {p.provider_id: p for p in reversed(near)}
    parts = sorted({p.part_id for p in near})
    if len(receipts) != len(parts) or len({p.message_id for p in near}) != 1:
        return []
    first_come = sorted(receipts.values(), key=lambda p: p.id)
    return list(zip(first_come, parts, strict=True))


def _being_sent_to(session: Session, msisdns: Sequence[str]) -> set[tuple[str, str]]:
    rows = session.execute(
        select(Part.gateway, Message.msisdn)
        .join(Message, (Message.id == Part.message_id) & (Message.attempt == Part.attempt))
        .where(Message.msisdn.in_(msisdns), Part.state == State.SUBMITTING)
    )
    return {(row.gateway, row.msisdn) for row in rows if row.msisdn is not None}
