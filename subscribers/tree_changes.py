"""Changing the tree of organisations: add, rename, move, close, open again. A move touches nothing of a member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from subscribers import audit
from subscribers.actor import Actor, Right, needs
from subscribers.db import lock_table
from subscribers.errors import Conflict, Denied, Invalid
from subscribers.models import Membership, Organisation
from subscribers.names import place_key
from subscribers.organisations import (
    LEVELS,
    Node,
    clean_names,
    clean_path,
    find_by_path,
    find_paths,
    in_subtree,
    is_closed,
    make_missing,
)

KIND_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Closed:
    """An organisation that takes nobody in any more, and how much went elsewhere."""

    organisation: Node
    members: int
    organisations: int


@needs(Right.REGISTER)
def add(
    session: Session,
    actor: Actor,
    name: str,
    *,
    under: str = "",
    kind: str = "",
    opened_on: date | None = None,
    now: datetime,
) -> Node:
    """A new organisation under a path of names (at the top if empty). Raises `Conflict` if the name is taken there."""
    lock_table(session, Organisation)
    parent = find_by_path(session, actor, under) if under else None
    if parent is None:
        _refuse_scoped(actor)
    name = clean_name(name)
    path = clean_path(f"{parent.names}/{name}" if parent else name)
    found = find_paths(session, [path])
    _refuse_taken(path, found)
    about = {path: {"kind": clean_kind(kind), "opened_on": opened_on}}
    make_missing(session, [path], found, about=about)
    audit.note(session, actor, "organisations.add", path, people=0, now=now)
    return find_by_path(session, actor, path)


@needs(Right.REGISTER)
def rename(session: Session, actor: Actor, names: str, name: str, *, now: datetime) -> Node:
    """Give an organisation another name, in its place. Raises `Conflict` if the name is taken there."""
    lock_table(session, Organisation)
    node = _changeable(session, actor, names)
    name = clean_name(name)
    above = node.names.rpartition("/")[0]
    path = clean_path(f"{above}/{name}" if above else name)
    if path != node.names:
        _refuse_taken(path, find_paths(session, [path]))
        name = path.rpartition("/")[2]
        _set(session, Organisation.id == node.id, name=name, search_key=place_key(name))
        audit.note(session, actor, "organisations.rename", node.names, people=0, now=now, name=name)
    return find_by_path(session, actor, path)


@needs(Right.REGISTER)
def set_kind(session: Session, actor: Actor, names: str, kind: str, *, now: datetime) -> Node:
    """Say what an organisation is: a committee, a branch, in the words of its own house."""
    node = find_by_path(session, actor, names)
    _set(session, Organisation.id == node.id, kind=clean_kind(kind))
    audit.note(session, actor, "organisations.kind", node.names, people=0, now=now, kind=clean_kind(kind))
    return find_by_path(session, actor, names)


@needs(Right.REGISTER)
def move(session: Session, actor: Actor, names: str, *, under: str, now: datetime) -> int:
    """Hang an organisation, with all that is under it, under another one (at the top if empty): how many moved.

    `broadcaster.moving` calls this, and takes along what is kept above the registry; rights move along. Raises
    `Conflict` if that would make a circle, if the name is taken there, or if the other one is closed.
    """
    lock_table(session, Organisation)
    node = _changeable(session, actor, names)
    parent = find_by_path(session, actor, under) if under else None
    if parent is None:
        _refuse_scoped(actor)
    elif parent.path.startswith(node.path):
        raise Conflict(
            "{path} cannot be moved under itself.",
            hint="Choose an organisation that is not part of {path}.",
            path=node.names,
        )
    elif parent.closed_on is not None:
        raise is_closed(parent.names, parent.closed_on)
    path = f"{parent.names}/{node.name}" if parent else node.name
    if path != node.names:
        _refuse_taken(path, find_paths(session, [path]))
    moved = _hang(session, node, parent, in_subtree(Organisation.path, node.path), keep=True)
    _set(session, Organisation.id == node.id, parent_id=parent.id if parent else None)
    audit.note(session, actor, "organisations.move", node.names, people=0, now=now, under=under, moved=moved)
    return moved


@needs(Right.REGISTER)
def close(session: Session, actor: Actor, names: str, *, on: date, into: str = "", now: datetime) -> Closed:
    """From the day `on`, nobody can be put into this organisation; what it was before stays on record.

    Its members, and what is under it, go `into` another one; `broadcaster.moving` calls this, too. Raises `Conflict`
    if there are any and `into` is empty, if it is closed already, or if a name under it is taken there.
    """
    lock_table(session, Organisation)
    node = _changeable(session, actor, names)
    # whoever is being put there at this moment is counted, or comes too late
    session.execute(select(Organisation.id).where(Organisation.id == node.id).with_for_update())
    if node.closed_on is not None:
        raise is_closed(node.names, node.closed_on)
    if node.opened_on is not None and on < node.opened_on:
        raise Invalid(
            "{path} was only opened on {day}.",
            hint="Give a day from {day} on.",
            path=node.names,
            day=node.opened_on,
        )
    heir = find_by_path(session, actor, into) if into else None
    if heir is not None:
        _refuse_as_heir(node, heir)
    members, organisations = _take_over(session, node, heir, on) if heir else _refuse_full(session, node, on)
    _set(session, Organisation.id == node.id, closed_on=on)
    audit.note(session, actor, "organisations.close", node.names, people=members, now=now, on=on.isoformat(), into=into)
    return Closed(find_by_path(session, actor, names), members, organisations)


@needs(Right.REGISTER)
def reopen(session: Session, actor: Actor, names: str, *, now: datetime) -> Node:
    """Let members be put into a closed organisation again. Raises `Conflict` if it is open, or what is above is not."""
    lock_table(session, Organisation)
    node = _changeable(session, actor, names)
    if node.closed_on is None:
        raise Conflict("{path} is open.", hint="Members can be put into it.", path=node.names)
    above = node.names.rpartition("/")[0]
    if above and (closed_on := find_by_path(session, actor, above).closed_on) is not None:
        raise is_closed(above, closed_on)
    _set(session, Organisation.id == node.id, closed_on=None)
    audit.note(session, actor, "organisations.reopen", node.names, people=0, now=now)
    return find_by_path(session, actor, names)


def clean_name(name: str) -> str:
    """One name of the tree as it is kept. Raises `Invalid`."""
    clean = clean_names(name)
    if "/" in clean or "/" in name.replace("／", "/"):
        raise Invalid("The name {name} has a slash in it.", hint="Slashes stand between names.", name=repr(name[:60]))
    return clean


def clean_kind(kind: str) -> str:
    """What an organisation is, as it is kept. Raises `Invalid`."""
    kind = kind.strip()
    if len(kind) > KIND_LENGTH or not kind.isprintable():
        raise Invalid(
            "{kind} cannot be the kind of an organisation.",
            hint="Give at most {length} ordinary characters, like branch.",
            kind=ascii(kind[:KIND_LENGTH]),
            length=KIND_LENGTH,
        )
    return kind


def _changeable(session: Session, actor: Actor, names: str) -> Node:
    """An organisation that is the actor's to change: not the one that their part of the tree begins with."""
    node = find_by_path(session, actor, names)
    if actor.under and node.path == actor.under:
        _refuse_scoped(actor)
    return node


def _refuse_scoped(actor: Actor) -> None:
    if actor.under:
        raise Denied(
            "{name} has no right to change the place where their part of the tree begins.",
            hint="Ask an administrator of the organisation above.",
            name=actor.name,
        )


def _refuse_taken(path: str, found: dict[str, str]) -> None:
    if path in found:
        raise Conflict("There is an organisation {path} already.", hint="Choose another name.", path=path)


def _refuse_as_heir(node: Node, heir: Node) -> None:
    if heir.path.startswith(node.path):
        raise Conflict(
            "What is in {path} cannot go into {into}: that is part of it.",
            hint="Choose an organisation that is not part of {path}.",
            path=node.names,
            into=heir.names,
        )
    if heir.closed_on is not None:
        raise is_closed(heir.names, heir.closed_on)


def _refuse_full(session: Session, node: Node, on: date) -> tuple[int, int]:
    members = session.scalar(select(func.count()).select_from(Membership).where(_stays(node, on))) or 0
    children = select(func.count()).where(Organisation.parent_id == node.id, Organisation.closed_on.is_(None))
    organisations = session.scalar(children) or 0
    if members or organisations:
        raise Conflict(
            "{path} is not empty: {members} members and {organisations} organisations are in it.",
            hint="Say where they go: --into PATH.",
            path=node.names,
            members=members,
            organisations=organisations,
        )
    return 0, 0


def _take_over(session: Session, node: Node, heir: Node, on: date) -> tuple[int, int]:
    """Members from the day on; organisations at once, closed ones too, as they have no other place."""
    taken = select(Organisation.name).where(Organisation.parent_id == heir.id)
    twice = session.scalar(
        select(Organisation.name).where(Organisation.parent_id == node.id, Organisation.name.in_(taken)).limit(1)
    )
    if twice is not None:
        _refuse_taken(f"{heir.names}/{twice}", {f"{heir.names}/{twice}": ""})
    under = and_(in_subtree(Organisation.path, node.path), Organisation.id != node.id)
    organisations = _hang(session, node, heir, under, keep=False)
    _set(session, Organisation.parent_id == node.id, parent_id=heir.id)
    return _put_members(session, node, heir, on), organisations


def _put_members(session: Session, node: Node, heir: Node, on: date) -> int:
    """Whoever is there until after the day is in the other one from the day on: how many."""
    before = and_(_stays(node, on), Membership.valid_from < on)
    columns = ("member_id", "status", "mobile", "away_place", "host_branch", "valid_until")
    session.execute(
        insert(Membership).from_select(
            [*columns, "organisation_id", "valid_from"],
            select(*(getattr(Membership, column) for column in columns), literal(heir.id), literal(on)).where(before),
        )
    )
    # in this order: what ends on the day is no longer what stays
    ended = _change(session, Membership, before, valid_until=on)
    return ended + _change(session, Membership, _stays(node, on), organisation_id=heir.id)


def _stays(node: Node, on: date) -> ColumnElement[bool]:
    until = Membership.valid_until
    return and_(Membership.organisation_id == node.id, or_(until.is_(None), until > on))


def _hang(session: Session, node: Node, parent: Node | None, under: ColumnElement[bool], *, keep: bool) -> int:
    """Other paths and levels for all of these: one statement over a range of the index: how many they are.

    `keep`: whether the organisation itself stays a part of the path.
    """
    stem, level = (parent.path, parent.level + 1) if parent else ("", 0)
    cut = len(node.path) - (len(f"{node.id}/") if keep else 0)
    deeper = level - node.level - (0 if keep else 1)
    deepest = session.scalar(select(func.max(Organisation.level)).where(under))
    if deepest is not None and deepest + deeper >= LEVELS:
        raise Conflict(
            "What is under {path} would be too deep there: at most {levels} levels.",
            hint="Choose an organisation further up.",
            path=node.names,
            levels=LEVELS,
        )
    return _change(
        session,
        Organisation,
        under,
        path=literal(stem).concat(func.substr(Organisation.path, cut + 1)),
        level=Organisation.level + deeper,
    )


def _set(session: Session, which: ColumnElement[bool], **values: Any) -> None:
    _change(session, Organisation, which, **values)


def _change(session: Session, table: type[Organisation] | type[Membership], which: Any, **values: Any) -> int:
    result: Any = session.execute(
        update(table).where(which).values(**values), execution_options={"synchronize_session": False}
    )
    changed: int = result.rowcount
    return changed
