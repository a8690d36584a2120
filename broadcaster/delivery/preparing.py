"""Writing the audience of a started campaign down, while it is being sent already."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import move
from broadcaster.campaigns.states import UNDER_WAY, CampaignState
from broadcaster.delivery import snapshot
from broadcaster.delivery.control import stop, wake_senders
from subscribers.errors import BroadsheetError


def prepare(
    session: Session,
    campaign_id: int,
    route: Callable[[Campaign], Route],
    *,
    now: datetime,
    piece: int | None = None,
) -> bool:
    """Write down one piece of the audience; with the first one, let the senders begin. Returns whether there is more.

    `piece`: members at most. Safe to call again at any time, by several workers at once: whoever finds another one at
    it, or a person who stops it, leaves it to them. Claims go on meanwhile.
    """
    campaign = session.scalar(
        select(Campaign)
        .where(Campaign.id == campaign_id, Campaign.state.in_(UNDER_WAY), Campaign.prepared_at.is_(None))
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if campaign is None:
        return False
    try:
        more = snapshot.take(session, campaign, route(campaign), piece=piece)
    except BroadsheetError as error:
        stop(session, campaign_id, error)
        return False
    if not more:
        campaign.prepared_at = now
    session.flush()
    if campaign.state == CampaignState.PREPARING:
        move(session, campaign, CampaignState.SENDING)
    wake_senders(session, campaign)
    return more
