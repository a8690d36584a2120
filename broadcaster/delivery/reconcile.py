"""What nobody was told of: work without a hint, owners who died, receipts that came too early or never, campaigns that
are done.

Every function may run at any time, as often as one likes, in several processes at once.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import PREPARE, move
from broadcaster.campaigns.states import UNDER_WAY, CampaignState
from broadcaster.delivery import holding, journal, owners, tally, transitions
from broadcaster.delivery.control import submit_queue
from broadcaster.delivery.locks import Locks
from broadcaster.delivery.models import Batch, Doubt, Kind, Message, Owner, Part, Turn
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.snapshot import plan
from broadcaster.delivery.states import AWAITED, State
from broadcaster.delivery.transitions import Move
from subscribers.db import wake

#: so many messages are taken up again at once
_HEALED = 50_000
#: so many parts of a campaign become overdue in one transaction
OVERDUE = 20_000


def take_over(
    session: Session, locks: Locks, journals: Path, may_bury: Callable[[Owner], bool] = lambda _: True, *, now: datetime
) -> int:
    """Bury the owners whose lock can be had. Returns the parts that are in doubt because of it.

    `journals`: the folder where owners of this machine note what leaves. `may_bury` is asked about those who noted
    theirs elsewhere: a machine that has the journal leaves fewer in doubt.
    """
    doubtful = 0
    for owner in owners.living(session):
        if not locks.is_free(session, owner.id):
            continue
        evidence = journal.read(owners.journal_of(journals, owner.id), owner.token or "")
        if evidence is not None or owner.host == socket.gethostname() or may_bury(owner):
            doubtful += owners.bury(session, owner.id, evidence, now=now)
    return doubtful


def wake_forgotten(session: Session, *, now: datetime) -> None:
    """Hint again at everything that is due and open in the database: a queue may have been lost."""
    unfinished = select(Campaign.id).where(Campaign.state.in_(UNDER_WAY), Campaign.prepared_at.is_(None))
    for campaign_id in session.scalars(unfinished):
        wake(session, PREPARE, [campaign_id])
    due = (
        select(Batch.gateway)
        .outerjoin(Campaign, Campaign.id == Batch.campaign_id)
        .where(
            Batch.done.is_(False),
            or_(Batch.not_before.is_(None), Batch.not_before <= now),
            or_(Batch.campaign_id.is_(None), Campaign.state == CampaignState.SENDING),
        )
        .distinct()
    )
    for gateway in session.scalars(due):
        wake(session, submit_queue(gateway))


def expire(
    session: Session,
    timeouts: Mapping[str, timedelta],
    looked: dict[tuple[str, int | None], datetime],
    *,
    now: datetime,
) -> int:
    """Parts whose receipt is overdue become `no_receipt`; a late one may still tell. Returns how many parts.

    `timeouts` is how long each gateway's receipts may take. `looked`: when this process looked last, by gateway and
    campaign; a look goes through all that a campaign has sent, so that there is one in a hundredth of that time.
    """
    go_by_keys(session)
    message_of: dict[int, int] = {}
    for gateway, timeout in timeouts.items():
        # one after the other: a condition for all of them at once is on no key, and looks through years of messages
        for campaign_id in (None, *_old_and_awaiting(session, gateway, now - timeout)):
            last = looked.get((gateway, campaign_id))
            if last is not None and timedelta() <= now - last < timeout / 100:
                continue
            found = session.execute(
                select(Part.id, Part.message_id)
                .join(Message, Message.id == Part.message_id)
                .where(
                    Message.campaign_id == campaign_id,
                    Message.gateway == gateway,
                    Message.state.in_((*AWAITED, State.UNKNOWN)),
                    Part.state.in_(AWAITED),
                    Part.submitted_at <= now - timeout,
                )
                .limit(OVERDUE)
            ).all()
            message_of |= {row.id: row.message_id for row in found}
            if len(found) < OVERDUE:
                looked[gateway, campaign_id] = now
    held = holding.hold(session, set(message_of.values()))
    return len(transitions.move(session, held, dict.fromkeys(message_of, Move(State.NO_RECEIPT)), now=now))


def _old_and_awaiting(session: Session, gateway: str, old: datetime) -> list[int]:
    """Campaigns that began before it, and have parts at this gateway whose receipt has not come."""
    ids = session.scalars(select(Campaign.id).where(Campaign.started_at <= old, Campaign.closed_at.is_(None))).all()
    return sorted(
        {
            cell.campaign_id
            for cell in tally.figures(session, ids)
            if cell.kind is Kind.PART and cell.gateway == gateway and cell.state in AWAITED
        }
    )


def finish(session: Session, timeouts: Mapping[str, timedelta], *, now: datetime) -> list[int]:
    """Move campaigns on whose work is done: sending to sent, sent to closed. Returns the ids that moved."""
    moved = []
    _fold(session)
    # those that another sweep has in hand are passed over: it moves them
    whole = Campaign.state == CampaignState.SENDING, Campaign.prepared_at.is_not(None)
    for campaign in session.scalars(select(Campaign).where(*whole).with_for_update(skip_locked=True)).all():
        if not _is_open(session, campaign) and not _heal(session, campaign):
            move(session, campaign, CampaignState.SENT, sent_at=now)
            moved.append(campaign.id)
    patience = max(timeouts.values(), default=timedelta())
    ended = (CampaignState.SENT, CampaignState.ABORTED, CampaignState.CANCELLED)
    for campaign in session.scalars(
        select(Campaign)
        .where(Campaign.state.in_(ended), Campaign.closed_at.is_(None), Campaign.started_at.is_not(None))
        .with_for_update(skip_locked=True)
    ).all():
        if _awaits(session, campaign, patience=patience, now=now):
            continue
        if campaign.state == CampaignState.SENT:
            move(session, campaign, CampaignState.CLOSED, closed_at=now)
        else:
            campaign.closed_at = now
        moved.append(campaign.id)
    return moved


def _fold(session: Session) -> None:
    """Make few rows of the many that campaigns which are going on have left behind."""
    going = select(Campaign.id).where(Campaign.started_at.is_not(None), Campaign.closed_at.is_(None))
    for campaign_id in session.scalars(going).all():
        tally.fold(session, campaign_id)


def _states(session: Session, campaign: Campaign) -> set[State]:
    """Those in which it has messages; nothing is looked through for it."""
    return {cell.state for cell in tally.figures(session, [campaign.id]) if cell.kind is Kind.MESSAGE}


def _is_open(session: Session, campaign: Campaign) -> bool:
    """Whether something of it waits to be claimed or is being handed over; asked of the two small tables."""
    batch = exists().where(Batch.campaign_id == campaign.id, Batch.done.is_(False))
    turn = exists().where(Turn.campaign_id == campaign.id)
    return bool(session.scalar(select(or_(batch, turn))))


def _heal(session: Session, campaign: Campaign) -> bool:
    """Give queued messages that no batch covers a batch again. Returns whether there were any."""
    if State.QUEUED not in _states(session, campaign):
        return False
    stranded = session.execute(
        select(Message.gateway, Message.id)
        .where(Message.campaign_id == campaign.id, Message.state == State.QUEUED, Message.gateway.is_not(None))
        .order_by(Message.id)
        .limit(_HEALED)
    ).all()
    plan(session, campaign, [(str(row.gateway), row.id) for row in stranded])
    return bool(stranded)


def _awaits(session: Session, campaign: Campaign, *, patience: timedelta, now: datetime) -> bool:
    """Whether a receipt may still come. What is in doubt counts until its receipt would be overdue."""
    states = _states(session, campaign)
    if not states.isdisjoint({*AWAITED, State.SUBMITTING}):
        return True
    if State.UNKNOWN not in states:
        return False
    recent = (
        select(Doubt.part_id)
        .join(Part, Part.id == Doubt.part_id)
        .join(Message, Message.id == Part.message_id)
        .where(Message.campaign_id == campaign.id, Doubt.settled_at.is_(None), Doubt.since > now - patience)
    )
    return session.scalar(recent.limit(1)) is not None
