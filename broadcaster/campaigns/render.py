"""A variant and its readers to texts, and texts to parts: what is shown before a send is what is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, case, null, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign, CampaignVariant
from broadcaster.gateways.contract import Capabilities
from broadcaster.sms import Split, split
from broadcaster.templates import CompiledTemplate, Missing, compile_template, fields_of
from subscribers.importing import DEFAULT_ORGANISATION
from subscribers.models import Member, Membership, Organisation
from subscribers.registry import standing_on

#: what every member has; any other field is a column of the user's own spreadsheet
MEMBER_FIELDS = frozenset({"name", "organisation"})

Reader = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Copy:
    """One reader's text, and its pieces for the alphabet of their gateway."""

    text: str
    split: Split


def compiled(variant: CampaignVariant) -> CompiledTemplate:
    """The variant's template; it was checked when it was saved."""
    return _compiled(variant.source, frozenset(variant.context))


@lru_cache(maxsize=256)
def _compiled(source: str, given: frozenset[str]) -> CompiledTemplate:
    return compile_template(source, fields_of(source) | given)


def reader_fields(variant: CampaignVariant) -> frozenset[str]:
    """The fields of a member that this variant's text uses."""
    return compiled(variant).fields - frozenset(variant.context)


def missing_values(variant: CampaignVariant, readers: Sequence[Reader]) -> list[Missing]:
    """Which of these readers lack a value that the text needs; found before anything is sent."""
    return compiled(variant).missing(variant.context, readers)


def render(campaign: Campaign, variant: CampaignVariant, readers: Sequence[Reader]) -> list[str]:
    """The whole text of each reader: signature, body, opt-out line. One call for all of them."""
    bodies = compiled(variant).render_many(variant.context, readers)
    return [dressed(campaign, body) for body in bodies]


def dressed(campaign: Campaign, body: str) -> str:
    """A body between the signature and the opt-out line.

    A space keeps the line apart where the body does not end with a sign of its own: "收到请回复拒收请回复R" says to an
    old reader that they should answer 拒收.
    """
    body = body.rstrip()
    apart = " " if campaign.opt_out and body and body[-1].isalnum() else ""
    return f"{campaign.signature}{body}{apart}{campaign.opt_out}"


def cut(campaign: Campaign, text: str, capabilities: Capabilities) -> Split:
    """The parts of a text as this gateway carries them; signature and opt-out line stay whole where possible."""
    keep = tuple(filter(None, (campaign.signature, campaign.opt_out)))
    return split(text, capabilities.alphabet, reference_bits=capabilities.reference_bits, keep=keep)


def readers_of(session: Session, member_ids: Sequence[int], *, on: date) -> dict[int, dict[str, Any]]:
    """The values that texts may use, by member id: name, organisation, and the columns of the user's own file.

    Who came without an organisation has none here: the one that stands in for it is no name to print.
    """
    stand_in = and_(Organisation.parent_id.is_(None), Organisation.name == DEFAULT_ORGANISATION)
    rows = session.execute(
        select(Member.id, Member.name, Member.fields, case((stand_in, null()), else_=Organisation.name))
        .outerjoin(Membership, and_(Membership.member_id == Member.id, standing_on(on)))
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(Member.id.in_(member_ids))
    )
    return {
        id_: {**(fields or {}), "name": name, "organisation": organisation} for id_, name, fields, organisation in rows
    }


def in_chunks(rows: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    """The rows, `size` at a time: one statement and one rendering for each."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
