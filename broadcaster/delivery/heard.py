"""What carriers told of parts, as it came: read for people, from the inbox and out of the lots."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from broadcaster.delivery.lots import names, opened
from broadcaster.delivery.models import ReceiptInbox, ReceiptLot


@dataclass(frozen=True, slots=True)
class Heard:
    """One receipt."""

    provider_id: str
    received_at: datetime
    #: in a receipt's own terms
    state: str
    code: str
    #: the carrier's own time in UTC, as ISO 8601; empty where it told none
    done: str
    #: as it came; empty once it is older than texts are kept, or forgotten
    raw: str


def heard(
    session: Session,
    gateway: str,
    provider_ids: Collection[str],
    msisdn: str | None,
    *,
    since: datetime,
    until: datetime,
) -> list[Heard]:
    """Receipts of a gateway for some of its ids, in the order in which they came; none that names another number.

    A carrier may give an id again, to a part for somebody else. Those that came by the hundred are looked for between
    `since` and `until`, lot by lot.
    """
    inbox, lot = ReceiptInbox, ReceiptLot
    rows = select(inbox.provider_id, inbox.received_at, inbox.state, inbox.code, inbox.done, inbox.raw).where(
        inbox.gateway == gateway,
        inbox.provider_id.in_(provider_ids),
        or_(inbox.msisdn.is_(None), inbox.msisdn == msisdn),
    )
    found = {
        Heard(id_, at, state, code or "", _time(done), raw) for id_, at, state, code, done, raw in session.execute(rows)
    }
    named = [names(lot.told, each) for each in provider_ids]
    its = select(lot.id, lot.gateway, lot.received_at, lot.told).where(
        lot.told != "", lot.received_at.between(since, until), lot.gateway == gateway, or_(*named)
    )
    for each in session.execute(its):
        some = opened(*each)
        for n, provider_id in enumerate(some.provider_ids):
            if provider_id in provider_ids and some.msisdns[n] in (None, msisdn):
                kind = some.kinds[some.of[n]]
                # what was left over of a lot is a row as well: the same receipt
                found.add(Heard(provider_id, some.received_at, kind.state, kind.code, _time(some.done[n]), some.raw[n]))
    return sorted(found, key=lambda one: (one.received_at, one.done, one.state))


def _time(done: str) -> str:
    # behind it stands what tells numbers apart
    moment = done.partition(" ")[0]
    return moment if "T" in moment else ""
