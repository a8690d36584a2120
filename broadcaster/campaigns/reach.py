"""Who gets which variant before anything goes: how many, whom it cannot reach and why, who is in two.

A small registry is counted. Of a large one a draw is looked at, so that a page can wait for the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import Route, select_audience
from broadcaster.campaigns.belonging import refuse_foreign
from broadcaster.campaigns.models import Campaign
from subscribers import segments
from subscribers.actor import Actor, Right, needs
from subscribers.db import among
from subscribers.models import Member, Membership, Organisation
from subscribers.organisations import in_subtree
from subscribers.registry import standing_on

#: of nobody's variant
_NONE = -1


@dataclass(frozen=True, slots=True)
class VariantReach:
    """The people of one variant."""

    name: str
    #: it is the first one that holds them
    people: int
    reachable: int
    #: reason -> how many are not sent to
    skipped: Mapping[str, int]
    #: an earlier variant -> how many of this one's segment get that one instead
    earlier: Mapping[str, int]
    #: those of them that would have nobody left if this one stood before them
    emptied: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reach:
    """The people of all variants. Where it is not exact, they are told from a draw."""

    variants: Sequence[VariantReach]
    #: of the audience, in no variant
    left_out: int
    is_exact: bool

    @property
    def people(self) -> int:
        """Who get a variant, whether or not they can be sent to."""
        return sum(each.people for each in self.variants)

    @property
    def reachable(self) -> int:
        """To whom it goes."""
        return sum(each.reachable for each in self.variants)


@needs(Right.SEE)
def reach(session: Session, actor: Actor, campaign: Campaign, route: Route, *, on: date) -> Reach:
    """Who gets which variant of a campaign, which need not be stored. Raises `Invalid` for a rule that is gone."""
    refuse_foreign(actor, campaign)
    lot = segments.stand_ins(session, campaign.under, on=on)
    ids, step = (None, 1.0) if lot is None else (lot.ids, lot.step)
    held = _held(session, campaign, ids, on)
    audience = select_audience(session, campaign, route, on=on, only=ids).subquery()
    counted = select(audience.c.variant, audience.c.reason, func.count()).group_by(
        audience.c.variant, audience.c.reason
    )
    told: dict[int, dict[str | None, int]] = {}
    for variant, reason, n in session.execute(counted):
        told.setdefault(variant, {})[reason] = round(n * step)
    names = {each.position: each.name for each in campaign.variants}
    variants = []
    for at, each in enumerate(campaign.variants):
        reasons = told.get(each.position, {})
        variants.append(
            VariantReach(
                each.name,
                sum(reasons.values()),
                reasons.get(None, 0),
                {reason: n for reason, n in reasons.items() if reason and n},
                {
                    names[first]: round(row[at] * step)
                    for first, row in held.items()
                    if first not in (_NONE, each.position) and row[at]
                },
                frozenset(
                    names[first]
                    for first, row in held.items()
                    if first not in (_NONE, each.position) and row[at] == row[-1]
                ),
            )
        )
    left_out = held.get(_NONE, [0])[-1]
    return Reach(variants, round(left_out * step), lot is None)


def _held(session: Session, campaign: Campaign, ids: Sequence[int] | None, on: date) -> dict[int, list[int]]:
    """By the variant that people get: how many of them each variant's segment holds, in order, and all of them."""
    conditions = [(segments.condition(session, each.rule, on=on), each.position) for each in campaign.variants]
    first = case(*conditions, else_=literal(_NONE)) if conditions else literal(_NONE)
    sums = [func.count(case((condition, 1))) for condition, _ in conditions]
    query = (
        select(first, *sums, func.count())
        .select_from(Member)
        .join(Membership, Membership.member_id == Member.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(
            standing_on(on),
            in_subtree(Organisation.path, campaign.under),
            segments.condition(session, campaign.rule, on=on),
        )
        .group_by(first)
    )
    if ids is not None:
        query = query.where(among(session, Member.id, ids))
    return {row[0]: list(row[1:]) for row in session.execute(query)}
