"""A variant and its readers to texts: what is shown before a send is what is sent."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Date, Select, Table, Text, and_, bindparam, case, cast, func, literal, null, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import CampaignVariant
from broadcaster.templates import CompiledTemplate, Missing, compile_template, fields_of
from subscribers.db import id_list, is_sqlite, one_of_ids
from subscribers.models import Member, Membership, Organisation
from subscribers.nowhere import DEFAULT_ORGANISATION
from subscribers.registry import standing_on

_MEMBER: Table = Member.__table__  # type: ignore[assignment]
_MEMBERSHIP: Table = Membership.__table__  # type: ignore[assignment]
_ORGANISATION: Table = Organisation.__table__  # type: ignore[assignment]

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

    Who was forgotten is not in it. Who came without an organisation has none here: the one that stands in for it is no
    name to print. `fields`: those that are wanted; what has to be looked up for others only is left out.
    """
    by_place = fields is None or "organisation" in fields
    by_file = fields is None or not MEMBER_FIELDS.issuperset(fields)
    on_sqlite = is_sqlite(session)
    query = _readers(on_sqlite, by_place, by_file)
    rows: Sequence[Any] = session.execute(query, {"ids": id_list(session, member_ids), "day": on}).all()
    if on_sqlite:
        rows = json.loads(rows[0][0])
        files = [row[3] for row in rows]
    else:
        # read in one go: a document for each member costs four times as much
        files = json.loads(f"[{','.join(row[3] for row in rows)}]")
    return {
        row[0]: {**(given or {}), "name": row[1], "organisation": row[2]}
        for row, given in zip(rows, files, strict=True)
    }


@cache
def _readers(sqlite: bool, by_place: bool, by_file: bool) -> Select[Any]:
    # made once: putting a statement together takes as long as sending it
    m, s, o = _MEMBER.c, _MEMBERSHIP.c, _ORGANISATION.c
    own = cast(m.fields, Text) if by_file else literal("{}")
    # of who was forgotten a row without a name is left
    wanted = one_of_ids(m.id, sqlite=sqlite), m.forgotten_at.is_(None)
    if not by_place:
        return _whole(select(m.id, m.name, null(), own).where(*wanted), sqlite)
    # looked up for each member by itself: a planner may join by whatever it takes for small, the whole list included
    standing = s.member_id == m.id, standing_on(bindparam("day", type_=Date))
    where = select(s.organisation_id).where(*standing).limit(1).correlate(_MEMBER).scalar_subquery()
    stand_in = and_(o.parent_id.is_(None), o.name == DEFAULT_ORGANISATION)
    place = select(case((stand_in, null()), else_=o.name)).where(o.id == where).correlate(_MEMBER).scalar_subquery()
    return _whole(select(m.id, m.name, place, own).where(*wanted), sqlite)


def _whole(query: Select[Any], sqlite: bool) -> Select[Any]:
    """SQLite puts all into one document, see `subscribers.db.at_once`."""
    if not sqlite:
        return query
    id_, name, place, own = query.subquery().c
    return select(func.json_group_array(func.json_array(id_, name, place, func.json(own))))
