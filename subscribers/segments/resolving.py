"""The names in a rule -> what they mean: organisations, lists of people, saved segments.

Whose names are meant is told by a path of ids, `within`: the part of the tree of whoever asks. Organisations are found
in it; segments and lists are those of its own place and of the places above, the nearest first. The names in a saved
segment are those of the place where it was saved, so that it means the same to everybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from subscribers.errors import Invalid
from subscribers.models import Organisation, PeopleList, Segment
from subscribers.organisations import LEVELS, find_paths, in_subtree
from subscribers.rules import (
    TERMS,
    InList,
    InOrganisation,
    InSubtree,
    Leaf,
    OnList,
    Place,
    Rule,
    Saved,
    changed,
    clipped,
    is_too_much,
    parse,
    pointer,
    too_much,
    walk,
)

#: segments that name segments that name segments ...
NESTING = 10
#: organisations of one name that are counted
_ALIKE = 100

_KEY = re.compile(r"#([0-9]{1,18})")

#: where a name belongs: the id of a place, None for the whole tree
Home = int | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved segment: its text, and the path of ids of the place where it was saved."""

    id: int
    rule: str
    within: str


@dataclass(slots=True)
class _Reading:
    """One rule being looked up: its text, and what was found for it so far."""

    session: Session
    text: str
    kept: dict[tuple[Home, str], Kept]
    #: what was found already, by place and name
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    lists: dict[tuple[str, str], int] = field(default_factory=dict)
    segments: dict[tuple[Home, str], Rule] = field(default_factory=dict)


def homes(within: str) -> list[Home]:
    """Whose names count in a part of the tree: the nearest place first, the whole tree last."""
    return [*(int(part) for part in reversed(within.split("/")[:-1])), None]


def of_homes(column: InstrumentedAttribute[int | None], within: str) -> ColumnElement[bool]:
    """The condition that something was saved at one of those places."""
    ids = [home for home in homes(within) if home is not None]
    return or_(column.is_(None), column.in_(ids)) if ids else column.is_(None)


def resolve(session: Session, text: str, *, within: str, being_saved: str | None = None) -> Rule:
    """The rule with what its names mean in their places. Raises `Invalid` with the place in the text."""
    rule = parse(text)
    reading = _Reading(session, text, kept_segments(session, text, rule, within))
    inside = []
    if being_saved is not None:
        inside = [(homes(within)[0], being_saved)]
        reading.kept.setdefault(inside[0], Kept(0, text, within))
    expanded = _expand(reading, rule, within, tuple(inside), None)
    if is_too_much(expanded):
        raise too_much(text)
    return expanded


def frozen_text(session: Session, text: str, *, within: str) -> str:
    """The text with ids for names, and with the rules of saved segments written out. Raises `Invalid`."""
    resolve(session, text, within=within)
    kept = kept_segments(session, text, parse(text), within)
    written = _write_out(_Reading(session, text, kept), text, within)
    try:
        parse(written)
    except Invalid:
        # all of it was understood: only its size can be wrong
        raise too_much(text) from None
    return written


def kept_segments(session: Session, text: str, rule: Rule, within: str) -> dict[tuple[Home, str], Kept]:
    """Every saved segment that the rule may name, or that those may name; one statement per step down."""
    kept: dict[tuple[Home, str], Kept] = {}
    paths = {home: _path_to(within, home) for home in homes(within)}
    seen: set[str] = set()
    wanted = _names(rule)
    while wanted:
        query = select(Segment).where(Segment.name.in_(wanted), of_homes(Segment.organisation_id, within))
        found = {
            (row.organisation_id, row.name): Kept(row.id, row.rule, paths[row.organisation_id])
            for row in session.scalars(query)
        }
        kept |= found
        if len(kept) > TERMS:
            raise too_much(text)
        seen |= wanted
        wanted = {name for each in found.values() for name in _names(parse(each.rule))} - seen
    return kept


def _names(rule: Rule) -> set[str]:
    return {term.name for term in walk(rule) if isinstance(term, Saved)}


def _path_to(within: str, home: Home) -> str:
    """The beginning of a path of ids, up to a place on it."""
    if home is None:
        return ""
    parts = within.split("/")
    return "/".join(parts[: parts.index(str(home)) + 1]) + "/"


def _expand(reading: _Reading, rule: Rule, within: str, inside: tuple[tuple[Home, str], ...], at: int | None) -> Rule:
    """`at` is the place in the text whose segment is being put in; None while the text itself is read.

    What a segment expands to is kept, and is measured: names that name names twice grow fast.
    """

    def look_up(term: Leaf) -> Rule:
        match term:
            case Saved(name, own_place):
                key = _nearest(reading, name, within, own_place if at is None else at)
                return _segment(reading, key, inside, own_place if at is None else at)
            case Place(names, whole, own_place):
                path = _organisation(reading, names, within, own_place if at is None else at)
                return InSubtree(path) if whole else InOrganisation(_id(path))
            case OnList(name, own_place):
                return InList(_list(reading, name, within, own_place if at is None else at))
        return term

    return changed(rule, look_up)


def _segment(reading: _Reading, key: tuple[Home, str], inside: tuple[tuple[Home, str], ...], at: int) -> Rule:
    if key in inside:
        raise Invalid(
            "The segment {name} would contain itself, at column {column}.\n  {line}\n  {caret}",
            hint="Change the rule of one of the segments that name each other.",
            name=clipped(key[1]),
            **pointer(reading.text, at),
        )
    if len(inside) > NESTING:
        raise too_much(reading.text, at)
    if key not in reading.segments:
        kept = reading.kept[key]
        expanded = _expand(reading, parse(kept.rule), kept.within, (*inside, key), at)
        if is_too_much(expanded):
            raise too_much(reading.text, at)
        reading.segments[key] = expanded
    return reading.segments[key]


def _nearest(reading: _Reading, name: str, within: str, at: int) -> tuple[Home, str]:
    for home in homes(within):
        if (home, name) in reading.kept:
            return home, name
    raise Invalid(
        "There is no segment {name}, at column {column}.\n  {line}\n  {caret}",
        hint="Built in are: in_service, retired, mobile, reachable, everyone (在职 离退休 流动 可发 所有人).",
        name=clipped(name),
        **pointer(reading.text, at),
    )


def _organisation(reading: _Reading, names: str, within: str, at: int) -> str:
    """The path of ids for names from the top down, or for the end of such a path if only one organisation has it."""
    if (within, names) not in reading.places:
        found = _find_places(reading.session, names, within)
        if len(found) > 1:
            raise Invalid(
                "{names} is the name of {number} organisations, at column {column}.\n  {line}\n  {caret}",
                hint="Write the path from the top down, like City/Branch.",
                names=clipped(names),
                number=f"{_ALIKE}+" if len(found) >= _ALIKE else len(found),
                **pointer(reading.text, at),
            )
        if not found:
            raise Invalid(
                "There is no organisation {names}, at column {column}.\n  {line}\n  {caret}",
                hint="Look at the tree of organisations, and write the path from the top down.",
                names=clipped(names),
                **pointer(reading.text, at),
            )
        reading.places[within, names] = found[0]
    return reading.places[within, names]


def _find_places(session: Session, names: str, within: str) -> list[str]:
    """The paths of ids that may be meant; one at most if the names begin at the top."""
    mine = in_subtree(Organisation.path, within)
    if (key := _key(names)) is not None:
        return list(session.scalars(select(Organisation.path).where(Organisation.id == key, mine)))
    parts = [part.strip() for part in names.replace("／", "/").strip("/ ").split("/")]
    if len(parts) > LEVELS:
        return []
    wanted = "/".join(parts)
    exact = find_paths(session, [wanted]).get(wanted)
    if exact is not None and exact.startswith(within):
        return [exact]
    query = select(Organisation.path).where(Organisation.name == parts[-1], mine).limit(_ALIKE)
    lower: type[Organisation] = Organisation
    for part in reversed(parts[:-1]):
        upper = aliased(Organisation)
        query = query.join(upper, upper.id == lower.parent_id).where(upper.name == part)
        lower = upper
    return list(session.scalars(query))


def _list(reading: _Reading, name: str, within: str, at: int) -> int:
    if (within, name) not in reading.lists:
        found = _find_list(reading.session, name, within)
        if found is None:
            raise Invalid(
                "There is no list {name}, at column {column}.\n  {line}\n  {caret}",
                hint="`broadsheet lists list` shows them.",
                name=clipped(name),
                **pointer(reading.text, at),
            )
        reading.lists[within, name] = found
    return reading.lists[within, name]


def _find_list(session: Session, name: str, within: str) -> int | None:
    if (key := _key(name)) is not None:
        below = select(Organisation.id).where(in_subtree(Organisation.path, within))
        mine = or_(of_homes(PeopleList.organisation_id, within), PeopleList.organisation_id.in_(below))
        return session.scalar(select(PeopleList.id).where(PeopleList.id == key, mine))
    query = select(PeopleList.organisation_id, PeopleList.id).where(
        PeopleList.name == name, of_homes(PeopleList.organisation_id, within)
    )
    found = dict(session.execute(query).all())
    return next((found[home] for home in homes(within) if home in found), None)


def _write_out(reading: _Reading, text: str, within: str) -> str:
    """Each name replaced where it stands, from the end on, so that the places before it stay what they are."""
    named = [term for term in walk(parse(text)) if isinstance(term, Place | OnList | Saved)]
    for term in sorted(named, key=lambda term: term.at, reverse=True):
        match term:
            case Place(names):
                instead = f"#{_id(_organisation(reading, names, within, term.at))}"
            case OnList(name):
                instead = f"#{_list(reading, name, within, term.at)}"
            case Saved(name):
                kept = reading.kept[_nearest(reading, name, within, term.at)]
                instead = f"({_write_out(reading, kept.rule, kept.within)})"
        text = text[: term.at] + instead + text[term.end :]
    return text


def _key(name: str) -> int | None:
    """The id in place of a name: #12."""
    found = _KEY.fullmatch(name)
    return int(found[1]) if found else None


def _id(path: str) -> int:
    return int(path.rsplit("/", 2)[-2])
