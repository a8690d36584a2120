"""Whose a receipt is, where the carrier's id alone does not tell; and what people should know of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Message, Part, Submission
from broadcaster.logs import get
from subscribers.db import among

log = get(__name__)


def by_number(taken: Sequence[Any]) -> dict[int, Any]:
    """Of the parts that bear one id of the carrier, the newest that went to the number of the receipt, by inbox id.

    `taken` has a row for each receipt and part, the newest part last. Where no number agrees, the newest is left.
    """
    newest = {row.id: row for row in taken}
    chosen = {row.id: row for row in taken if row.recipient == row.msisdn}
    # a carrier that counts round gives an id again, months later: nobody has to do anything about that
    older = [row for row in chosen.values() if row.part_id != newest[row.id].part_id]
    _warn(
        "one id for several parts: their numbers tell whose a receipt is",
        older,
        "Ask the carrier for ids that an account is given once: it seems to count anew on each connection.",
    )
    return chosen


def tell_contradictions(rows: Sequence[Any]) -> None:
    """Receipts that name another end than the known one change nothing, and something is wrong all the same."""
    _warn(
        "receipts that contradict what was told before",
        rows,
        "Nothing was changed; `campaigns trace` shows both. Does the carrier give ids again, and to whom?",
    )


def _warn(what: str, rows: Sequence[Any], hint: str) -> None:
    if rows:
        log.warning(what, gateways=sorted({row.gateway for row in rows}), receipts=len(rows), hint=hint)


def recipients(session: Session, provider_ids: Collection[str]) -> list[tuple[str, str, str | None]]:
    """Who has got what carriers call so: gateway, the carrier's id, number; several where an id was given again.

    In two steps: a planner that expects many rows of these ids would begin at the parts, and go through all of them.
    """
    called = session.execute(
        select(Submission.part_id, Submission.gateway, Submission.provider_id).where(
            among(session, Submission.provider_id, sorted(provider_ids))
        )
    ).all()
    if not called:
        return []
    to = select(Part.id, Message.msisdn).join(Message, Message.id == Part.message_id)
    msisdns = dict(session.execute(to.where(among(session, Part.id, sorted({row.part_id for row in called})))).all())
    return [(row.gateway, row.provider_id, msisdns[row.part_id]) for row in called if row.part_id in msisdns]


def tell_strangers(session: Session, strangers: Sequence[Any]) -> None:
    """A receipt for another gateway's message moves nothing. That it came tells of settings that a person mends."""
    told = {(row.provider_id, row.msisdn): row.gateway for row in strangers if row.msisdn}
    if not told:
        return
    found = recipients(session, {provider_id for provider_id, _ in told})
    of = Counter((told.get((provider_id, msisdn)), gateway) for gateway, provider_id, msisdn in found)
    for (gateway, other), n in of.items():
        if gateway not in (None, other):
            log.warning(
                "receipts for another gateway's messages",
                gateway=gateway,
                of=other,
                receipts=n,
                hint="Nothing was changed. Compare the addresses and accounts of both, and where each carrier calls.",
            )
