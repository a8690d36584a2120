"""From a started campaign to one that is being sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.schedule import move
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import snapshot
from broadcaster.delivery.control import stop, wake_senders
from subscribers.errors import BroadsheetError


def prepare(
    session: Session,
    campaign_id: int,
    route: Callable[[Campaign], Route],
    *,
    now: datetime,
    piece: int = snapshot.PIECE,
) -> bool:
    """Write down one piece of the audience; with the last one, let the senders begin. Returns whether there is more.

    Safe to call again at any time, by several workers at once: the row of the campaign is held for the transaction.
    """
    campaign = session.scalar(
        select(Campaign)
        .where(Campaign.id == campaign_id, Campaign.state == CampaignState.PREPARING)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if campaign is None:
        return False
    try:
        more = snapshot.take(session, campaign, route(campaign), piece=piece)
    except BroadsheetError as error:
        stop(session, campaign_id, error)
        return False
    if more:
        return True
    campaign.prepared_at = now
    session.flush()
    move(session, campaign, CampaignState.SENDING)
    wake_senders(session, campaign)
    return False
