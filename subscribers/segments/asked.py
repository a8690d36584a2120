"""What a rule asks about, joined to the memberships of a day; and whom of some drawn members each of many rules holds.

What a count does not ask about is not joined: a place and a standing are told by one index, whatever the registry's
size (docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from datetime import date
from itertools import compress
from typing import TypeVarTuple

from sqlalchemy import Select, Text, case, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from subscribers.db import among, is_sqlite
from subscribers.drawn import Drawn
from subscribers.models import Member, Membership, Organisation
from subscribers.organisations import in_subtree
from subscribers.registry import standing_on
from subscribers.rules import All, Rule
from subscribers.segments.conditions import asks_member, asks_organisation, sql

Columns = TypeVarTuple("Columns")

#: rule, or whatever else was asked -> whom of those drawn it holds, a bit for each
Known = MutableMapping[Rule | str, int]


def joined(query: Select[*Columns], under: str, rule: Rule, on: date) -> Select[*Columns]:
    """The memberships of a day and a part of the tree, and what the rule asks about, without its condition."""
    if asks_member(rule):
        query = query.join(Member, Member.id == Membership.member_id)
    if under or asks_organisation(rule):
        query = query.join(Organisation, Organisation.id == Membership.organisation_id)
    if under:
        query = query.where(in_subtree(Organisation.path, under))
    return query.where(standing_on(on))


def member_ids(rule: Rule) -> Sequence[InstrumentedAttribute[int]]:
    """A member's id in each table that `joined` reads: what bounds one is held against no other by PostgreSQL."""
    return (Membership.member_id, Member.id) if asks_member(rule) else (Membership.member_id,)


def held(
    session: Session, under: str, rules: Sequence[Rule], drawn: Drawn, *, on: date, known: Known | None = None
) -> list[int]:
    """Of each rule, whom of those drawn it holds: the bit `1 << n` stands for the member with the id `drawn.ids[n]`.

    `known`: what was told before of the same draw, day and part of the tree; what is new is put there.
    """
    told: Known = {} if known is None else known
    new = [rule for rule in dict.fromkeys(rules) if rule not in told]
    if new:
        told.update(zip(new, _look(session, under, new, drawn, on), strict=True))
    return [told[rule] for rule in rules]


def _look(session: Session, under: str, rules: Sequence[Rule], drawn: Drawn, on: date) -> list[int]:
    on_sqlite = is_sqlite(session)
    every = All(tuple(rules))
    # all in one row: for each further one of SQLite, whoever sends from this process may have to be waited for
    told = [
        func.aggregate_strings(cast(Membership.member_id, Text), ","),
        *(func.aggregate_strings(case((sql(rule, on, on_sqlite=on_sqlite), "1"), else_="0"), "") for rule in rules),
    ]
    query = joined(select(*told).select_from(Membership), under, every, on)
    for each in member_ids(every):
        query = query.where(among(session, each, drawn.ids))
    ids, *answers = session.execute(query).one()
    if ids is None:
        # nobody is there
        return [0] * len(rules)
    at = {str(id_): -1 - n for n, id_ in enumerate(drawn.ids)}
    places = [at[id_] for id_ in ids.split(",")]
    found = []
    for answer in answers:
        line = bytearray(b"0" * len(drawn.ids))
        for place in compress(places, map(int, answer)):
            line[place] = ord("1")
        found.append(int(line, 2))
    return found
