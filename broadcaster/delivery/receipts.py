"""Receipts: first written down as they came, then applied in bulk, forward only."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from broadcaster.delivery import transitions
from broadcaster.delivery.models import InboxState, Message, Part, ReceiptInbox, Submission
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.recording import insert_or_ignore, settle_doubts
from broadcaster.delivery.states import State, advance, contradicts
from broadcaster.delivery.transitions import Held, Move
from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from subscribers import consent, numbers
from subscribers.actor import SYSTEM
from subscribers.db import among, wake
from subscribers.models import Wish

#: the queue that applies receipts
APPLY = "receipts"

#: so much of what a carrier sent is kept as it came
RAW = 10_000

_STATES: Mapping[str, State] = {
    ReceiptState.IN_NETWORK: State.IN_NETWORK,
    ReceiptState.DELIVERED: State.DELIVERED,
    ReceiptState.FAILED: State.FAILED,
    ReceiptState.EXPIRED: State.EXPIRED,
    ReceiptState.REJECTED: State.REJECTED,
    # the carrier itself does not know: for the member it did not arrive
    ReceiptState.CARRIER_UNKNOWN: State.FAILED,
}


def record(session: Session, receipts: Sequence[Receipt], reasons: Mapping[str, Reason], *, now: datetime) -> None:
    """Keep receipts as they came. A repeated one is kept once. The carrier may be told yes once this has committed."""
    if not receipts:
        return
    session.execute(
        insert_or_ignore(session, ReceiptInbox),
        [
            {
                "gateway": receipt.gateway,
                "provider_id": receipt.message_id[:100],
                "state": receipt.state.value,
                "done": receipt.done_at.isoformat() if receipt.done_at else "",
                "msisdn": receipt.msisdn[:20] if receipt.msisdn else None,
                "client_reference": receipt.client_reference[:40] if receipt.client_reference else None,
                "code": receipt.code[:60],
                "reason": _words(receipt, reasons),
                "permanent": receipt.permanent,
                "unknown_number": _says_nobody(receipt, reasons),
                "opted_out": _says_no_more(receipt, reasons),
                "raw": receipt.raw[:RAW],
                "received_at": now,
                "outcome": InboxState.PENDING,
            }
            for receipt in receipts
        ],
    )
    wake(session, APPLY)


def _words(receipt: Receipt, reasons: Mapping[str, Reason]) -> str | None:
    if receipt.state is ReceiptState.CARRIER_UNKNOWN:
        return ReceiptState.CARRIER_UNKNOWN.value
    known = reasons.get(receipt.code)
    return known.words[:200] if known and receipt.state is not ReceiptState.DELIVERED else None


def _says_nobody(receipt: Receipt, reasons: Mapping[str, Reason]) -> bool:
    known = reasons.get(receipt.code)
    return known is not None and known.unknown_number and receipt.state is ReceiptState.FAILED


def _says_no_more(receipt: Receipt, reasons: Mapping[str, Reason]) -> bool:
    known = reasons.get(receipt.code)
    return known is not None and known.opted_out and receipt.state in (ReceiptState.FAILED, ReceiptState.REJECTED)


def apply(session: Session, *, limit: int = 1000, now: datetime) -> int:
    """Apply the next pending receipts to their parts, forward only. Returns how many were looked at."""
    go_by_keys(session)
    rows = session.execute(
        select(ReceiptInbox.__table__)
        .where(ReceiptInbox.outcome == InboxState.PENDING)
        .order_by(ReceiptInbox.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    part_of = _match(session, rows)
    held = _held(session, part_of.values())
    states = {part_id: held.parts[part_id].state for part_id in part_of.values() if part_id in held.parts}
    outcomes: dict[InboxState, list[int]] = defaultdict(list)
    moves: dict[int, Any] = {}
    for row in rows:
        part_id = part_of.get(row.id)
        if part_id is None or part_id not in states:
            outcomes[InboxState.ORPHAN].append(row.id)
            continue
        to = _STATES[row.state]
        current = states[part_id]
        if advance(current, to) is not None:
            states[part_id] = to
            moves[part_id] = row
            outcomes[InboxState.APPLIED].append(row.id)
        elif contradicts(current, to):
            outcomes[InboxState.CONFLICT].append(row.id)
        else:
            outcomes[InboxState.STALE].append(row.id)
    _write_moves(session, held, moves, now=now)
    _tell_registry(session, moves, now=now)
    for outcome, ids in outcomes.items():
        session.execute(update(ReceiptInbox).where(ReceiptInbox.id.in_(ids)).values(outcome=outcome))
    return len(rows)


def _match(session: Session, rows: Sequence[Any]) -> dict[int, int]:
    """Inbox id -> part id: by the carrier's id, else by our own reference. A gateway only ever reaches its own parts.

    What is left over is an orphan, and looked at again later.
    """
    known = {
        (row.gateway, row.provider_id): row.part_id
        for row in session.execute(
            # a carrier that counts round gives an id again: then the newest part is meant
            select(Submission.gateway, Submission.provider_id, Submission.part_id)
            .where(Submission.provider_id.in_({row.provider_id for row in rows}))
            .order_by(Submission.part_id)
        )
    }
    matched = {row.id: known[key] for row in rows if (key := (row.gateway, row.provider_id)) in known}
    found = _by_reference(session, [row for row in rows if row.id not in matched])
    learn(session, [(row, found[row.id]) for row in rows if row.id in found])
    return matched | found


def reference_of(row: Any) -> int | None:
    """The part that a receipt names by our own reference, if it names one."""
    told = row.client_reference or ""
    return int(told[1:]) if re.fullmatch(r"p[0-9]{1,18}", told) else None


def _by_reference(session: Session, rows: Sequence[Any]) -> dict[int, int]:
    """Receipts that echo our reference, also when they overtake the answer to their submit.

    Number and carrier's id must not speak against it: a carrier may tell of parts of an older database.
    """
    claimed = {row.id: part_id for row in rows if (part_id := reference_of(row)) is not None}
    if not claimed:
        return {}
    parts = {
        part.id: part
        for part in session.execute(
            select(Part.id, Part.gateway, Message.msisdn, Submission.provider_id)
            .join(Message, Message.id == Part.message_id)
            .outerjoin(Submission, Submission.part_id == Part.id)
            .where(Part.id.in_(set(claimed.values())))
        )
    }
    return {
        row.id: part.id
        for row in rows
        if row.id in claimed
        and (part := parts.get(claimed[row.id])) is not None
        and part.gateway == row.gateway
        and row.msisdn in (None, part.msisdn)
        and part.provider_id in (None, row.provider_id)
    }


def learn(session: Session, pairs: Sequence[tuple[Any, int]]) -> None:
    """A receipt told us the id that a lost answer would have: later receipts find the part by it."""
    if pairs:
        session.execute(
            insert_or_ignore(session, Submission),
            [{"part_id": part, "gateway": row.gateway, "provider_id": row.provider_id} for row, part in pairs],
        )


def _held(session: Session, part_ids: Iterable[int]) -> Held:
    """Their messages, held until the commit: of two receipts for one part, one is judged after the other."""
    ids = sorted(set(part_ids))
    return transitions.hold(session, set(session.scalars(select(Part.message_id).where(among(session, Part.id, ids)))))


def _write_moves(session: Session, held: Held, rows: Mapping[int, Any], *, now: datetime) -> None:
    moves = {part_id: Move(_STATES[row.state], row.code, row.reason, row.permanent) for part_id, row in rows.items()}
    former = transitions.move(session, held, moves, now=now)
    settle_doubts(session, [part for part, state in former.items() if state is State.UNKNOWN], by="receipt", now=now)


def _tell_registry(session: Session, moves: Mapping[int, Any], *, now: datetime) -> None:
    """Which numbers were reached, which nobody has (a message counts once, by its first part), who wants nothing."""
    ends = {
        part_id: row
        for part_id, row in moves.items()
        if row.unknown_number or row.opted_out or row.state == ReceiptState.DELIVERED
    }
    if not ends:
        return
    parts = session.execute(
        select(Part.id, Part.number, Message.msisdn)
        .join(Message, Message.id == Part.message_id)
        .where(Part.id.in_(list(ends)), Message.msisdn.is_not(None))
    ).all()
    delivered: set[str] = set()
    unknown: dict[str, int] = {}
    refused: dict[str, consent.Said] = {}
    for part in sorted(parts, key=lambda part: ends[part.id].id):
        if ends[part.id].opted_out:
            refused[part.msisdn] = consent.Said(part.msisdn, Wish.OUT, "carrier", ends[part.id].code)
        elif not ends[part.id].unknown_number:
            delivered.add(part.msisdn)
            # what was said before it does not count any more
            unknown.pop(part.msisdn, None)
        elif part.number == 1:
            unknown[part.msisdn] = unknown.get(part.msisdn, 0) + 1
    numbers.note_receipts(session, delivered=delivered, unknown=unknown, now=now)
    consent.record_many(session, SYSTEM, refused.values(), now=now)
