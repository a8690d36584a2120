"""Campaigns that were confirmed as rehearsals: whatever their gateway becomes later, they never reach a phone.

Whoever confirmed one was told that nothing leaves. Nobody has said yet that it shall.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from broadcaster.campaigns.check import Way
from broadcaster.campaigns.models import Campaign
from subscribers.errors import Conflict


def as_confirmed(gateways: Iterable[str], ways: Mapping[str, Way]) -> dict[str, bool]:
    """What a campaign that is confirmed now keeps as `Campaign.rehearsed`."""
    return {name: ways[name].rehearses for name in gateways}


def is_held_back(kept: Mapping[str, bool] | None, gateway: str, *, rehearses: bool) -> bool:
    """Whether this gateway must not take what was confirmed so.

    `kept`: `Campaign.rehearsed`. A gateway that was not there then takes nothing of what was a rehearsal throughout.
    """
    if rehearses or not kept:
        return False
    return kept.get(gateway, all(kept.values()))


def refuse_real(campaign: Campaign, gateways: Iterable[str], ways: Mapping[str, Way]) -> None:
    """Raise `Conflict` if by one of these gateways a rehearsal would go out now; one that is gone rehearses nothing."""
    for name in sorted(gateways):
        if is_held_back(campaign.rehearsed, name, rehearses=name in ways and ways[name].rehearses):
            raise only_rehearsed(campaign.id, name)


def only_rehearsed(campaign_id: int, gateway: str) -> Conflict:
    """That it does not go out by this gateway, and what to do; raised, or kept as its note."""
    return Conflict(
        "Campaign {id} was confirmed as a rehearsal, when nothing reached a phone. {gateway} is no gateway for "
        "rehearsing any more, so nothing more of it is sent.",
        hint="`broadsheet campaigns abort {id}` ends it. Then make the send once more: its recipients are counted "
        "again, and you confirm them.",
        id=campaign_id,
        gateway=gateway,
    )
