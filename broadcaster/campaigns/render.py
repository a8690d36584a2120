"""A variant and its readers to texts: what is shown before a send is what is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import and_, case, null, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import CampaignVariant
from broadcaster.templates import CompiledTemplate, Missing, compile_template, fields_of
from subscribers.importing import DEFAULT_ORGANISATION
from subscribers.models import Member, Membership, Organisation
from subscribers.registry import standing_on

#: what every member has; any other field is a column of the user's own spreadsheet
MEMBER_FIELDS = frozenset({"name", "organisation"})

Reader = Mapping[str, object]


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


def render(variant: CampaignVariant, readers: Sequence[Reader]) -> list[str]:
    """The body of each reader's text, not yet dressed. One call for all of them."""
    return compiled(variant).render_many(variant.context, readers)


def render_whole(variant: CampaignVariant, readers: Sequence[Reader]) -> tuple[list[str], frozenset[int]]:
    """The bodies for those who lack no value, in order, and the indexes of the others. One call for all of them."""
    return compiled(variant).render_whole(variant.context, readers)


def readers_of(
    session: Session, member_ids: Sequence[int], *, on: date, fields: Collection[str] | None = None
) -> dict[int, dict[str, Any]]:
    """The values that texts may use, by member id: name, organisation, and the columns of the user's own file.

    Who came without an organisation has none here: the one that stands in for it is no name to print. `fields`: those
    that are wanted; what has to be looked up for others only is left out.
    """
    by_place = fields is None or "organisation" in fields
    stand_in = and_(Organisation.parent_id.is_(None), Organisation.name == DEFAULT_ORGANISATION)
    organisation = case((stand_in, null()), else_=Organisation.name) if by_place else null()
    own = Member.fields if fields is None or set(fields) - MEMBER_FIELDS else null()
    query = select(Member.id, Member.name, organisation, own).where(Member.id.in_(member_ids))
    if by_place:
        query = query.outerjoin(Membership, and_(Membership.member_id == Member.id, standing_on(on))).outerjoin(
            Organisation, Organisation.id == Membership.organisation_id
        )
    return {
        id_: {**(given or {}), "name": name, "organisation": place}
        for id_, name, place, given in session.execute(query)
    }


def in_chunks(rows: Sequence[Any], size: int = 500) -> Iterator[Sequence[Any]]:
    """The rows, `size` at a time: one statement and one rendering for each."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
