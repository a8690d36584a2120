"""How many a rule holds, and who they are: in the actor's part of the tree, as of a day."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.consent import reachable_member
from subscribers.db import at_once, is_sqlite
from subscribers.drawn import Drawn, draw, ends, span
from subscribers.errors import Invalid
from subscribers.models import Member, Membership, Organisation, Status
from subscribers.msisdn import mask
from subscribers.organisations import in_subtree, names_of
from subscribers.registry import preferred_numbers, standing_on
from subscribers.rules import All, Reachable, Rule
from subscribers.segments.asked import Columns, Known, held, joined, member_ids
from subscribers.segments.conditions import asks_organisation, sql
from subscribers.segments.resolving import resolve

#: members who are counted while a page waits
COUNTED = 20_000
#: and of more than these, how many are looked at: of a tenth of everybody, it tells the number within one in ten
DRAWN = 4_000
#: ids that a rule which no index answers is held against at once
LOOKED_THROUGH = 50_000
#: and one after the other, where nobody was found yet
AT_MOST = 4 * LOOKED_THROUGH
#: of those drawn, so many must be in it before a number is told
FEW = 100


@dataclass(frozen=True, slots=True)
class Count:
    """How many a rule holds, and how many of them the paper can be sent to."""

    members: int
    reachable: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """About how many these are, or exactly so; or, with `is_bound`, fewer than `members`, and nothing told of those."""

    members: int
    reachable: int
    is_exact: bool
    is_bound: bool = False


@dataclass(frozen=True, slots=True)
class Someone:
    """One member of a segment; the number is masked."""

    id: int
    name: str
    msisdn: str | None
    status: Status
    mobile: bool
    organisation: str


@needs(Right.SEE)
def count(session: Session, actor: Actor, rule: str, *, on: date) -> Count:
    """How many of the actor's part of the tree a rule holds. Raises `Invalid` as `compile_rule`."""
    resolved = resolve(session, rule, within=actor.under)
    query = _of_rule(session, actor.under, select(func.count()).select_from(Membership), resolved, on)
    members = session.scalar(query) or 0
    # a condition of its own statement, not of an aggregate: the database may then take all numbers at once
    reachable = session.scalar(query.where(reachable_member(Membership.member_id))) if members else 0
    return Count(members, reachable or 0)


@needs(Right.SEE)
def estimate(session: Session, actor: Actor, rule: str, *, on: date, known: Known | None = None) -> Estimate:
    """About how many a rule holds, in a time that does not grow with the registry. Raises as `count`.

    A small registry is counted. Of a large one as many members are drawn as can be looked at while a page waits, one of
    each stretch of ids, so that lists which came in order are drawn from evenly; the same ones each time, so that two
    pages tell the same.
    """
    drawn = stand_ins(session, actor.under, on=on)
    if drawn is None:
        counted = count(session, actor, rule, on=on)
        return Estimate(counted.members, counted.reachable, is_exact=True)
    resolved = resolve(session, rule, within=actor.under)
    mine, reached = held(session, actor.under, [resolved, Reachable()], drawn, on=on, known=known)
    members, reachable = mine.bit_count(), (mine & reached).bit_count()
    if members < FEW:
        return _bounded(members, drawn)
    return Estimate(round(members * drawn.step), round(reachable * drawn.step), is_exact=False)


@needs(Right.SEE)
def sizes(
    session: Session, actor: Actor, asked: Sequence[str], *, on: date, known: Known | None = None
) -> list[Estimate | None]:
    """How many members each of these rules holds, as `estimate` tells it, in one look; None for what is no rule.

    Nobody is asked who can be sent to.
    """
    resolved: list[Rule | None] = []
    for rule in asked:
        try:
            resolved.append(resolve(session, rule, within=actor.under))
        except Invalid:
            resolved.append(None)
    rules = [each for each in resolved if each is not None]
    if not rules:
        return [None] * len(asked)
    drawn = stand_ins(session, actor.under, on=on)
    if drawn is None:
        on_sqlite = is_sqlite(session)
        sums = [func.count(case((sql(each, on, on_sqlite=on_sqlite), 1))) for each in rules]
        query = joined(select(*sums).select_from(Membership), actor.under, All(tuple(rules)), on)
        found: Iterator[int] = iter(session.execute(query).one())
    else:
        found = (each.bit_count() for each in held(session, actor.under, rules, drawn, on=on, known=known))
    return [None if each is None else _estimated(next(found), drawn) for each in resolved]


def _estimated(members: int, drawn: Drawn | None) -> Estimate:
    if drawn is None:
        return Estimate(members, 0, is_exact=True)
    if members < FEW:
        return _bounded(members, drawn)
    return Estimate(round(members * drawn.step), 0, is_exact=False)


def _bounded(members: int, drawn: Drawn) -> Estimate:
    """Three deviations above what was drawn, and never nobody: nobody was asked one by one."""
    most = math.ceil((members + 3 * math.sqrt(members) + 3) * drawn.step)
    return Estimate(most, 0, is_exact=False, is_bound=True)


def stand_ins(session: Session, under: str, *, on: date) -> Drawn | None:
    """Members who stand for all of a part of the tree; None where so few are there that a page can look at all."""
    if span(session) < COUNTED or _is_small_place(session, under, on):
        return None
    return draw(session, DRAWN)


@needs(Right.SEE)
def people(session: Session, actor: Actor, rule: str, *, on: date, after: int = 0, limit: int = 20) -> list[Someone]:
    """Members of a rule in the actor's part of the tree by id, those behind `after`. Raises as `compile_rule`."""
    return _people(session, actor, resolve(session, rule, within=actor.under), on, after, None, limit)


@needs(Right.SEE)
def some(
    session: Session, actor: Actor, rule: str, *, on: date, after: int = 0, limit: int = 20
) -> tuple[list[Someone], int]:
    """As `people`, in a time that does not grow with the registry; and the id to go on from, 0 behind the last one.

    A rule that no index answers is held against so many members only; fewer than `limit` may be found among them.
    """
    resolved = resolve(session, rule, within=actor.under)
    last = session.scalar(select(func.max(Member.id))) or 0
    # whose place is known is found by it
    is_bound = not actor.under and not asks_organisation(resolved) and last - after > LOOKED_THROUGH
    up_to = after + LOOKED_THROUGH if is_bound else None
    found = _people(session, actor, resolved, on, after, up_to, limit + 1)
    if len(found) > limit:
        return found[:limit], found[limit - 1].id
    return found, up_to or 0


def first_found(
    session: Session, under: str, rule: Rule, *, on: date, limit: int, after: int = 0, briefly: bool = False
) -> tuple[list[int], int | None]:
    """Ids of some members of a rule, whoever are found at once, and the id behind which somebody may still be.

    A rule that no index answers is held against as many behind `after` as a page can wait for, with `briefly` against a
    quarter of them. None instead of an id: there is somebody, or nobody at all.
    """
    query = _of_rule(session, under, select(Membership.member_id), rule, on).limit(limit)
    if under or asks_organisation(rule):
        return _ids(session, query), None
    first, last = ends(session)
    after, many = max(after, first - 1), LOOKED_THROUGH
    end = min(last, after + (LOOKED_THROUGH if briefly else AT_MOST))
    while after < end:
        up_to = min(after + many, end)
        if found := _ids(session, _between(query, rule, after, up_to)):
            return found, None
        # a rule that holds next to nobody costs a few statements, and not one for each piece
        after, many = up_to, 2 * many
    return [], after if after < last else None


def _ids(session: Session, query: Select[int]) -> list[int]:
    return [int(id_) for (id_,) in at_once(session, query)]


def _people(
    session: Session, actor: Actor, rule: Rule, on: date, after: int, up_to: int | None, limit: int
) -> list[Someone]:
    ids = _between(_of_rule(session, actor.under, select(Membership.member_id), rule, on), rule, after, up_to)
    chosen = ids.order_by(Membership.member_id).limit(limit).subquery()
    rows = session.execute(
        select(Member.id, Member.name, Membership.status, Membership.mobile, Organisation.path)
        .join(Membership, Membership.member_id == Member.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(standing_on(on), Member.id.in_(select(chosen.c.member_id)))
        .order_by(Member.id)
    ).all()
    numbers = preferred_numbers(session, [id_ for id_, *_ in rows])
    names = names_of(session, {path for *_, path in rows})
    return [
        Someone(id_, name, mask(numbers[id_][0]) if id_ in numbers else None, Status(status), mobile, names[path])
        for id_, name, status, mobile, path in rows
    ]


@needs(Right.SEE)
def has_birthdays(session: Session, actor: Actor, *, on: date) -> bool:
    """Whether a birthday is known in the actor's part of the tree: without one, a rule about age holds nobody."""
    query = select(Member.id).join(Membership, Membership.member_id == Member.id)
    if actor.under:
        query = query.join(Organisation, Organisation.id == Membership.organisation_id)
    known = query.where(standing_on(on), Member.birthday.is_not(None), in_subtree(Organisation.path, actor.under))
    return session.scalar(known.limit(1)) is not None


def _is_small_place(session: Session, under: str, on: date) -> bool:
    if not under:
        return False
    theirs = (
        select(Membership.member_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(standing_on(on), in_subtree(Organisation.path, under))
    )
    return (session.scalar(select(func.count()).select_from(theirs.limit(COUNTED).subquery())) or 0) < COUNTED


def _between(ids: Select[int], rule: Rule, after: int, up_to: int | None) -> Select[int]:
    for each in member_ids(rule):
        ids = ids.where(each > after) if after else ids
        ids = ids if up_to is None else ids.where(each <= up_to)
    return ids


def _of_rule(session: Session, under: str, query: Select[*Columns], rule: Rule, on: date) -> Select[*Columns]:
    return joined(query, under, rule, on).where(sql(rule, on, on_sqlite=is_sqlite(session)))
