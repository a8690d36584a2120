"""Writing the audience down: one message row per person, in pieces that each stand by themselves."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from sqlalchemy import ColumnElement, String, Subquery, and_, case, false, func, insert, literal, null, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import Route, SkipReason, select_audience
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import tally
from broadcaster.delivery.models import Batch, Message, StateType
from broadcaster.delivery.plans import go_by_keys
from broadcaster.delivery.states import State
from subscribers.models import Member

#: members per transaction: the first one is small, so that the first part is out soon; no other takes long either,
#: since a person who pauses the campaign waits for it, and on SQLite everybody does
FIRST, PIECE = 2_000, 20_000
#: messages per batch: a wake-up's worth of work
BATCH = 500


def take(session: Session, campaign: Campaign, route: Route, *, piece: int | None = None) -> bool:
    """Write the next piece of the audience and its batches. Returns whether there may be more.

    The campaign remembers how far it got in the same transaction, so that a snapshot which is cut off goes on where it
    was and nobody is written down twice.
    """
    if campaign.audience_on is None:
        raise ValueError("the campaign was never started")
    go_by_keys(session)
    piece = piece or (PIECE if campaign.snapshot_cursor else FIRST)
    ahead = select(Member.id).where(Member.id > campaign.snapshot_cursor).order_by(Member.id).limit(piece)
    if campaign.audience_up_to is not None:
        ahead = ahead.where(Member.id <= campaign.audience_up_to)
    up_to = session.scalar(select(func.max(ahead.subquery().c.id)))
    if up_to is None:
        return False
    people = select_audience(
        session, campaign, route, on=campaign.audience_on, after=campaign.snapshot_cursor, up_to=up_to
    ).subquery()
    before = session.scalar(select(func.max(Message.id))) or 0
    try:
        with session.begin_nested():
            _write(session, campaign, people, known_to_be_shared=people.c.shared)
    except IntegrityError:
        # a number came to somebody else since an earlier piece, or nobody noted that two have it
        _write(session, campaign, people, known_to_be_shared=true())
    _count_and_plan(session, campaign, after=before)
    campaign.snapshot_cursor = up_to
    return True


def _write(session: Session, campaign: Campaign, people: Subquery, *, known_to_be_shared: ColumnElement[bool]) -> None:
    """Write a message for each of these people. Raises `IntegrityError` if a number that is not shared has one.

    Whether an earlier piece has the number already is looked up for each that is shared: for all of them it would be a
    sixth of the time of an audience.
    """
    # looked up for each number: whatever a planner would rather join, it knows nothing of the pieces before this one
    copy = select(Message.id).where(Message.campaign_id == campaign.id, Message.msisdn == people.c.msisdn)
    has_a_copy = and_(known_to_be_shared, copy.limit(1).scalar_subquery().is_not(None))
    reason = case(
        (people.c.reason.is_not(None), people.c.reason),
        (has_a_copy, literal(SkipReason.DUPLICATE_HANDSET.value)),
        else_=null(),
    )
    # an offset keeps it from being put in wherever it is used, and asked each time
    judged = select(people, reason.cast(String).label("judged")).offset(0).subquery()
    skipped = judged.c.judged.is_not(None)
    rows = select(
        literal(campaign.id),
        judged.c.member_id,
        judged.c.variant,
        case((skipped, null()), else_=judged.c.msisdn),
        case((skipped, null()), else_=judged.c.gateway),
        case((skipped, literal(State.SKIPPED, StateType)), else_=literal(State.QUEUED, StateType)),
        judged.c.judged,
        literal(1),
        literal(0),
        literal(0),
    ).order_by(judged.c.member_id)
    columns = ["campaign_id", "member_id", "variant", "msisdn", "gateway", "state", "reason"]
    session.execute(insert(Message).from_select([*columns, "attempt", "parts", "delivered_parts"], rows))


def _count_and_plan(session: Session, campaign: Campaign, *, after: int) -> None:
    """Count what was just written, all ids of it greater than `after`, and make its batches."""
    # found by the range of ids: the campaign's own index holds all that was written before, too
    fresh = Message.id > after, Message.campaign_id + 0 == campaign.id
    cell = Message.gateway, Message.state, Message.reason
    counted = session.execute(select(*cell, func.count()).where(*fresh).group_by(*cell)).all()
    changes: Counter[tally.Cell] = Counter()
    for gateway, state, reason, n in counted:
        changes[tally.message_cell(campaign.id, gateway, state, reason)] += n
    tally.add(session, changes)
    place = func.row_number().over(partition_by=Message.gateway, order_by=Message.id)
    numbered = (
        select(Message.id, Message.gateway, ((place - 1) // BATCH).label("batch"))
        .where(*fresh, Message.state == State.QUEUED)
        .subquery()
    )
    low, high = func.min(numbered.c.id), func.max(numbered.c.id)
    batches = (
        select(literal(campaign.id), numbered.c.gateway, literal(campaign.lane), low, high, low, false())
        .group_by(numbered.c.gateway, numbered.c.batch)
        .order_by(low)
    )
    into = ["campaign_id", "gateway", "lane", "low", "high", "cursor", "done"]
    session.execute(insert(Batch).from_select(into, batches))


def plan(session: Session, campaign: Campaign, messages: list[tuple[str, int]]) -> None:
    """Make batches of these queued messages, given as pairs of gateway and message id."""
    batches = []
    for gateway, group in groupby(sorted(messages), key=lambda pair: pair[0]):
        ids = [message_id for _, message_id in group]
        for start in range(0, len(ids), BATCH):
            low, high = ids[start], ids[min(start + BATCH, len(ids)) - 1]
            batches.append(
                {
                    "campaign_id": campaign.id,
                    "gateway": gateway,
                    "lane": campaign.lane,
                    "low": low,
                    "high": high,
                    "cursor": low,
                    "done": False,
                }
            )
    if batches:
        session.execute(insert(Batch), batches)
