"""What some real readers of each variant would get: quick enough to follow the typing.

Texts are made, dressed and cut by what a check and a sender use. A check looks at everybody, this at a sample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns import dress, render
from broadcaster.campaigns.belonging import refuse_foreign
from broadcaster.campaigns.check import Way
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Campaign, CampaignVariant
from broadcaster.campaigns.profiles import worn
from broadcaster.sms import Split, Why, billed_parts, count_many, why
from subscribers import segments
from subscribers.actor import Actor, Right, needs
from subscribers.consent import reachable_member
from subscribers.db import among, at_once
from subscribers.models import Member
from subscribers.rules import All, Not, Reachable, Rule
from subscribers.segments import Known

#: readers of a variant that are looked at
SAMPLE = 200
#: among how many they are looked for who can be sent to
_NEAR = 2_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One reader's text as it will stand on their phone."""

    reader: str
    body: str
    text: str
    dress: Dress
    split: Split
    why: Why


@dataclass(frozen=True, slots=True)
class VariantProof:
    """What the sampled readers of a variant get. `typical`, `longest`, `odd`: None where nobody is in it."""

    name: str
    readers: int
    #: everybody was looked at, not only a sample
    is_whole: bool
    fewest: int = 0
    most: int = 0
    #: of one copy, in the gateway's currency
    dearest: Decimal = Decimal(0)
    typical: Seen | None = None
    longest: Seen | None = None
    #: whose name takes the most room or has rare characters
    odd: Seen | None = None
    #: field -> some who lack it
    lacking: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Sampled:
    """Some members of each variant's audience."""

    members: list[list[int]]
    #: the place of a variant of whom nobody was found yet -> the id of the last member who was looked at
    sought: dict[int, int]


@needs(Right.SEE)
def sample(session: Session, actor: Actor, campaign: Campaign, *, on: date, known: Known | None = None) -> Sampled:
    """Some members of each variant's audience, whoever can be found at once. They may be kept for a while.

    `known`: what was told before of the same day and part of the tree, see `subscribers.segments.held`. Where next to
    nobody is in a variant, `look_on` looks for them further.
    """
    refuse_foreign(actor, campaign)
    whole, *rules = _rules(session, campaign)
    drawn = _drawn(session, campaign.under, whole, rules, on, known)
    found = Sampled([], {})
    for n, (at_hand, is_taken) in enumerate(drawn):
        found.members.append(at_hand)
        if len(at_hand) < SAMPLE:
            # a page waits for one long look, however many variants have nobody
            briefly = is_taken or bool(found.sought)
            _look_for(session, campaign.under, _mine(whole, rules, n), on, found, n, briefly=briefly)
        if is_taken:
            found.sought.pop(n, None)
    return found


@needs(Right.SEE)
def look_on(session: Session, actor: Actor, campaign: Campaign, found: Sampled, *, on: date) -> None:
    """Look further for somebody of each variant of whom nobody was found yet, for as long as a page can wait."""
    refuse_foreign(actor, campaign)
    whole, *rules = _rules(session, campaign)
    for at, n in enumerate(list(found.sought)):
        _look_for(session, campaign.under, _mine(whole, rules, n), on, found, n, briefly=at > 0)


def _rules(session: Session, campaign: Campaign) -> list[Rule]:
    return [segments.resolved(session, each) for each in (campaign.rule, *(v.rule for v in campaign.variants))]


def _mine(whole: Rule, rules: Sequence[Rule], n: int) -> Rule:
    return All((whole, rules[n], *map(Not, rules[:n])))


def _drawn(
    session: Session, under: str, whole: Rule, rules: Sequence[Rule], on: date, known: Known | None
) -> list[tuple[list[int], bool]]:
    """Of each variant those who were drawn from a large registry and can be sent to, as many as are looked at.

    And whether earlier variants have all who were drawn of its segment.
    """
    lot = segments.stand_ins(session, under, on=on)
    if lot is None:
        return [([], False)] * len(rules)
    left, reached, *held = segments.held(session, under, [whole, Reachable(), *rules], lot, on=on, known=known)
    found = []
    for theirs in held:
        mine = theirs & left & reached
        ids = [id_ for n, id_ in enumerate(lot.ids) if mine >> n & 1][:SAMPLE]
        found.append((ids, bool(theirs) and not theirs & left))
        left &= ~theirs
    return found


def _look_for(session: Session, under: str, rule: Rule, on: date, found: Sampled, n: int, *, briefly: bool) -> None:
    """Some who can be sent to; where the first ones cannot be, these all the same."""
    after = found.sought.pop(n, 0)
    near, last = segments.first_found(session, under, rule, on=on, limit=_NEAR, after=after, briefly=briefly)
    if last is not None:
        found.sought[n] = last
    reached = select(Member.id).where(among(session, Member.id, near), reachable_member(Member.id)).limit(SAMPLE)
    found.members[n] = [int(id_) for (id_,) in at_once(session, reached)] or near[:SAMPLE]


@needs(Right.SEE)
def look(
    session: Session,
    actor: Actor,
    campaign: Campaign,
    way: Way,
    members: Sequence[Sequence[int]],
    *,
    only: int | None = None,
    on: date,
) -> list[VariantProof]:
    """The texts of these members, variant by variant, as the gateway would be given them; `only`: at one place."""
    refuse_foreign(actor, campaign)
    return [
        _variant(session, campaign, variant, way, ids, on)
        for at, (variant, ids) in enumerate(zip(campaign.variants, members, strict=True))
        if only in (None, at)
    ]


def _variant(
    session: Session, campaign: Campaign, variant: CampaignVariant, way: Way, ids: Sequence[int], on: date
) -> VariantProof:
    people = render.readers_of(session, ids, on=on)
    readers = [people[each] for each in ids if each in people]
    lacking: dict[str, list[str]] = {}
    for missing in render.missing_values(variant, readers):
        lacking.setdefault(missing.field, []).append(str(readers[missing.row]["name"]))
    bodies, without = render.render_whole(variant, readers)
    whole = [str(reader["name"]) for at, reader in enumerate(readers) if at not in without]
    own, can = worn(campaign, way.name, way.capabilities, way.profile)
    proof = VariantProof(variant.name, len(readers), is_whole=len(ids) < SAMPLE, lacking=lacking)
    if not bodies:
        return proof

    texts = [dress.dressed(own, body) for body in bodies]
    parts = count_many(texts, can.alphabet, reference_bits=can.reference_bits)

    def seen(at: int) -> Seen:
        return Seen(whole[at], bodies[at], texts[at], own, dress.cut(own, texts[at], can), why(texts[at], can.alphabet))

    order = sorted(range(len(bodies)), key=lambda at: (parts[at], len(texts[at])))
    longest, typical = seen(order[-1]), seen(order[len(order) // 2])
    odd = seen(max(range(len(bodies)), key=lambda at: (_rareness(whole[at]), len(whole[at]))))
    most = parts[order[-1]]
    billed = most if can.bill == "parts" else billed_parts(longest.text, can.bill, can.alphabet)
    return VariantProof(
        variant.name,
        len(readers),
        is_whole=len(ids) < SAMPLE,
        fewest=parts[order[0]],
        most=most,
        dearest=billed * way.price,
        typical=typical,
        longest=longest,
        odd=odd,
        lacking=lacking,
    )


def _rareness(name: str) -> int:
    """How many characters of a name are outside of what every phone shows."""
    return sum(ord(each) > 0x9FFF or 0x3400 <= ord(each) <= 0x4DBF for each in name)
