"""What waits at a gateway through which nothing leaves goes on by the next one of its route.

Only what has certainly not left moves: what is in doubt, and the rest of a text of which a part has left, stay where
they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import tally, transitions
from broadcaster.delivery.control import submit_queue
from broadcaster.delivery.holding import hold
from broadcaster.delivery.locks import Locks
from broadcaster.delivery.models import Batch, Kind, Message, Outage
from broadcaster.delivery.obstacles import PATIENCE, blocked
from broadcaster.delivery.recording import insert_or_ignore
from broadcaster.delivery.snapshot import plan
from broadcaster.delivery.states import State
from broadcaster.delivery.tally import Cell
from broadcaster.delivery.transitions import Move
from broadcaster.language import msgid
from subscribers.db import among, wake

#: messages, and batches, of a campaign in one transaction: whoever pauses it waits for that
AT_ONCE, BATCHES = 20_000, 100

NOTE = msgid("Nothing leaves through {gateway}: what waited there goes on by {other}.")


def watch(session: Session, locks: Locks, *, now: datetime) -> dict[str, datetime]:
    """Write down which gateways nothing leaves through although something waits there. Since when, by gateway."""
    started = Campaign.state == CampaignState.SENDING, Campaign.started_at <= now - PATIENCE
    waiting = (
        select(Batch.gateway).join(Campaign, Campaign.id == Batch.campaign_id).where(*started, Batch.done.is_(False))
    )
    waited = set(session.scalars(waiting.distinct()))
    troubled = [each.gateway for each in blocked(session, locks, waited, now=now)]
    known = dict(session.execute(select(Outage.gateway, Outage.since)).all())
    over = known.keys() - set(troubled)
    if over:
        session.execute(delete(Outage).where(Outage.gateway.in_(over)))
    new = [{"gateway": gateway, "since": now} for gateway in troubled if gateway not in known]
    if new:
        session.execute(insert_or_ignore(session, Outage), new)
    return {gateway: known.get(gateway, now) for gateway in troubled}


def move_on(
    session: Session,
    route_of: Callable[[Campaign], Route],
    outages: Mapping[str, datetime],
    *,
    after: timedelta,
    now: datetime,
) -> int:
    """Give what has waited so long to the next gateway of each campaign's route. Returns how many messages."""
    given_up = [gateway for gateway, since in outages.items() if since <= now - after]
    waiting = (
        select(Batch.campaign_id, Batch.gateway)
        .where(Batch.gateway.in_(given_up), Batch.done.is_(False), Batch.campaign_id.is_not(None))
        .distinct()
        .order_by(Batch.campaign_id, Batch.gateway)
    )
    moved = 0
    for campaign_id, gateway in session.execute(waiting).all():
        # as whoever stops it: no claim slips in between the look and the move
        campaign = session.scalar(
            select(Campaign)
            .where(Campaign.id == campaign_id, Campaign.state == CampaignState.SENDING)
            .with_for_update()
        )
        other = campaign and route_of(campaign).after(gateway, given_up)
        if campaign and other:
            n = _move(session, campaign, gateway, other, now=now)
            moved += n
            if n:
                campaign.note = NOTE
                campaign.note_fields = {"gateway": gateway, "other": other}
    return moved


def _move(session: Session, campaign: Campaign, gateway: str, other: str, *, now: datetime) -> int:
    open_ = Batch.campaign_id == campaign.id, Batch.gateway == gateway, Batch.done.is_(False)
    moved: list[int] = []
    for batch in session.scalars(select(Batch).where(*open_).order_by(Batch.id).limit(BATCHES).with_for_update()):
        queued = (
            Message.id.between(batch.cursor, batch.high),
            Message.campaign_id + 0 == campaign.id,
            Message.gateway == gateway,
            Message.state == State.QUEUED,
        )
        found = session.execute(
            select(Message.id, Message.parts).where(*queued).order_by(Message.id).limit(AT_ONCE)
        ).all()
        ids = [row.id for row in found if not row.parts]
        begun = [row.id for row in found if row.parts]
        ids += _unwritten(session, begun, now=now)
        # at once: another batch may cover some of them, too
        session.execute(
            update(Message)
            .where(among(session, Message.id, ids))
            .values(gateway=other)
            .execution_options(synchronize_session=False)
        )
        moved += ids
        batch.done = len(ids) == len(found) < AT_ONCE
        if len(moved) >= AT_ONCE:
            break
    cell = Cell(campaign.id, Kind.MESSAGE, gateway, State.QUEUED)
    tally.add(session, {cell: -len(moved), cell._replace(gateway=other): len(moved)})
    plan(session, campaign, [(other, id_) for id_ in moved])
    wake(session, submit_queue(other))
    return len(moved)


def _unwritten(session: Session, message_ids: Collection[int], *, now: datetime) -> list[int]:
    """Begin a new attempt of those of which no part has left: another gateway may want other parts. Returns which."""
    held = hold(session, message_ids)
    whole, parts = [], []
    for message in held.messages.values():
        mine = [part for part in message.pieces if part.attempt == message.attempt]
        if all(part.state is State.QUEUED for part in mine):
            whole.append(message)
            parts += mine
    # they stay in the ledger: a number that was given to one is given to no other
    transitions.move(session, held, {part.id: Move(State.CANCELLED) for part in parts}, now=now)
    transitions.try_again(session, whole)
    return [message.id for message in whole]
