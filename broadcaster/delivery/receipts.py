"""Receipts: first written down as they came, then applied in bulk, again later for those that came too early."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Doubt, InboxState, Part, ReceiptInbox, Submission
from broadcaster.delivery.recording import insert_or_ignore, refresh_messages, settle_doubts
from broadcaster.delivery.states import REACHED_FROM, State, advance, contradicts
from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from subscribers.db import wake

#: the queue that applies receipts
APPLY = "receipts"

#: how far apart a hand-over in doubt and a receipt without a known id may lie and still be taken for the same part
NEAR = timedelta(minutes=10)

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
                "provider_id": receipt.message_id,
                "state": receipt.state.value,
                "done": receipt.done_at.isoformat() if receipt.done_at else "",
                "msisdn": receipt.msisdn,
                "client_reference": receipt.client_reference,
                "code": receipt.code[:60],
                "reason": _words(receipt, reasons),
                "permanent": receipt.permanent,
                "raw": receipt.raw,
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


def apply(session: Session, *, limit: int = 1000, now: datetime) -> int:
    """Apply the next pending receipts to their parts, forward only. Returns how many were looked at."""
    rows = session.execute(
        select(ReceiptInbox.__table__)
        .where(ReceiptInbox.outcome == InboxState.PENDING)
        .order_by(ReceiptInbox.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    part_of = _match(session, rows, now=now)
    states = _states(session, part_of.values())
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
    _write_moves(session, moves, now=now)
    for outcome, ids in outcomes.items():
        session.execute(update(ReceiptInbox).where(ReceiptInbox.id.in_(ids)).values(outcome=outcome))
    return len(rows)


def retry_orphans(session: Session) -> None:
    """Give another chance to receipts whose part is known by now, or whose recipient has a part in doubt."""
    known = exists().where(
        Submission.provider_id == ReceiptInbox.provider_id, Submission.gateway == ReceiptInbox.gateway
    )
    doubted = exists().where(
        Doubt.gateway == ReceiptInbox.gateway, Doubt.msisdn == ReceiptInbox.msisdn, Doubt.settled_at.is_(None)
    )
    woken = session.execute(
        update(ReceiptInbox)
        .where(ReceiptInbox.outcome == InboxState.ORPHAN, or_(known, doubted))
        .values(outcome=InboxState.PENDING)
        .returning(ReceiptInbox.id)
        .execution_options(synchronize_session=False)
    ).all()
    if woken:
        wake(session, APPLY)


def _match(session: Session, rows: Sequence[Any], *, now: datetime) -> dict[int, int]:
    """Inbox id -> part id: by the carrier's id, else by our own reference, else by the one part in doubt it can mean.

    A gateway can only ever reach parts of its own.
    """
    known = {
        (row.gateway, row.provider_id): row.part_id
        for row in session.execute(
            select(Submission.gateway, Submission.provider_id, Submission.part_id).where(
                Submission.provider_id.in_({row.provider_id for row in rows})
            )
        )
    }
    matched = {row.id: known[key] for row in rows if (key := (row.gateway, row.provider_id)) in known}
    strangers = [row for row in rows if row.id not in matched]
    if strangers:
        found = _by_reference(session, strangers)
        found |= _by_doubt(session, [row for row in strangers if row.id not in found])
        _learn(session, [(row, found[row.id]) for row in strangers if row.id in found])
        matched |= found
    return matched


def _by_reference(session: Session, rows: Sequence[Any]) -> dict[int, int]:
    """Receipts that echo our reference, also when they overtake the answer to their submit."""
    claimed = {
        row.id: int(row.client_reference[1:])
        for row in rows
        if row.client_reference and row.client_reference[0] == "p" and row.client_reference[1:].isdecimal()
    }
    theirs = {
        row.id: row.gateway
        for row in session.execute(select(Part.id, Part.gateway).where(Part.id.in_(set(claimed.values()))))
    }
    gateways = {row.id: row.gateway for row in rows}
    return {inbox: part for inbox, part in claimed.items() if theirs.get(part) == gateways[inbox]}


def _by_doubt(session: Session, rows: Sequence[Any]) -> dict[int, int]:
    """Receipts for a number with exactly one part in doubt near their time."""
    open_ = session.execute(
        select(Doubt.part_id, Doubt.gateway, Doubt.msisdn, Doubt.since).where(
            Doubt.settled_at.is_(None), Doubt.msisdn.in_({row.msisdn for row in rows if row.msisdn})
        )
    ).all()
    found = {}
    for row in rows:
        near = [
            doubt.part_id
            for doubt in open_
            if (doubt.gateway, doubt.msisdn) == (row.gateway, row.msisdn) and abs(row.received_at - doubt.since) <= NEAR
        ]
        if len(near) == 1:
            found[row.id] = near[0]
    return found


def _learn(session: Session, pairs: Sequence[tuple[Any, int]]) -> None:
    """A receipt told us the id that a lost answer would have: later receipts find the part by it."""
    if pairs:
        session.execute(
            insert_or_ignore(session, Submission),
            [{"part_id": part, "gateway": row.gateway, "provider_id": row.provider_id} for row, part in pairs],
        )


def _states(session: Session, part_ids: Any) -> dict[int, State]:
    rows = session.execute(select(Part.id, Part.state).where(Part.id.in_(set(part_ids)))).all()
    return {row.id: row.state for row in rows}


def _write_moves(session: Session, moves: Mapping[int, Any], *, now: datetime) -> None:
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for part_id, row in moves.items():
        groups[_STATES[row.state], row.code, row.reason, row.permanent].append(part_id)
    changed: set[int] = set()
    for (to, code, reason, permanent), ids in groups.items():
        final = None if to is State.IN_NETWORK else now
        changed |= set(
            session.scalars(
                update(Part)
                .where(Part.id.in_(ids), Part.state.in_(REACHED_FROM[to]))
                .values(state=to, code=code, reason=reason, permanent=permanent, final_at=final)
                .returning(Part.message_id)
                .execution_options(synchronize_session=False)
            )
        )
    settle_doubts(session, list(moves), by="receipt", now=now)
    refresh_messages(session, changed)
