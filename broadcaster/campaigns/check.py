"""What will happen if this campaign is sent: recipients, skipped and why, parts, price, and what stands against it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from broadcaster.campaigns import dress, render
from broadcaster.campaigns.audience import Route, select_audience
from broadcaster.campaigns.belonging import refuse_foreign
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.findings import Finding, about_age, about_fields, about_repeats
from broadcaster.campaigns.models import Campaign, CampaignVariant
from broadcaster.campaigns.profiles import Profile, carried, has_length, refuse_halfway, worn
from broadcaster.gateways.contract import Capabilities
from broadcaster.language import msgid
from broadcaster.newspaper.lint import about_sentence
from broadcaster.sms import Split, Why, billed_parts, find_lookalikes, why
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Invalid

#: so many people are named where a problem has more
NAMED = 20
#: readers at a time: one statement for what is known of them, and one rendering
CHUNK = 500
#: it is known before anything is counted
UNSIGNED = msgid("There is no signature: readers cannot see who writes.")


@dataclass(frozen=True, slots=True)
class Way:
    """What a check has to know of a gateway: what it can carry, what it costs, how fast it is."""

    name: str
    capabilities: Capabilities
    #: nothing that goes this way reaches a phone
    rehearses: bool
    price: Decimal = Decimal(0)
    currency: str = "CNY"
    parts_per_second: float = 0
    profile: Profile = field(default_factory=Profile)

    def on(self, profile: Profile) -> Way:
        """The same, as the profile of a day has it."""
        return replace(
            self,
            capabilities=carried(self.capabilities, profile),
            price=self.price if profile.price is None else profile.price,
            currency=profile.currency or self.currency,
            profile=profile,
        )


@dataclass(slots=True)
class VariantCheck:
    """One variant over its whole rendered audience."""

    name: str
    recipients: int = 0
    #: how many readers get a text of so many parts
    parts: Counter[int] = field(default_factory=Counter)
    cost: Decimal = Decimal(0)
    text: str = ""
    split: Split | None = None
    why: Why | None = None
    #: the text of its first reader as it was written, and how it was dressed
    body: str = ""
    dress: Dress = field(default_factory=Dress)
    #: gateway -> parts of the longest text that it would be given
    longest: dict[str, int] = field(default_factory=dict)
    #: characters that the gateway of a reader refuses
    refused: set[str] = field(default_factory=set)

    @property
    def parts_each(self) -> dict[str, int]:
        """Parts per reader: the fewest, the usual, the most."""
        ordered = sorted(self.parts) or [0]
        up_to = list(accumulate(self.parts[each] for each in ordered))
        median = ordered[bisect_right(up_to, up_to[-1] // 2)] if self.parts else 0
        return {"min": ordered[0], "median": median, "max": ordered[-1]}


@dataclass(slots=True)
class _Incomplete:
    """Readers who lack a value that the text needs."""

    people: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.people += 1
        if self.people <= NAMED:
            self.names.append(name)


@dataclass(slots=True)
class Check:
    """The whole answer. `recipients` is the number that a person types to confirm."""

    recipients: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    parts: int = 0
    cost: Decimal = Decimal(0)
    currency: str = "CNY"
    seconds: float = 0
    variants: list[VariantCheck] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def blocking(self) -> list[Finding]:
        """What has to be mended first."""
        return [finding for finding in self.findings if finding.blocking]


@needs(Right.SEE)
def check(
    session: Session,
    actor: Actor,
    campaign: Campaign,
    route: Route,
    ways: Mapping[str, Way],
    *,
    zone: ZoneInfo,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> Check:
    """Render every recipient's text as it would be sent, and count. Writes nothing.

    `progress` is told how many recipients have been rendered so far.
    """
    refuse_foreign(actor, campaign)
    on = now.astimezone(zone).date()
    result = Check(variants=[VariantCheck(_label(campaign, variant)) for variant in campaign.variants])
    result.currency = ways[route.default].currency
    audience = select_audience(session, campaign, route, on=on).order_by("member_id")
    incomplete: defaultdict[str, _Incomplete] = defaultdict(_Incomplete)
    for rows in session.execute(audience, execution_options={"yield_per": CHUNK}).partitions():
        result.skipped.update(row.reason for row in rows if row.reason)
        chunk = [row for row in rows if row.reason is None]
        people = render.readers_of(session, [row.member_id for row in chunk], on=on)
        # somebody's import may be taken back between two statements
        chunk = [row for row in chunk if row.member_id in people]
        for variant, totals in zip(campaign.variants, result.variants, strict=True):
            mine = [row for row in chunk if row.variant == variant.position]
            if mine:
                _count(campaign, variant, totals, mine, people, ways, incomplete)
        result.recipients += len(chunk)
        if progress:
            progress(result.recipients)
    result.parts = sum(each * readers for totals in result.variants for each, readers in totals.parts.items())
    result.cost = sum((totals.cost for totals in result.variants), Decimal(0))
    rate = min((way.parts_per_second for way in ways.values() if way.parts_per_second), default=0)
    result.seconds = result.parts / rate if rate else 0
    result.findings = _findings(campaign, result, incomplete, [ways[name] for name in route.gateways])
    age = about_age(session, actor, campaign, zone=zone, now=now)
    result.findings = [*age, *about_repeats(session, actor, campaign, zone=zone), *result.findings]
    return result


def _label(campaign: Campaign, variant: CampaignVariant) -> str:
    """What a person knows a variant by: a text for one audience only goes by the name of that audience."""
    return campaign.rule if len(campaign.variants) == 1 else variant.name


def _count(
    campaign: Campaign,
    variant: CampaignVariant,
    totals: VariantCheck,
    rows: Sequence[Any],
    people: Mapping[int, Mapping[str, Any]],
    ways: Mapping[str, Way],
    incomplete: defaultdict[str, _Incomplete],
) -> None:
    readers = [people[row.member_id] for row in rows]
    found = render.missing_values(variant, readers)
    lacking = {missing.row for missing in found}
    for missing in found:
        incomplete[missing.field].add(str(readers[missing.row]["name"]))
    whole = [(row, reader) for at, (row, reader) in enumerate(zip(rows, readers, strict=True)) if at not in lacking]
    totals.recipients += len(rows)
    bodies = render.render(variant, [reader for _, reader in whole])
    clothes = {name: worn(campaign, name, way.capabilities, way.profile) for name, way in ways.items()}
    for (row, _), body in zip(whole, bodies, strict=True):
        way = ways[row.gateway]
        own, can = clothes[row.gateway]
        text = dress.dressed(own, body)
        split = dress.cut(own, text, can)
        totals.parts[len(split.parts)] += 1
        totals.cost += _billed(text, split, can) * way.price
        totals.longest[way.name] = max(len(split.parts), totals.longest.get(way.name, 0))
        if can.forbidden:
            totals.refused.update(char for char in body if char in can.forbidden)
        if not totals.text:
            totals.text, totals.split, totals.why = text, split, why(text, can.alphabet)
            totals.body, totals.dress = body, own


def _billed(text: str, split: Split, can: Capabilities) -> int:
    return len(split.parts) if can.bill == "parts" else billed_parts(text, can.bill, can.alphabet)


def _findings(
    campaign: Campaign, result: Check, incomplete: Mapping[str, _Incomplete], ways: Sequence[Way]
) -> list[Finding]:
    found: list[Finding] = []
    if not result.recipients:
        found.append(
            Finding(
                msgid("Nobody would receive this: the whole audience ({people}) is skipped."),
                True,
                {"people": sum(result.skipped.values())},
                msgid("Look at the segment, or at the reasons for skipping."),
            )
        )
    for name, lacking in sorted(incomplete.items()):
        found.append(
            Finding(
                msgid("The field {field} has no value for {count} of the recipients: {names}."),
                True,
                {"count": lacking.people, "field": name, "names": lacking.names},
                msgid("Fill it in under Members, or leave the field out of the text."),
                msgid('A template may give a default: {{{{ {field} | default("...") }}}}.'),
            )
        )
    found += _about_items(campaign)
    found += about_fields(campaign)
    for variant in result.variants:
        found.extend(_about_text(variant, {way.name: way.capabilities.max_parts for way in ways}))
    dresses = [worn(campaign, way.name, way.capabilities, way.profile)[0] for way in ways]
    found += [
        Finding(
            msgid("The signature {signature} is not as long as the gateway {gateway} demands: {length} characters."),
            True,
            {"signature": own.signature, "gateway": way.name, "length": way.profile.signature_length},
            msgid("Give it one of its own under Settings, Name and signature, or ask whoever may."),
            msgid("`broadsheet gateways profile {gateway} --set signature=...` gives it one of its own."),
        )
        for way, own in zip(ways, dresses, strict=True)
        if own.signature and not has_length(own.signature, way.profile)
    ]
    for signature in dict.fromkeys(own.signature for own in dresses):
        try:
            refuse_halfway(signature)
        except Invalid as error:
            # whoever has no carrier in China may have such a one; it is set nowhere any more
            found.append(Finding(error.message, False, error.fields, error.hint))
    if not all(own.signature for own in dresses):
        found.append(
            Finding(
                UNSIGNED,
                False,
                {},
                msgid("It is set under Settings, Name and signature, by whoever may."),
                msgid('Write signature = "【...】" under [paper] in broadsheet.toml.'),
            )
        )
    if not all(own.opt_out for own in dresses):
        found.append(
            Finding(
                msgid("The text does not say how to refuse more of it."),
                False,
                {},
                msgid("Ask the operator to set the opt-out line, for example 拒收请回复R."),
                msgid('Write opt_out = "拒收请回复R" under [paper] in broadsheet.toml.'),
            )
        )
    return found


def _about_items(campaign: Campaign) -> list[Finding]:
    """What stops the sentences of an edition, as they stand in this campaign."""
    items = {
        (item["headline"], item["sms"]): None
        for variant in campaign.variants
        for column in variant.context.get("columns", ())
        for item in column["items"]
    }
    return [
        Finding(
            remark.message,
            True,
            {**remark.fields, "headline": headline},
            msgid("It stands in the item {headline}. Mend it there, and make the send anew."),
        )
        for headline, sms in items
        # what a gateway refuses is asked of the gateway of each reader
        for remark in about_sentence(sms, ())
        if remark.stops
    ]


def _about_text(variant: VariantCheck, most: Mapping[str, int]) -> list[Finding]:
    if not variant.text:
        return []
    body = variant.body
    found = []
    if not body.strip():
        found.append(
            Finding(
                msgid("The text of {variant} is empty once its fields are filled in."), True, {"variant": variant.name}
            )
        )
    found += [
        Finding(
            msgid("The longest text of {variant} takes {parts} parts; the carrier takes {most}."),
            True,
            {"variant": variant.name, "parts": parts, "most": most[name]},
            msgid("Shorten it, or put the rest on the reading page."),
        )
        for name, parts in variant.longest.items()
        if parts > most[name]
    ]
    if wrong := sorted(variant.refused):
        found.append(
            Finding(
                msgid("The carrier does not take these characters, which stand in the text of {variant}: {characters}"),
                True,
                {"variant": variant.name, "characters": " ".join(wrong)},
            )
        )
    if variant.dress.signature and variant.dress.signature in body:
        found.append(
            Finding(
                msgid("The signature stands in the text of {variant} and is added once more."),
                False,
                {"variant": variant.name},
            )
        )
    if looks := find_lookalikes(body):
        found.append(
            Finding(
                msgid("Characters in the text of {variant} that look like others ({count}): {names}."),
                False,
                {
                    "variant": variant.name,
                    "count": len(looks),
                    "names": list(dict.fromkeys(x.name for x in looks)),
                },
                msgid("They can double the price of a text in Latin letters."),
            )
        )
    return found
