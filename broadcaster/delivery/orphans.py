"""Receipts that fitted no part when they came: they overtook the answer, or the answer was lost.

An answer that is lost takes the carrier's id with it. Such a receipt is given to a part in doubt only if nothing else
can be meant: better a part in doubt than a part that wrongly counts as delivered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import Session

from broadcaster.delivery import memory
from broadcaster.delivery.models import Doubt, Message, Part, ReceiptInbox, ReceiptOrphan, ReceiptWaiting, Submission
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.receipts import APPLY, learn, newest, reference_of
from broadcaster.delivery.states import State
from broadcaster.delivery.whose import recipients
from broadcaster.gateways.contract import Gateway, ListeningGateway
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


def retry(session: Session, gateways: Mapping[str, Gateway] | None = None, *, now: datetime) -> None:
    """Give another chance to those whose part is known by now; and hint at everything that waits to be applied.

    `gateways` are asked what the ids mean, as far as one process or another has learned how its carrier writes them.
    """
    go_by_keys(session)
    _settle_doubts_by_number(session, now=now)
    inbox = ReceiptInbox
    # one look at an index for each: EXISTS may be answered by a table of all ids of the gateway
    its_part = select(Submission.part_id).where(
        Submission.provider_id == inbox.provider_id, Submission.gateway == inbox.gateway
    )
    known = its_part.limit(1).scalar_subquery().is_not(None)
    looked_at = session.execute(
        select(inbox.id, inbox.gateway, inbox.provider_id, inbox.state, inbox.done, inbox.msisdn, known.label("known"))
        .join(ReceiptOrphan, ReceiptOrphan.inbox_id == inbox.id)
        .where(ReceiptOrphan.due <= now)
        .order_by(ReceiptOrphan.due)
        .limit(_MOST)
        .with_for_update(of=ReceiptOrphan, skip_locked=True)
    ).all()
    strangers = {row.id: row for row in looked_at if not row.known}
    mine = _turned(session, gateways or {}, list(strangers.values()))
    _apply_again(session, [row.id for row in looked_at if row.known or row.id in mine])
    _leave_alone(session, sorted(strangers.keys() - mine), now=now)
    if newest(session) is not None:
        wake(session, APPLY)


def look_again(session: Session, gateway: str, *, now: datetime) -> None:
    """Let the next sweep look at all of this gateway: it has learned something about its carrier's ids."""
    go_by_keys(session)
    its = select(ReceiptOrphan.inbox_id).join(ReceiptInbox, ReceiptInbox.id == ReceiptOrphan.inbox_id)
    session.execute(
        update(ReceiptOrphan)
        .where(ReceiptOrphan.inbox_id.in_(its.where(ReceiptInbox.gateway == gateway)))
        .values(due=now)
        .execution_options(synchronize_session=False)
    )


def _turned(session: Session, gateways: Mapping[str, Gateway], strangers: Sequence[Any]) -> set[int]:
    """Keep those whose ids are a part's once they are turned, as the gateway has learned, under these. Returns them."""
    meant = _meant(session, gateways, strangers)
    if not meant:
        return set()
    ours: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for gateway, provider_id, msisdn in recipients(session, set(meant.values())):
        ours[gateway, provider_id].add(msisdn)
    # an id may be another message's in another form: the numbers must not speak against it
    fitting = [
        row
        for row in strangers
        if row.id in meant and (told := ours.get((row.gateway, meant[row.id]))) and row.msisdn in (None, *told)
    ]
    if not fitting:
        return set()
    key = (ReceiptInbox.gateway, ReceiptInbox.provider_id, ReceiptInbox.state, ReceiptInbox.done)
    ids = sorted({meant[row.id] for row in fitting})
    kept = {tuple(row) for row in session.execute(select(*key).where(among(session, ReceiptInbox.provider_id, ids)))}
    renamed, repeats = {}, []
    for row in fitting:
        its_key = (row.gateway, meant[row.id], row.state, row.done)
        if its_key in kept:
            repeats.append(row.id)
        else:
            kept.add(its_key)
            renamed[row.id] = meant[row.id]
    if renamed:
        session.execute(update(ReceiptInbox), [{"id": id_, "provider_id": new} for id_, new in renamed.items()])
    # the carrier has told a process that knew the form as well
    session.execute(delete(ReceiptOrphan).where(among(session, ReceiptOrphan.inbox_id, repeats)))
    return set(renamed)


def _meant(session: Session, gateways: Mapping[str, Gateway], strangers: Sequence[Any]) -> dict[int, str]:
    """The ids that these would have had if the form had been known, where it differs."""
    learned = memory.by_gateway(session) if strangers else {}
    found = {}
    for row in strangers:
        gateway = gateways.get(row.gateway)
        if row.gateway in learned and isinstance(gateway, ListeningGateway):
            answer_id = gateway.answer_id(row.provider_id, learned[row.gateway][0])[:100]
            if answer_id != row.provider_id:
                found[row.id] = answer_id
    return found


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
