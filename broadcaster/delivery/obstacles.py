"""What keeps a campaign from going out: nobody sends for its gateway, or the carrier lets nobody in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import leases
from broadcaster.delivery.locks import Locks
from broadcaster.delivery.models import Batch, Turn
from broadcaster.language import kept
from subscribers.errors import Unavailable

#: a sender has so long to look up before it is said that there is none
PATIENCE = timedelta(seconds=5)
#: a connection that does not stand is tried again and again, and each time it is told why
_OF_LATE = timedelta(minutes=2)
#: characters
_ROOM = 600


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One gateway, and what is wrong there: to be told by `language.retold` and `language.retold_hint`."""

    gateway: str
    trouble: str


def obstacles(session: Session, locks: Locks, campaign_id: int, *, now: datetime) -> list[Obstacle]:
    """Why nothing of this campaign leaves, by gateway; empty while something may, or nothing has to."""
    campaign = session.get_one(Campaign, campaign_id)
    started = campaign.started_at
    if campaign.state != CampaignState.SENDING or started is None or now - started < PATIENCE:
        return []
    waiting = select(Batch.gateway).where(Batch.campaign_id == campaign.id, Batch.done.is_(False))
    # what somebody had in hand who died waits for a sender, too
    in_hand = select(Turn.gateway).where(Turn.campaign_id == campaign.id)
    return blocked(session, locks, set(session.scalars(waiting.union(in_hand))), now=now)


def blocked(session: Session, locks: Locks, gateways: Iterable[str], *, now: datetime) -> list[Obstacle]:
    """Those of these gateways through which nothing can leave, and why."""
    held = leases.holders(session, locks)
    found = []
    for gateway in sorted(gateways):
        trouble = _trouble(gateway, [each for each in held if each.gateway == gateway], now)
        if trouble:
            found.append(Obstacle(gateway, trouble))
    return found


def _trouble(gateway: str, mine: Sequence[leases.Holder], now: datetime) -> str:
    if not mine:
        return kept(
            Unavailable(
                "Gateway {name}: nobody sends for it.",
                hint="`broadsheet up` does, or `broadsheet gateways run {name}`.",
                name=gateway,
            ),
            _ROOM,
        )
    told = [each for each in mine if each.error and each.error_at is not None and now - each.error_at < _OF_LATE]
    if len(told) < len(mine) or any(each.bound_at is not None for each in mine):
        return ""
    return max(told, key=lambda each: each.error_at or now).error or ""
