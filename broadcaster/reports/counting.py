"""How many messages and parts of campaigns are where: as it was kept for the whole paper, counted for a part of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import tally
from broadcaster.delivery.models import Kind, Message, Part
from broadcaster.delivery.tally import Cell, message_cell
from broadcaster.reports.scope import Scope
from subscribers.db import among


def messages_of(session: Session, campaign_ids: Collection[int], scope: Scope) -> Counter[Cell]:
    """Messages to the members of this part of the tree."""
    if not scope.under:
        return _kept(session, campaign_ids, Kind.MESSAGE)
    found: Counter[Cell] = Counter()
    columns = (Campaign.id, Message.gateway, Message.state, Message.reason)
    for campaign_id, gateway, state, reason, n in session.execute(
        select(*columns, func.count())
        .join(Message, Message.campaign_id == Campaign.id)
        .where(among(session, Campaign.id, campaign_ids), scope.holds(Message.member_id))
        .group_by(*columns)
    ):
        found[message_cell(campaign_id, gateway, state, reason)] += n
    return found


def parts_of(session: Session, campaign_ids: Collection[int], scope: Scope) -> Counter[Cell]:
    """Their parts."""
    if not scope.under:
        return _kept(session, campaign_ids, Kind.PART)
    columns = (Campaign.id, Part.gateway, Part.state)
    rows = session.execute(
        select(*columns, func.count())
        .join(Message, Message.campaign_id == Campaign.id)
        .join(Part, Part.message_id == Message.id)
        .where(among(session, Campaign.id, campaign_ids), scope.holds(Message.member_id))
        .group_by(*columns)
    )
    return Counter({Cell(campaign_id, Kind.PART, gateway, state): n for campaign_id, gateway, state, n in rows})


def _kept(session: Session, campaign_ids: Collection[int], kind: Kind) -> Counter[Cell]:
    return Counter({cell: n for cell, n in tally.figures(session, campaign_ids).items() if cell.kind is kind})
