"""Asking a carrier about parts of whose end it has not told us: a hook that was down is not called again.

Which parts, and what the answers settle; the asking itself is between the two, with no transaction open.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import receipts
from broadcaster.delivery.models import Doubt, Message, Part, Submission
from broadcaster.delivery.states import AWAITED, State
from broadcaster.gateways.contract import Question
from broadcaster.gateways.events import Reason, Receipt

#: a part without a final receipt for so long is asked about
AWAITED_FOR = timedelta(minutes=30)
#: so long after its hand-over a part in doubt is looked for: until then the carrier may still be writing it down
IN_DOUBT_FOR = timedelta(minutes=1)
#: and for no longer: then it is a person's to settle
GIVEN_UP_AFTER = timedelta(days=3)
#: questions of one round
ROUND = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the part that it is about."""

    part_id: int
    question: Question


def questions(session: Session, gateway: str, *, after: int = 0, limit: int = ROUND, now: datetime) -> list[Asked]:
    """What to ask this gateway now: parts in order of their ids, from behind `after`."""
    found = [
        *_awaited(session, gateway, after=after, limit=limit, now=now),
        *_in_doubt(session, gateway, after=after, limit=limit, now=now),
    ]
    return sorted(found, key=lambda asked: asked.part_id)[:limit]


def settle(
    session: Session,
    gateway: str,
    asked: Sequence[Asked],
    told: Sequence[Receipt],
    reasons: Mapping[str, Reason],
    *,
    now: datetime,
) -> int:
    """Take the answers in as receipts, those in doubt only if nothing else can be meant. Returns how many."""
    certain = {each.question.client_reference for each in asked if each.question.message_id is not None}
    taken = _ids_in_use(session, gateway, {receipt.message_id for receipt in told})
    open_ = [receipt for receipt in told if receipt.client_reference not in certain and receipt.message_id not in taken]
    kept = [receipt for receipt in told if receipt.client_reference in certain]
    kept += _only_candidates(open_)
    receipts.record(session, kept, reasons, now=now)
    return len(kept)


def _only_candidates(told: Sequence[Receipt]) -> list[Receipt]:
    """Those that are the only one for their part, and for no other part. Pure."""
    by_reference: dict[str | None, list[Receipt]] = defaultdict(list)
    for receipt in told:
        by_reference[receipt.client_reference].append(receipt)
    wanted = Counter(receipt.message_id for receipt in told)
    return [own[0] for own in by_reference.values() if len(own) == 1 and wanted[own[0].message_id] == 1]


def _awaited(session: Session, gateway: str, *, after: int, limit: int, now: datetime) -> list[Asked]:
    old = now - AWAITED_FOR
    # through the campaigns that are open: no index knows the state of a part
    open_campaigns = select(Campaign.id).where(Campaign.started_at <= old, Campaign.closed_at.is_(None))
    rows = session.execute(
        select(Part.id, Part.text, Part.submitted_at, Message.msisdn, Submission.provider_id)
        .join(Message, Message.id == Part.message_id)
        .join(Submission, Submission.part_id == Part.id)
        .where(
            Part.id > after,
            or_(Message.campaign_id.in_(open_campaigns), Message.campaign_id.is_(None)),
            Part.gateway == gateway,
            Part.state.in_(AWAITED),
            Part.submitted_at <= old,
            Message.msisdn.is_not(None),
        )
        .order_by(Part.id)
        .limit(limit)
    )
    return [_asked(row.id, row.msisdn, row.text, row.submitted_at, row.provider_id) for row in rows]


def _in_doubt(session: Session, gateway: str, *, after: int, limit: int, now: datetime) -> list[Asked]:
    rows = session.execute(
        select(Part.id, Part.text, Doubt.since, Doubt.msisdn)
        .join(Part, Part.id == Doubt.part_id)
        .where(
            Doubt.part_id > after,
            Doubt.gateway == gateway,
            Doubt.settled_at.is_(None),
            Doubt.since.between(now - GIVEN_UP_AFTER, now - IN_DOUBT_FOR),
            Doubt.msisdn != "",
            Part.state == State.UNKNOWN,
        )
        .order_by(Doubt.part_id)
        .limit(limit)
    )
    return [_asked(row.id, row.msisdn, row.text, row.since, None) for row in rows]


def _asked(part_id: int, msisdn: str, text: str, at: datetime, message_id: str | None) -> Asked:
    return Asked(part_id, Question(f"p{part_id}", msisdn, text, at, message_id))


def _ids_in_use(session: Session, gateway: str, message_ids: set[str]) -> set[str]:
    query = select(Submission.provider_id).where(Submission.gateway == gateway, Submission.provider_id.in_(message_ids))
    return set(session.scalars(query)) if message_ids else set()
