"""Receipts: first written down as they came, then applied in bulk, forward only."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Executable, Text, bindparam, cast, delete, func, insert, select, union_all, update
from sqlalchemy.orm import Session

from broadcaster.delivery import alike, holding, lots, transitions
from broadcaster.delivery.alike import Told
from broadcaster.delivery.holding import Held
from broadcaster.delivery.lots import STATE_OF, Kind, Kinds, Lot, cells, inbox_row
from broadcaster.delivery.models import (
    InboxState,
    Message,
    Part,
    ReceiptInbox,
    ReceiptLotWaiting,
    ReceiptOrphan,
    ReceiptWaiting,
    Submission,
)
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.recording import date_hand_over, settle_doubts
from broadcaster.delivery.states import FINAL, State, advance, contradicts
from broadcaster.delivery.transitions import Alike, Move
from broadcaster.delivery.whose import by_number, tell_contradictions, tell_strangers
from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from subscribers import consent, numbers
from subscribers.actor import SYSTEM
from subscribers.db import Joined, among, id_list, in_bulk, insert_all, is_sqlite, one_of_ids, wake
from subscribers.models import Wish

#: the queue that applies receipts
APPLY = "receipts"

#: receipts in one transaction
AT_ONCE = 2000

#: what makes a receipt the same one, as far as can be in the order of the carrier's clock
_KEY = itemgetter("done", "gateway", "provider_id", "state")


def record(session: Session, receipts: Sequence[Receipt], reasons: Mapping[str, Reason], *, now: datetime) -> int:
    """Keep receipts as they came. The carrier may be told yes once this has committed.

    Many of one gateway are kept as lots. Of few, a repeated one is kept once. Returns how many were not known yet, as
    far as that shows: all of a lot count as new.
    """
    if not receipts:
        return 0
    by_gateway: dict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        by_gateway[receipt.gateway].append(receipt)
    fresh = 0
    for gateway, its in by_gateway.items():
        if len(its) < lots.MANY:
            kinds = Kinds(reasons)
            rows = [inbox_row(gateway, kinds.found[kinds.place(each)], *cells(each), now) for each in its]
            fresh += _keep_rows(session, rows)
        else:
            for some in in_bulk(its, lots.MOST):
                lots.keep(session, gateway, some, Kinds(reasons), now=now)
            fresh += len(its)
    wake(session, APPLY)
    return fresh


def _keep_rows(session: Session, rows: list[dict[str, Any]]) -> int:
    """Let these wait, each by itself. Returns how many the inbox did not know."""
    if not rows:
        return 0
    # a carrier may repeat them over another connection, in another order: two of us must not wait for each other
    rows.sort(key=_KEY)
    if not is_sqlite(session):
        return insert_all(session, ReceiptInbox, rows, ignore_known=True, then=_WAIT)
    rows = [{"id": number} | row for number, row in zip(lots.numbers(session, len(rows)), rows, strict=True)]
    fresh = insert_all(session, ReceiptInbox, rows, ignore_known=True)
    # a number is given once: whatever bears one of these is new
    new = select(ReceiptInbox.id).where(among(session, ReceiptInbox.id, [row["id"] for row in rows]))
    session.execute(insert(ReceiptWaiting).from_select(["inbox_id"], new))
    return fresh


_WAIT = "INSERT INTO receipt_waiting SELECT id FROM fresh"


def newest(session: Session) -> int | None:
    """The number of the last receipt that waits, in a lot or by itself; None where none does."""
    last = session.scalars(_LAST).all()
    return max((number for number in last if number is not None), default=None)


_LAST = union_all(select(func.max(ReceiptWaiting.inbox_id)), select(func.max(ReceiptLotWaiting.lot_id)))


def apply(session: Session, *, up_to: int | None = None, limit: int = AT_ONCE, now: datetime) -> int:
    """Apply the next receipts that wait to their parts, forward only. Returns how many were looked at.

    What a lot leaves over waits by itself afterwards: so one goes on until there are none. `up_to`: none that came
    after this one.
    """
    go_by_keys(session)
    last = _NO_LAST if up_to is None else up_to
    # what was left over of one lot comes before the next
    return _apply_rows(session, last, limit, now=now) or _apply_lots(session, last, limit, now=now)


def _apply_lots(session: Session, up_to: int, limit: int, *, now: datetime) -> int:
    """Open the next lots: move what they say of whole messages, and let the rest wait by itself."""
    taken = lots.take(session, up_to, limit)
    of: dict[tuple[str, Kind], list[tuple[Lot, int]]] = defaultdict(list)
    for lot in taken:
        for n, place in enumerate(lot.of):
            of[lot.gateway, lot.kinds[place]].append((lot, n))
    left = _torn(of)
    found: list[tuple[Told, list[tuple[Lot, int]]]] = []
    for (gateway, kind), its in of.items():
        special = kind.unknown_number or kind.opted_out
        groups = [] if special else alike.find_named(session, gateway, kind, [lot.provider_ids[n] for lot, n in its])
        found += [(told, its) for told in groups]
        left += [] if groups else its
    whole = [told.messages for told, _ in found if told.is_whole]
    if len(whole) > 1:
        # in one order, whatever is said of them; those of one group are moved in it
        holding.lock(session, Joined.all_of(whole))
    delivered: set[str] = set()
    for told, its in found:
        if told.is_whole and _move_whole(session, told, now=now):
            delivered.update(told.msisdns if told.state == ReceiptState.DELIVERED else ())
        elif not told.is_known:
            left += [its[int(number) - 1] for number in told.receipts.told.split(",")]
    _keep_rows(session, _by_clock([lot.row(n) for lot, n in left]))
    _tell_registry(session, [], delivered, now=now)
    return sum(len(lot.of) for lot in taken)


def _by_clock(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rows with their numbers dealt out anew, by the carrier's clock and as they came: so they are applied."""
    in_order = sorted(rows, key=itemgetter("done", "id"))
    return [row | {"id": id_} for id_, row in zip(sorted(row["id"] for row in rows), in_order, strict=True)]


def _torn(of: Mapping[tuple[str, Kind], list[tuple[Lot, int]]]) -> list[tuple[Lot, int]]:
    """Take out what lots say of ids of which they say more than one last thing: the first is to count. Returns it."""
    said: dict[str, set[str]] = defaultdict(set)
    torn: dict[str, set[str]] = defaultdict(set)
    last = [key for key in of if STATE_OF[key[1].state] in FINAL]
    for key in last if len(last) > 1 else ():
        ids = {lot.provider_ids[n] for lot, n in of[key]}
        torn[key[0]] |= said[key[0]] & ids
        said[key[0]] |= ids
    taken_out: list[tuple[Lot, int]] = []
    for (gateway, _), its in of.items():
        if torn[gateway]:
            taken_out += [each for each in its if each[0].provider_ids[each[1]] in torn[gateway]]
            its[:] = [each for each in its if each[0].provider_ids[each[1]] not in torn[gateway]]
    return taken_out


def _apply_rows(session: Session, up_to: int, limit: int, *, now: datetime) -> int:
    taken = _take(session, up_to, limit)
    if not taken.count:
        return 0
    found = alike.find(session, taken)
    rows = _read(session, Joined.all_of(told.receipts for told in found if not told.is_whole))
    place_of = _match(session, rows)
    whole = [told for told in found if told.is_whole]
    one_by_one = Joined.of({place.message_id for place in place_of.values()})
    holding.lock(session, Joined.all_of([one_by_one, *(told.messages for told in whole)]))
    delivered: set[str] = set()
    for told in whole:
        if _move_whole(session, told, now=now):
            delivered.update(told.msisdns if told.state == ReceiptState.DELIVERED else ())
        else:
            # somebody was quicker than the lock
            others = _read(session, told.receipts)
            place_of |= _match(session, others)
            rows |= others
    moved = _apply_each(session, rows, place_of, now=now)
    _tell_registry(session, moved, delivered, now=now)
    session.execute(_no_longer_waiting(is_sqlite(session)), {"ids": id_list(session, taken)})
    return taken.count


def _move_whole(session: Session, told: Told, *, now: datetime) -> bool:
    to = _move(told.state, told.code, told.reason, told.permanent)
    were = Alike(told.campaign_id, told.gateway, State.SUBMITTED, told.parts_each)
    return transitions.move_whole(session, were, to, told.parts, told.messages, now=now)


@cache
def _no_longer_waiting(sqlite: bool) -> Executable:
    gone = delete(ReceiptWaiting).where(one_of_ids(ReceiptWaiting.inbox_id, sqlite=sqlite))
    return gone.execution_options(synchronize_session=False)


#: a receipt, the number that it is about, and which part of its message
_About = tuple[Any, str | None, int]


def _apply_each(
    session: Session, rows: Mapping[int, Any], place_of: Mapping[int, _Place], *, now: datetime
) -> list[_About]:
    """Apply receipts one by one: what stands already may say more, or other things. Returns what moved a part."""
    if not rows:
        return []
    held = holding.hold(session, {place_of[id_].message_id for id_ in rows if id_ in place_of})
    states = {part.id: part.state for part in held.parts.values()}
    outcomes: dict[InboxState, list[int]] = defaultdict(list)
    moves: dict[int, Any] = {}
    strangers = []
    for id_, row in rows.items():
        place = place_of.get(id_)
        if place is None or place.part_id not in states:
            strangers.append(id_)
            continue
        to = STATE_OF[row.state]
        current = states[place.part_id]
        if advance(current, to) is not None:
            states[place.part_id] = to
            moves[place.part_id] = row
        else:
            outcomes[InboxState.CONFLICT if contradicts(current, to) else InboxState.STALE].append(id_)
    _write_moves(session, held, moves, now=now)
    tell_strangers(session, [rows[id_] for id_ in strangers])
    tell_contradictions([rows[id_] for id_ in outcomes.get(InboxState.CONFLICT, ())])
    insert_all(session, ReceiptOrphan, [{"inbox_id": id_, "since": now, "due": now} for id_ in strangers])
    for outcome, ids in outcomes.items():
        session.execute(
            update(ReceiptInbox)
            .where(among(session, ReceiptInbox.id, ids))
            .values(outcome=outcome)
            .execution_options(synchronize_session=False)
        )
    moved = [(row, held.parts[part_id]) for part_id, row in moves.items()]
    return [(row, held.messages[part.message_id].msisdn, part.number) for row, part in moved]


def _take(session: Session, up_to: int, limit: int) -> Joined:
    """The next that wait, held until the commit; those that somebody else has in hand are passed over."""
    taken, count = session.execute(_NEXT, {"last": up_to, "most": limit}).one()
    return Joined(taken or "", count)


_NO_LAST = 2**63 - 1
_WAITING = (
    select(ReceiptWaiting.inbox_id)
    .where(ReceiptWaiting.inbox_id <= bindparam("last"))
    .order_by(ReceiptWaiting.inbox_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .subquery()
)
_NEXT = select(func.aggregate_strings(cast(_WAITING.c.inbox_id, Text), ","), func.count())


def _read(session: Session, receipts: Joined) -> dict[int, Any]:
    """These receipts with their parts, by inbox id."""
    if not receipts.count:
        return {}
    taken = session.execute(_rows_with_parts(is_sqlite(session)), {"ids": id_list(session, receipts)}).all()
    rows = {row.id: row for row in taken}
    return rows | by_number(taken) if len(taken) > len(rows) else rows


@cache
def _rows_with_parts(sqlite: bool) -> Executable:
    inbox = ReceiptInbox
    return (
        select(
            inbox.id,
            inbox.gateway,
            inbox.provider_id,
            inbox.state,
            inbox.msisdn,
            inbox.client_reference,
            inbox.code,
            inbox.reason,
            inbox.permanent,
            inbox.unknown_number,
            inbox.opted_out,
            Part.id.label("part_id"),
            Part.message_id,
            Message.msisdn.label("recipient"),
        )
        .outerjoin(Submission, (Submission.provider_id == inbox.provider_id) & (Submission.gateway == inbox.gateway))
        .outerjoin(Part, Part.id == Submission.part_id)
        .outerjoin(Message, Message.id == Part.message_id)
        # the ids by themselves: joined to what waits, the database would go through the whole inbox in its order
        .where(one_of_ids(inbox.id, sqlite=sqlite))
        # a carrier that counts round gives an id again: then the newest part is meant, which comes last
        .order_by(inbox.id, Part.id)
    )


class _Place(NamedTuple):
    """The part that a receipt is for, and its message."""

    part_id: int
    message_id: int


def _match(session: Session, rows: Mapping[int, Any]) -> dict[int, _Place]:
    """Whose each receipt is, by inbox id: by the carrier's id, else by our own reference.

    A gateway only ever reaches its own parts. What is left over is an orphan, and looked at again later.
    """
    matched = {row.id: _Place(row.part_id, row.message_id) for row in rows.values() if row.part_id is not None}
    if len(matched) == len(rows):
        return matched
    found = _by_reference(session, [row for row in rows.values() if row.id not in matched])
    learn(session, [(rows[id_], place.part_id) for id_, place in found.items()])
    return matched | found


def reference_of(row: Any) -> int | None:
    """The part that a receipt names by our own reference, if it names one."""
    told = row.client_reference or ""
    return int(told[1:]) if re.fullmatch(r"p[0-9]{1,18}", told) else None


def _by_reference(session: Session, rows: Sequence[Any]) -> dict[int, _Place]:
    """Receipts that echo our reference, also when they overtake the answer to their submit.

    Number and carrier's id must not speak against it: a carrier may tell of parts of an older database.
    """
    claimed = {row.id: part_id for row in rows if (part_id := reference_of(row)) is not None}
    if not claimed:
        return {}
    parts = {
        part.id: part
        for part in session.execute(
            select(Part.id, Part.message_id, Part.gateway, Message.msisdn, Submission.provider_id)
            .join(Message, Message.id == Part.message_id)
            .outerjoin(Submission, Submission.part_id == Part.id)
            .where(among(session, Part.id, sorted(set(claimed.values()))))
        )
    }
    return {
        row.id: _Place(part.id, part.message_id)
        for row in rows
        if row.id in claimed
        and (part := parts.get(claimed[row.id])) is not None
        and part.gateway == row.gateway
        and row.msisdn in (None, part.msisdn)
        and part.provider_id in (None, row.provider_id)
    }


def learn(session: Session, pairs: Sequence[tuple[Any, int]]) -> None:
    """A receipt told us the id that a lost answer would have: later receipts find the part by it."""
    rows = [{"part_id": part, "gateway": row.gateway, "provider_id": row.provider_id} for row, part in pairs]
    insert_all(session, Submission, rows, ignore_known=True)


def _write_moves(session: Session, held: Held, rows: Mapping[int, Any], *, now: datetime) -> None:
    moves = {part_id: _move(row.state, row.code, row.reason, row.permanent) for part_id, row in rows.items()}
    former = transitions.move(session, held, moves, now=now)
    settle_doubts(session, [part for part, state in former.items() if state is State.UNKNOWN], by="receipt", now=now)
    # its answer may never come any more
    undated = [part for part, state in former.items() if state in (State.UNKNOWN, State.SUBMITTING)]
    date_hand_over(session, undated, now=now)


@lru_cache(1000)
def _move(state: str, code: str | None, reason: str | None, permanent: bool | None) -> Move:
    # most receipts say the same
    return Move(STATE_OF[state], code, reason, permanent)


def _tell_registry(session: Session, told: Sequence[_About], whole: Collection[str], *, now: datetime) -> None:
    """Which numbers were reached, which nobody has (a message counts once, by its first part), who wants nothing.

    `whole`: numbers that a message of which nothing else was told has reached.
    """
    delivered = set(whole)
    unknown: dict[str, int] = {}
    refused: dict[str, consent.Said] = {}
    for row, msisdn, number in sorted(told, key=lambda each: each[0].id):
        if msisdn is None:
            continue
        if row.opted_out:
            refused[msisdn] = consent.Said(msisdn, Wish.OUT, "carrier", row.code)
        elif row.state == ReceiptState.DELIVERED:
            delivered.add(msisdn)
            # what was said before it does not count any more
            unknown.pop(msisdn, None)
        elif row.unknown_number and number == 1:
            unknown[msisdn] = unknown.get(msisdn, 0) + 1
    numbers.note_receipts(session, delivered=delivered, unknown=unknown, now=now)
    consent.record_many(session, SYSTEM, refused.values(), now=now)
