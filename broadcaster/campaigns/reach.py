"""Who gets which variant before anything goes: how many, whom it cannot reach and why, who is in two.

A small registry is counted. Of a large one a draw is looked at, so that a page can wait for the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, literal, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import Route, SkipReason, select_audience
from broadcaster.campaigns.belonging import refuse_foreign
from broadcaster.campaigns.models import Campaign, CampaignVariant
from subscribers import segments
from subscribers.actor import Actor, Right, needs
from subscribers.db import at_once
from subscribers.drawn import Drawn
from subscribers.models import Member, Membership, Organisation
from subscribers.organisations import in_subtree
from subscribers.registry import standing_on
from subscribers.segments import Known

#: of nobody's variant
_NONE = -1
#: beside the reasons why not
_SENT = "sent"


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
def reach(
    session: Session, actor: Actor, campaign: Campaign, route: Route, *, on: date, known: Known | None = None
) -> Reach:
    """Who gets which variant of a campaign, which need not be stored. Raises `Invalid` for a rule that is gone.

    `known`: what was told before of the same day and part of the tree, see `subscribers.segments.held`.
    """
    refuse_foreign(actor, campaign)
    lot = segments.stand_ins(session, campaign.under, on=on)
    if lot is None:
        return _counted(session, campaign, route, on)
    return _drawn(session, campaign, route, lot, on, {} if known is None else known)


def _counted(session: Session, campaign: Campaign, route: Route, on: date) -> Reach:
    held = _held(session, campaign, on)
    audience = select_audience(session, campaign, route, on=on).subquery()
    counted = select(audience.c.variant, audience.c.reason, func.count()).group_by(
        audience.c.variant, audience.c.reason
    )
    told: dict[int, dict[str | None, int]] = {}
    for variant, reason, n in session.execute(counted):
        told.setdefault(variant, {})[reason] = n
    names = {each.position: each.name for each in campaign.variants}
    variants = []
    for at, each in enumerate(campaign.variants):
        reasons = told.get(each.position, {})
        mine = {first: row for first, row in held.items() if first not in (_NONE, each.position) and row[at]}
        variants.append(
            VariantReach(
                each.name,
                sum(reasons.values()),
                reasons.get(None, 0),
                {reason: n for reason, n in reasons.items() if reason and n},
                {names[first]: row[at] for first, row in mine.items()},
                frozenset(names[first] for first, row in mine.items() if row[at] == row[-1]),
            )
        )
    return Reach(variants, held.get(_NONE, [0])[-1], is_exact=True)


def _drawn(session: Session, campaign: Campaign, route: Route, lot: Drawn, on: date, known: Known) -> Reach:
    """The same of members who were drawn, each of whom is a bit."""
    fates = _fates(session, campaign, route, lot, on, known)
    rules = [segments.resolved(session, each) for each in (campaign.rule, *(one.rule for one in campaign.variants))]
    left, *held = segments.held(session, campaign.under, rules, lot, on=on, known=known)

    def people(those: int) -> int:
        return round(those.bit_count() * lot.step)

    variants: list[VariantReach] = []
    firsts: dict[str, int] = {}
    for each, theirs in zip(campaign.variants, held, strict=True):
        own = theirs & left
        skipped = {reason: people(own & those) for reason, those in fates.items() if reason != _SENT}
        earlier = {name: those & theirs for name, those in firsts.items() if those & theirs}
        variants.append(
            VariantReach(
                each.name,
                people(own),
                people(own & fates[_SENT]),
                {reason: n for reason, n in skipped.items() if n},
                {name: people(those) for name, those in earlier.items()},
                frozenset(name for name, those in earlier.items() if those == firsts[name]),
            )
        )
        firsts[each.name] = own
        left &= ~own
    return Reach(variants, people(left), is_exact=False)


def _fates(session: Session, campaign: Campaign, route: Route, lot: Drawn, on: date, known: Known) -> dict[str, int]:
    """Of those drawn, to whom it goes, and by reason to whom not, whatever variant they are in."""
    if _SENT not in known:
        whole = Campaign(under=campaign.under, rule="everyone", variants=[CampaignVariant(position=0, rule="everyone")])
        rows = select_audience(session, whole, route, on=on, only=lot.ids).subquery()
        found = dict.fromkeys((_SENT, *SkipReason), 0)
        at = {id_: n for n, id_ in enumerate(lot.ids)}
        for id_, reason in at_once(session, select(rows.c.member_id, func.coalesce(rows.c.reason, _SENT))):
            found[reason] |= 1 << at[int(id_)]
        known.update(found)
    return {each: known[each] for each in (_SENT, *SkipReason)}


def _held(session: Session, campaign: Campaign, on: date) -> dict[int, list[int]]:
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
    return {row[0]: list(row[1:]) for row in session.execute(query)}
