"""Segments: a rule, looked up in the registry, becomes one SELECT of members as of a day.

The conditions of a rule are two-valued: whoever is not in a rule is in its negation, also where a birthday is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, String, and_, exists, false, func, not_, or_, select, true
from sqlalchemy import column as sql_column
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right
from subscribers.consent import reachable_member
from subscribers.db import is_sqlite
from subscribers.errors import Invalid
from subscribers.models import Member, Membership, Organisation, Segment
from subscribers.organisations import find_paths, in_subtree, names_of
from subscribers.registry import standing_on
from subscribers.rules import (
    BUILT_IN,
    TERMS,
    AgeAtLeast,
    All,
    AnyOf,
    Away,
    BirthdayKnown,
    Everyone,
    Not,
    Rule,
    Saved,
    StatusIs,
    Tagged,
    Under,
    parse,
    pointer,
    too_much,
    walk,
)

NAME_LENGTH = 100
#: segments that name segments that name segments ...
NESTING = 10


@dataclass(frozen=True, slots=True)
class Count:
    """How many a rule holds, and how many of them the paper can be sent to."""

    members: int
    reachable: int


@dataclass(frozen=True, slots=True)
class SavedSegment:
    """A name for a rule."""

    name: str
    rule: str
    saved_by: str
    saved_at: datetime


def compile_rule(session: Session, rule: str, *, on: date) -> Select[int]:
    """The ids of the members in a rule, as of a day: one SELECT with bound values, fit for INSERT ... SELECT.

    `Member`, `Membership` and `Organisation` are in its FROM, for further conditions. Raises `Invalid` with the place
    in the rule: it cannot be read, names what does not exist, or asks too much.
    """
    return (
        select(Member.id)
        .join(Membership, Membership.member_id == Member.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(standing_on(on), condition(session, rule, on=on))
    )


def members_matching(session: Session, rule: str, *, on: date, within: str = "") -> Select[int]:
    """The audience of a rule as `compile_rule`, of one part of the tree (a path of ids; all of it if empty)."""
    return compile_rule(session, rule, on=on).where(in_subtree(Organisation.path, within))


def condition(session: Session, rule: str, *, on: date) -> ColumnElement[bool]:
    """A rule as a condition over `Member`, its `Membership` of that day and that one's `Organisation`.

    For a statement that sorts members into the first of several segments.
    """
    resolved = _resolve(session, rule)
    return _sql(resolved, on, on_sqlite=is_sqlite(session))


def check(session: Session, rule: str) -> None:
    """Raise `Invalid`, with the place in the rule, if it cannot be asked."""
    _resolve(session, rule)


def count(session: Session, actor: Actor, rule: str, *, on: date) -> Count:
    """How many of the actor's part of the tree a rule holds. Raises `Invalid` as `compile_rule`."""
    actor.must(Right.SEE)
    matching = members_matching(session, rule, on=on, within=actor.under)
    query = matching.with_only_columns(func.count(Member.id), func.count().filter(reachable_member(Member.id)))
    members, reachable = session.execute(query).one()
    return Count(members, reachable)


def has_birthdays(session: Session, actor: Actor, *, on: date) -> bool:
    """Whether a birthday is known in the actor's part of the tree: without one, a rule about age holds nobody."""
    actor.must(Right.SEE)
    everyone = members_matching(session, "everyone", on=on, within=actor.under)
    return bool(session.scalar(everyone.with_only_columns(func.count(Member.birthday))))


def save(session: Session, actor: Actor, name: str, rule: str, *, now: datetime) -> SavedSegment:
    """Give a rule a name, or a name another rule. Raises `Invalid` for a rule that cannot be asked."""
    actor.must(Right.EDIT)
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable() or any(sign in name for sign in "\"'“”「」"):
        raise Invalid(
            "A segment cannot be called {name}.",
            hint="Give 1 to {length} characters, without quotes.",
            name=repr(name[:NAME_LENGTH]),
            length=NAME_LENGTH,
        )
    if name.lower() in BUILT_IN:
        raise Invalid("{name} is built in, and stays what it is.", hint="Choose another name.", name=name)
    _resolve(session, rule, being_saved=name)
    segment = session.scalar(select(Segment).where(Segment.name == name))
    if segment is None:
        segment = Segment(name=name)
        session.add(segment)
    segment.rule, segment.saved_by, segment.saved_at = rule, actor.name, now
    session.flush()
    return SavedSegment(name, rule, actor.name, now)


def listing(session: Session, actor: Actor) -> list[SavedSegment]:
    """The saved segments, by name."""
    actor.must(Right.SEE)
    rows = session.scalars(select(Segment).order_by(Segment.name))
    return [SavedSegment(row.name, row.rule, row.saved_by, row.saved_at) for row in rows]


def birthday_at_most(years: int, on: date) -> date | None:
    """The latest birthday that makes somebody so many years old on a day; None if no calendar goes back so far.

    Who was born on 29 February has their birthday on 1 March in other years.
    """
    year = on.year - years
    if year < 1:
        return None
    try:
        return on.replace(year=year)
    except ValueError:
        return on.replace(year=year, day=28)


def _resolve(session: Session, text: str, being_saved: str | None = None) -> Rule:
    """The rule with saved segments put in place of their names, and organisations as paths of ids."""
    rule = parse(text)
    saved = _saved_rules(session, text, rule)
    expanded = _expand(text, rule, saved, () if being_saved is None else (being_saved,), None)
    _check_size(text, expanded)
    places = {term.names: term.at for term in walk(expanded) if isinstance(term, Under)}
    paths = {names: _organisation(session, text, names, at) for names, at in places.items()}
    return _put_paths(expanded, paths)


def _saved_rules(session: Session, text: str, rule: Rule) -> dict[str, Rule]:
    """Every saved segment that the rule names, or that those name; one statement per step down."""
    rules: dict[str, Rule] = {}
    wanted = _names(rule)
    while wanted:
        found = {row.name: parse(row.rule) for row in session.scalars(select(Segment).where(Segment.name.in_(wanted)))}
        rules |= found
        if len(rules) > TERMS:
            raise too_much(text)
        wanted = {name for inner in found.values() for name in _names(inner)} - rules.keys()
    return rules


def _names(rule: Rule) -> set[str]:
    return {term.name for term in walk(rule) if isinstance(term, Saved)}


def _expand(text: str, rule: Rule, saved: dict[str, Rule], inside: tuple[str, ...], at: int | None) -> Rule:
    """`at` is the place in the text whose segment is being put in; None while the text itself is read.

    What a segment expands to takes its place in `saved`, and is measured: names that name names twice grow fast.
    """
    match rule:
        case Saved(name, own_place):
            place = own_place if at is None else at
            _check_name(text, name, saved, inside, place)
            saved[name] = _expand(text, saved[name], saved, (*inside, name), place)
            _check_size(text, saved[name], place)
            return saved[name]
        case Under(names, _) if at is not None:
            return Under(names, at)
        case Not(term):
            return Not(_expand(text, term, saved, inside, at))
        case All(terms):
            return All(tuple(_expand(text, term, saved, inside, at) for term in terms))
        case AnyOf(terms):
            return AnyOf(tuple(_expand(text, term, saved, inside, at) for term in terms))
    return rule


def _check_name(text: str, name: str, saved: dict[str, Rule], inside: tuple[str, ...], place: int) -> None:
    if name in inside:
        raise Invalid(
            "The segment {name} would contain itself, at column {column}.\n  {line}\n  {caret}",
            hint="Change the rule of one of the segments that name each other.",
            name=name,
            **pointer(text, place),
        )
    if name not in saved:
        raise Invalid(
            "There is no segment {name}, at column {column}.\n  {line}\n  {caret}",
            hint="Built in are: in_service, retired, mobile, everyone (在职 离退休 流动 所有人).",
            name=name,
            **pointer(text, place),
        )
    if len(inside) > NESTING:
        raise too_much(text, place)


def _check_size(text: str, rule: Rule, place: int = 0) -> None:
    if sum(1 for _ in walk(rule)) > TERMS:
        raise too_much(text, place)


def _organisation(session: Session, text: str, names: str, at: int) -> str:
    """The path of ids for names from the top down, or for the end of such a path if only one organisation has it."""
    wanted = "/".join(part.strip() for part in names.replace("／", "/").strip("/ ").split("/"))
    if exact := find_paths(session, [wanted]).get(wanted):
        return exact
    last = wanted.rpartition("/")[2]
    paths = session.scalars(select(Organisation.path).where(Organisation.name == last).limit(1000)).all()
    ends = [path for path, full in names_of(session, paths).items() if full.endswith(f"/{wanted}")]
    if len(ends) > 1:
        raise Invalid(
            "{names} is the name of {number} organisations, at column {column}.\n  {line}\n  {caret}",
            hint="Write the path from the top down, like City/Branch.",
            names=names,
            number=len(ends),
            **pointer(text, at),
        )
    if not ends:
        raise Invalid(
            "There is no organisation {names}, at column {column}.\n  {line}\n  {caret}",
            hint="Look at the tree of organisations, and write the path from the top down.",
            names=names,
            **pointer(text, at),
        )
    return ends[0]


def _put_paths(rule: Rule, paths: dict[str, str]) -> Rule:
    match rule:
        case Under(names, at):
            return Under(paths[names], at)
        case Not(term):
            return Not(_put_paths(term, paths))
        case All(terms):
            return All(tuple(_put_paths(term, paths) for term in terms))
        case AnyOf(terms):
            return AnyOf(tuple(_put_paths(term, paths) for term in terms))
    return rule


def _sql(rule: Rule, on: date, *, on_sqlite: bool) -> ColumnElement[bool]:
    match rule:
        case StatusIs(status):
            return Membership.status == status.value
        case Away():
            return Membership.mobile.is_(True)
        case BirthdayKnown():
            return Member.birthday.is_not(None)
        case AgeAtLeast(years):
            latest = birthday_at_most(years, on)
            return false() if latest is None else and_(Member.birthday.is_not(None), Member.birthday <= latest)
        case Tagged(tag):
            return _has_tag(tag, on_sqlite=on_sqlite)
        case Under(path, _):
            return in_subtree(Organisation.path, path)
        case Not(term):
            return not_(_sql(term, on, on_sqlite=on_sqlite))
        case All(terms):
            return and_(*_each(terms, on, on_sqlite=on_sqlite))
        case AnyOf(terms):
            return or_(*_each(terms, on, on_sqlite=on_sqlite))
        case Everyone():
            return true()
    raise TypeError(f"{rule!r} was not looked up")


def _each(terms: Iterable[Rule], on: date, *, on_sqlite: bool) -> list[ColumnElement[bool]]:
    return [_sql(term, on, on_sqlite=on_sqlite) for term in terms]


def _has_tag(tag: str, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Both databases unfold a JSON list into rows, each under a name of its own."""
    unfold = func.json_each if on_sqlite else func.json_array_elements_text
    tags = unfold(Member.tags).table_valued(sql_column("value", String))
    return exists(select(1).select_from(tags).where(tags.c.value == tag)).correlate(Member)
