"""Receipts that come by the hundred: kept together as they came, in one row, and opened when they are applied.

A row and three keys for each of them were the dearest thing that happened to a part (decision 28). The carrier is told
yes once the lot is kept, as for rows of the inbox.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple
from zlib import crc32

from sqlalchemy import ColumnElement, Table, bindparam, delete, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from broadcaster.delivery.models import InboxState, ReceiptInbox, ReceiptLot, ReceiptLotWaiting
from broadcaster.delivery.states import State
from broadcaster.gateways.events import Reason, Receipt, ReceiptState
from subscribers.db import id_list, is_sqlite, one_of_ids, reserve_ids, unread

_LOT: Table = ReceiptLot.__table__  # type: ignore[assignment]
_WAITING: Table = ReceiptLotWaiting.__table__  # type: ignore[assignment]

#: so many receipts that come at once make a lot; fewer are rows of their own, which tell at once what is a repeat
MANY = 20
#: so many at most: a lot is read as a whole
MOST = 1000

#: so much of what a carrier sent is kept as it came
RAW = 10_000

#: numbers that a connection asks for at once: enough for so many lots of the size
_LOTS_AHEAD = 4


#: where a receipt brings a part
STATE_OF: Mapping[str, State] = {
    ReceiptState.IN_NETWORK: State.IN_NETWORK,
    ReceiptState.DELIVERED: State.DELIVERED,
    ReceiptState.FAILED: State.FAILED,
    ReceiptState.EXPIRED: State.EXPIRED,
    ReceiptState.REJECTED: State.REJECTED,
    # the carrier itself does not know: for the member it did not arrive
    ReceiptState.CARRIER_UNKNOWN: State.FAILED,
}


class Kind(NamedTuple):
    """What a receipt says, apart from whom it is about and when; most of a lot say the same."""

    state: str
    code: str
    #: the code in words
    reason: str | None
    permanent: bool | None
    #: nobody has the number
    unknown_number: bool
    #: whoever has the number wants nothing
    opted_out: bool

    @classmethod
    def of(cls, receipt: Receipt, known: Reason | None) -> Kind:
        """`known`: what its code means."""
        state = receipt.state
        failed = state is ReceiptState.FAILED
        words = None
        if state is ReceiptState.CARRIER_UNKNOWN:
            words = state.value
        elif known is not None and state is not ReceiptState.DELIVERED:
            words = known.words[:200]
        return cls(
            state.value,
            receipt.code[:60],
            words,
            receipt.permanent,
            known is not None and known.unknown_number and failed,
            known is not None and known.opted_out and (failed or state is ReceiptState.REJECTED),
        )


class Kinds:
    """Those of a lot, each looked up once."""

    def __init__(self, reasons: Mapping[str, Reason]) -> None:
        self._reasons = reasons
        self._places: dict[Any, int] = {}
        self.found: list[Kind] = []

    def place(self, receipt: Receipt) -> int:
        """Which of `found` it is."""
        told = receipt.state, receipt.code, receipt.permanent
        place = self._places.get(told)
        if place is None:
            place = self._places[told] = len(self.found)
            self.found.append(Kind.of(receipt, self._reasons.get(receipt.code)))
        return place


@dataclass(slots=True)
class Lot:
    """Receipts of one gateway that came together, column by column."""

    id: int
    gateway: str
    received_at: datetime
    kinds: list[Kind]
    #: of each receipt, its place in `kinds`
    of: list[int]
    provider_ids: list[str]
    #: the carrier's own time in UTC; empty where it tells none
    done: list[str]
    msisdns: list[str | None]
    references: list[str | None]
    raw: list[str]

    def row(self, n: int) -> dict[str, Any]:
        """The receipt at this place, as a row of the inbox."""
        return {
            "id": self.id - len(self.provider_ids) + 1 + n,
            **inbox_row(
                self.gateway,
                self.kinds[self.of[n]],
                self.provider_ids[n],
                self.done[n],
                self.msisdns[n],
                self.references[n],
                self.raw[n],
                self.received_at,
            ),
        }


def inbox_row(
    gateway: str,
    kind: Kind,
    provider_id: str,
    done: str,
    msisdn: str | None,
    reference: str | None,
    raw: str,
    received_at: datetime,
) -> dict[str, Any]:
    """A row of the inbox, which nothing was made of yet."""
    return {
        "gateway": gateway,
        "provider_id": provider_id,
        "state": kind.state,
        "done": _marked(done, msisdn),
        "msisdn": msisdn,
        "client_reference": reference,
        "code": kind.code,
        "reason": kind.reason,
        "permanent": kind.permanent,
        "unknown_number": kind.unknown_number,
        "opted_out": kind.opted_out,
        "raw": raw,
        "received_at": received_at,
        "outcome": InboxState.APPLIED.value,
    }


def _marked(done: str, msisdn: str | None) -> str:
    """The carrier's time, and what tells numbers apart: a carrier that counts anew may give one id to two.

    Sixteen bits of a digest, for they outlive the number itself in this row, and must not lead back to it.
    """
    return f"{done} {crc32(msisdn.encode()) & 0xFFFF:04x}".lstrip() if msisdn else done


def cells(receipt: Receipt) -> tuple[str, str, str | None, str | None, str]:
    """Its id, the carrier's time, number, our reference, what came: each no longer than its column."""
    return (
        receipt.message_id[:100],
        _written(receipt.done_at) if receipt.done_at else "",
        receipt.msisdn[:20] if receipt.msisdn else None,
        receipt.client_reference[:40] if receipt.client_reference else None,
        receipt.raw[:RAW],
    )


@lru_cache(maxsize=1000)
def _written(moment: datetime) -> str:
    # carriers tell minutes, or seconds: thousands of receipts have the same
    # in one zone: moments that are equal share a place here
    return moment.astimezone(UTC).isoformat()


def keep(session: Session, gateway: str, receipts: Sequence[Receipt], kinds: Kinds, *, now: datetime) -> None:
    """Keep receipts of one gateway as one lot."""
    of = [kinds.place(receipt) for receipt in receipts]
    columns = [list(column) for column in zip(*map(cells, receipts), strict=True)]
    told = _written_down(kinds.found, of, *columns)
    last = numbers(session, len(receipts))[-1]
    lot = {"id": last, "gateway": gateway, "receipts": len(receipts), "received_at": now, "told": told}
    if is_sqlite(session):
        session.execute(insert(_LOT), lot)
        session.execute(insert(_WAITING), {"lot_id": last, "receipts": len(receipts)})
    else:
        # nobody reads what comes back: with the beginning of the transaction it is one journey to the server
        with unread(session):
            session.execute(_KEEP, lot)


# both in one: each journey to the server costs as much as fifty receipts
_KEPT = insert(_LOT).values({each.name: bindparam(each.name) for each in _LOT.c}).returning(_LOT.c.id, _LOT.c.receipts)
_KEEP = insert(_WAITING).from_select(["lot_id", "receipts"], select(_KEPT.cte("kept")))


def without(told: str, msisdns: Collection[str], digits: Collection[str], ids: Collection[str]) -> str | None:
    """What a lot says, without number and text of somebody's receipts; None where it tells none of them. Pure.

    Theirs are those for one of these numbers, with one of these `digits` in the text, or for one of these ids of the
    lot's own carrier. They can still be applied, and are still known from others of the same id.
    """
    kinds, of, provider_ids, done, numbers, references, raw = json.loads(told)
    theirs = [
        n
        for n, (provider_id, number, text) in enumerate(zip(provider_ids, numbers, raw, strict=True))
        if (number or text)
        and (provider_id in ids or number in msisdns or any(some_digits in text for some_digits in digits))
    ]
    for n in theirs:
        done[n], numbers[n], raw[n] = _marked(done[n], numbers[n]), None, ""
    return _written_down(kinds, of, provider_ids, done, numbers, references, raw) if theirs else None


def names(told: InstrumentedAttribute[str], provider_id: str) -> ColumnElement[bool]:
    """Whether what a lot says has this id of its carrier in it, or something that is written like it."""
    return told.contains(json.dumps(provider_id, ensure_ascii=False), autoescape=True)


def provider_ids(told: str) -> list[str]:
    """What the carrier calls the parts of a lot, in its order."""
    ids: list[str] = json.loads(told)[2]
    return ids


def _written_down(*columns: Sequence[Any]) -> str:
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":"))


def numbers(session: Session, count: int) -> Sequence[int]:
    """Numbers for so many receipts; none is given twice, to a row or in a lot."""
    if not is_sqlite(session):
        return reserve_ids(session, ReceiptInbox, count, ahead=_LOTS_AHEAD * count)
    # nobody else writes before this transaction ends
    last = max(session.scalar(select(func.max(table.id))) or 0 for table in (ReceiptInbox, ReceiptLot))
    return range(last + 1, last + 1 + count)


def take(session: Session, up_to: int, limit: int) -> list[Lot]:
    """The next lots that nobody has opened, the oldest first, of `limit` receipts or one lot: opened by us now.

    Those that somebody else has in hand are passed over.
    """
    waiting = session.execute(_NEXT, {"last": up_to, "most": limit}).all()
    chosen = [
        lot_id
        for (lot_id, receipts), so_far in zip(waiting, accumulate(row.receipts for row in waiting), strict=True)
        if so_far <= limit or so_far == receipts
    ]
    if not chosen:
        return []
    ids, sqlite = {"ids": id_list(session, chosen)}, is_sqlite(session)
    its = select(ReceiptLot.id, ReceiptLot.gateway, ReceiptLot.received_at, ReceiptLot.told)
    # held: whoever forgets a person at this moment waits for us, and finds in rows what we leave over of them
    its = its.where(one_of_ids(ReceiptLot.id, sqlite=sqlite)).order_by(ReceiptLot.id).with_for_update(read=True)
    lots = session.execute(its, ids).all()
    gone = delete(ReceiptLotWaiting).where(one_of_ids(ReceiptLotWaiting.lot_id, sqlite=sqlite))
    with unread(session):
        session.execute(gone.execution_options(synchronize_session=False), ids)
    return [opened(*lot) for lot in lots if lot.told]


_NEXT = (
    select(ReceiptLotWaiting.lot_id, ReceiptLotWaiting.receipts)
    .where(ReceiptLotWaiting.lot_id <= bindparam("last"))
    .order_by(ReceiptLotWaiting.lot_id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)


def opened(id_: int, gateway: str, received_at: datetime, told: str) -> Lot:
    """A row of the table, taken apart. Raises `ValueError` for one that is emptied."""
    kinds, *columns = json.loads(told)
    return Lot(id_, gateway, received_at, [Kind(*kind) for kind in kinds], *columns)
