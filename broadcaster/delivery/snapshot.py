"""Writing the audience down: one message row per person, in pieces that each stand by themselves."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

from sqlalchemy import String, case, exists, func, insert, literal, null, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import Route, SkipReason, select_audience
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import tally
from broadcaster.delivery.models import Batch, Message, StateType
from broadcaster.delivery.states import State
from subscribers.models import Member

#: members per transaction
PIECE = 50_000
#: messages per batch: a wake-up's worth of work
BATCH = 500


def take(session: Session, campaign: Campaign, route: Route, *, piece: int = PIECE) -> bool:
    """Write the next piece of the audience and its batches. Returns whether there may be more.

    The campaign remembers how far it got in the same transaction, so that a snapshot which is cut off goes on where it
    was and nobody is written down twice.
    """
    if campaign.audience_on is None:
        raise ValueError("the campaign was never started")
    ahead = select(Member.id).where(Member.id > campaign.snapshot_cursor).order_by(Member.id).limit(piece).subquery()
    up_to = session.scalar(select(func.max(ahead.c.id)))
    if up_to is None:
        return False
    people = select_audience(
        session, campaign, route, on=campaign.audience_on, after=campaign.snapshot_cursor, up_to=up_to
    ).subquery()
    has_copy = exists().where(Message.campaign_id == campaign.id, Message.msisdn == people.c.msisdn)
    reason = case(
        (people.c.reason.is_not(None), people.c.reason),
        (has_copy, literal(SkipReason.DUPLICATE_HANDSET.value)),
        else_=null(),
    )
    judged = select(people, reason.cast(String).label("judged")).subquery()
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
    written = session.execute(
        insert(Message)
        .from_select([*columns, "attempt", "parts", "delivered_parts"], rows)
        .returning(Message.id, Message.gateway, Message.state, Message.reason)
    ).all()
    tally.add(session, Counter(tally.message_cell(campaign.id, *row[1:]) for row in written))
    plan(session, campaign, [(row.gateway, row.id) for row in written if row.gateway is not None])
    campaign.snapshot_cursor = up_to
    return True


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
