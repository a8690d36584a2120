"""Saved segments: named, replaced, removed, at the place of whoever saves them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import audit, seen
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Invalid, NotFound, Outdated
from subscribers.models import Organisation, Segment
from subscribers.organisations import home_of, in_subtree, names_of
from subscribers.rules import BUILT_IN, Saved, parse, walk
from subscribers.segments.resolving import Home, homes, kept_segments, of_homes, resolve

NAME_LENGTH = 100
_QUOTES = "\"'“”‘’「」"


@dataclass(frozen=True, slots=True)
class SavedSegment:
    """A name for a rule. `place`: the path of names of where it was saved; empty for the whole tree."""

    name: str
    rule: str
    saved_by: str
    saved_at: datetime
    place: str = ""


@needs(Right.EDIT)
def save(session: Session, actor: Actor, name: str, rule: str, *, read: str = "", now: datetime) -> SavedSegment:
    """Give a rule a name at the actor's own place, or a name of that place another rule.

    Who saved the rule before, and when, goes to the audit. `read`: what the form carried. Raises `Outdated`, and
    `Invalid` for a rule that cannot be asked.
    """
    name = clean_name(name)
    resolve(session, rule, within=actor.under, being_saved=name)
    segment = _own(session, actor, name)
    if segment is None:
        segment = Segment(name=name, organisation_id=homes(actor.under)[0])
        session.add(segment)
    else:
        _refuse_outdated(segment, read, mark_of(rule))
        before = {"before_by": segment.saved_by, "before_at": segment.saved_at.isoformat()}
        audit.note(session, actor, "segments.replace", name, people=0, now=now, **before)
    segment.rule, segment.saved_by, segment.saved_at = rule, actor.name, now
    session.flush()
    return SavedSegment(name, rule, actor.name, now, home_of(session, actor))


@needs(Right.EDIT)
def remove(session: Session, actor: Actor, name: str, *, read: str = "", now: datetime) -> SavedSegment:
    """Take a name away again. Campaigns keep the rule as it was when they were drafted.

    `read`: what the form carried. Raises `NotFound` if it was not saved at the actor's own place, `Outdated`, and
    `Conflict` while another segment names it.
    """
    segment = _own(session, actor, name.strip())
    if segment is None:
        raise NotFound(
            "There is no segment {name} of yours.",
            hint="`broadsheet segments list` shows them. Those of the places above are removed there.",
            name=name.strip()[:NAME_LENGTH],
        )
    _refuse_outdated(segment, read)
    users = _users(session, actor, segment)
    if users:
        raise Conflict(
            "The segment {name} is named by {users}.",
            hint="Change these first, or remove them.",
            name=segment.name,
            users=users,
        )
    removed = SavedSegment(segment.name, segment.rule, segment.saved_by, segment.saved_at, home_of(session, actor))
    before = {"before_by": segment.saved_by, "before_at": segment.saved_at.isoformat()}
    audit.note(session, actor, "segments.remove", segment.name, people=0, now=now, **before)
    session.delete(segment)
    session.flush()
    return removed


def mark_of(rule: str | None) -> str:
    """The mark of a segment by its rule; None: there is none of this name."""
    return seen.mark(rule)


@needs(Right.SEE)
def listing(session: Session, actor: Actor) -> list[SavedSegment]:
    """The saved segments that the actor's rules may name, by name; of those alike only the one that is meant."""
    rows = session.execute(
        select(Segment, Organisation.path)
        .outerjoin(Organisation, Organisation.id == Segment.organisation_id)
        .where(of_homes(Segment.organisation_id, actor.under))
    ).all()
    names = names_of(session, {path for _, path in rows if path})
    nearest: dict[str, SavedSegment] = {}
    for segment, path in sorted(rows, key=lambda row: len(row[1] or "")):
        place = names[path] if path else ""
        nearest[segment.name] = SavedSegment(segment.name, segment.rule, segment.saved_by, segment.saved_at, place)
    return [nearest[name] for name in sorted(nearest)]


def last_saved(session: Session, rule: str, *, within: str) -> SavedSegment | None:
    """Of the segments that a rule names, and of those that these name, the one saved last; its place is not told."""
    ids = {each.id for each in kept_segments(session, rule, parse(rule), within).values()}
    if not ids:
        return None
    query = select(Segment).where(Segment.id.in_(ids)).order_by(Segment.saved_at.desc(), Segment.id.desc()).limit(1)
    last = session.scalars(query).one()
    return SavedSegment(last.name, last.rule, last.saved_by, last.saved_at)


def clean_name(name: str) -> str:
    """The name of a segment or a list as it is kept. Raises `Invalid`."""
    name = name.strip()
    if (
        not name
        or len(name) > NAME_LENGTH
        or not name.isprintable()
        or name[0] == "#"
        or any(quote in name for quote in _QUOTES)
    ):
        raise Invalid(
            "A segment cannot be called {name}.",
            hint="Give 1 to {length} characters, without quotes, and no # in front.",
            name=ascii(name[:NAME_LENGTH]) if not name.isprintable() else repr(name[:NAME_LENGTH]),
            length=NAME_LENGTH,
        )
    if name.lower() in BUILT_IN:
        raise Invalid("{name} is built in, and stays what it is.", hint="Choose another name.", name=name)
    return name


def _own(session: Session, actor: Actor, name: str) -> Segment | None:
    home: Home = homes(actor.under)[0]
    mine = select(Segment).where(Segment.name == name, Segment.organisation_id.is_not_distinct_from(home))
    # nobody else changes it before this transaction ends
    return session.scalar(mine.with_for_update().execution_options(populate_existing=True))


def _refuse_outdated(segment: Segment, read: str, after: str = "") -> None:
    if seen.is_outdated(read, mark_of(segment.rule), after):
        raise Outdated(
            "{who} has saved another rule under the name {name}.",
            hint="It stands below. Yours replaces it only if you press once more.",
            who=segment.saved_by,
            name=segment.name,
            at=segment.saved_at,
        )


def _users(session: Session, actor: Actor, segment: Segment) -> list[str]:
    """The segments, here and further down, whose rule has this name in it."""
    below = select(Organisation.id).where(in_subtree(Organisation.path, actor.under))
    mine = Segment.organisation_id.in_(below) if actor.under else Segment.id.is_not(None)
    others = session.scalars(
        select(Segment).where(mine, Segment.id != segment.id, Segment.rule.contains(segment.name, autoescape=True))
    )
    return sorted(
        {
            other.name
            for other in others
            if any(isinstance(term, Saved) and term.name == segment.name for term in walk(parse(other.rule)))
        }
    )
