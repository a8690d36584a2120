"""What a campaign that is being sent prints: its texts for the messages of a claim, filled in, dressed and cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, Table, and_, bindparam, func, select
from sqlalchemy.orm import Session

from broadcaster.campaigns import dress, profiles, render
from broadcaster.campaigns.audience import SkipReason
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Campaign, CampaignDress, CampaignVariant
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery.pieces import Sender, Waiting
from broadcaster.gateways.contract import Capabilities

_CAMPAIGN: Table = Campaign.__table__  # type: ignore[assignment]
_DRESS: Table = CampaignDress.__table__  # type: ignore[assignment]
_VARIANT: Table = CampaignVariant.__table__  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Printing:
    """A campaign as it was frozen when it started, for one gateway."""

    campaign_id: int
    audience_on: date
    worn: Dress
    #: what its texts are cut for
    capabilities: Capabilities
    #: by their position
    variants: Mapping[int, Any]
    #: see `Campaign`
    rehearsed: Mapping[str, bool] | None


def hold(session: Session, campaign_id: int, sender: Sender) -> Printing | None:
    """The campaign, kept from being paused until this claim has committed; None when someone is at it already.

    Whoever writes its audience down meanwhile is in nobody's way.

    It is not waited for: an abort that holds the campaign may be waiting for the batch that we hold.
    """
    rows: Sequence[Any] = session.execute(_HELD, {"campaign": campaign_id, "way": sender.gateway}).all()
    if not rows:
        return None
    row = rows[0]
    worn, can = Dress(row.signature, row.opt_out), sender.capabilities
    if row.place is not None:
        worn, can = profiles.as_kept(row, sender.capabilities)
    return Printing(campaign_id, row.audience_on, worn, can, {each.position: each for each in rows}, row.rehearsed)


def _held() -> Select[Any]:
    c, d, v = _CAMPAIGN.c, _DRESS.c, _VARIANT.c
    signature, opt_out = func.coalesce(d.signature, c.signature), func.coalesce(d.opt_out, c.opt_out)
    return (
        select(c.audience_on, c.rehearsed, signature.label("signature"), opt_out.label("opt_out"))
        .add_columns(d.place, d.alphabet, d.reference_bits, v.position, v.source, v.context)
        .outerjoin_from(_CAMPAIGN, _DRESS, and_(d.campaign_id == c.id, d.gateway == bindparam("way")))
        .outerjoin(_VARIANT, v.campaign_id == c.id)
        .where(c.id == bindparam("campaign"), c.state == CampaignState.SENDING)
        .with_for_update(of=_CAMPAIGN, read=True, key_share=True, skip_locked=True)
    )


# made once: putting a statement together takes as long as sending it
_HELD = _held()


def print_texts(session: Session, printing: Printing, messages: Sequence[Waiting]) -> dict[SkipReason, list[int]]:
    """Give these messages their texts. Returns the ids of those who get none, by why.

    Somebody has lost a value since the check; or is gone, because they were forgotten, or their import was taken back,
    at the very moment in which the audience was written down.
    """
    by_variant: dict[int, list[Waiting]] = {}
    for message in messages:
        by_variant.setdefault(message.variant, []).append(message)
    fields = frozenset[str]().union(*(render.reader_fields(printing.variants[position]) for position in by_variant))
    readers = render.readers_of(session, [m.member_id for m in messages], on=printing.audience_on, fields=fields)
    lost: list[int] = []
    gone: list[int] = []
    if len(readers) < len(messages):
        gone = [message.id for message in messages if message.member_id not in readers]
        by_variant = {
            position: [message for message in mine if message.member_id in readers]
            for position, mine in by_variant.items()
        }
    for position, mine in by_variant.items():
        bodies, lacking = render.render_whole(printing.variants[position], [readers[m.member_id] for m in mine])
        if lacking:
            lost += [mine[index].id for index in lacking]
            mine = [message for index, message in enumerate(mine) if index not in lacking]
        for message, cut in zip(mine, dress.handed_over(printing.worn, bodies, printing.capabilities), strict=True):
            message.cut = cut
    return {SkipReason.MISSING_VALUE: lost, SkipReason.LEFT_SEGMENT: gone}
