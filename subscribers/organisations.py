"""The tree of organisations: who is under whom, found by names, kept as a chain of ids so that a subtree is a range."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Result, and_, func, insert, literal, select, true, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from subscribers.actor import Actor, Right
from subscribers.db import in_bulk, lock_table, reserve_ids
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.models import Organisation

NAME_LENGTH = 200
#: a chain of ids of so many levels fits its column at any size a country can have
LEVELS = 30


@dataclass(frozen=True, slots=True)
class Node:
    """One organisation of the tree. `path` is the chain of ids, `names` the chain of names with slashes."""

    id: int
    parent_id: int | None
    name: str
    names: str
    kind: str
    level: int
    path: str
    opened_on: date | None
    closed_on: date | None


def subtree_range(path: str) -> tuple[str, str]:
    """The half-open range of paths that are this organisation or under it; an empty path is the whole tree."""
    # "0" follows "/" and ":" follows "9", byte by byte
    return (path, f"{path[:-1]}0") if path else ("", ":")


def in_subtree(column: InstrumentedAttribute[str], path: str) -> ColumnElement[bool]:
    """The condition that an organisation's path lies in the subtree of `path`."""
    low, high = subtree_range(path)
    return and_(column >= low, column < high) if path else true()


def clean_path(names: str) -> str:
    """A path of names as it is kept: no spaces around names, one kind of slash. Raises `Invalid`."""
    parts = [part.strip() for part in names.replace("／", "/").strip().strip("/").split("/")]
    if not all(parts):
        raise Invalid(
            "The organisation path {path} has an empty name in it.",
            hint="Write it like City/Branch, from the top down.",
            path=repr(names),
        )
    if not all(part.isprintable() for part in parts):
        raise Invalid(
            "The organisation path {path} has signs in it that cannot be printed.",
            hint="Write its names on one line, in ordinary characters.",
            path=repr(names[:60]),
        )
    if len(parts) > LEVELS or any(len(part) > NAME_LENGTH for part in parts):
        raise Invalid(
            "The organisation path {path} is too long.",
            hint="At most {levels} levels, at most {length} characters in a name.",
            path=repr(names[:60]),
            levels=LEVELS,
            length=NAME_LENGTH,
        )
    return "/".join(parts)


def is_within(names: str, home: str) -> bool:
    """Whether a path of names is `home` or under it; an empty home holds everything."""
    return not home or names == home or names.startswith(f"{home}/")


def home_of(session: Session, actor: Actor) -> str:
    """The path of names of the actor's part of the tree; empty for all of it."""
    return names_of(session, [actor.under])[actor.under] if actor.under else ""


def names_of(session: Session, paths: Iterable[str]) -> dict[str, str]:
    """Paths of ids -> paths of names, in one statement per thousand organisations."""
    wanted = set(paths)
    chains = {path: [int(part) for part in path.split("/") if part] for path in wanted}
    names: dict[int, str] = {}
    for ids in in_bulk({id_ for chain in chains.values() for id_ in chain}):
        rows = session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids)))
        names |= dict(rows.all())
    return {path: "/".join(names[id_] for id_ in chain) for path, chain in chains.items()}


def find_paths(session: Session, paths: Collection[str]) -> dict[str, str]:
    """Clean paths of names -> paths of ids, of those that exist; one statement per level and thousand paths."""
    found: dict[str, str] = {}
    for level in _by_level(paths):
        known = {(_id(found[_parent(path)]), _name(path)): path for path in level if _parent(path) in found}
        for portion in in_bulk(known):
            pairs = tuple_(Organisation.parent_id, Organisation.name).in_(portion)
            found |= {known[parent_id or 0, name]: path for parent_id, name, path in _nodes(session, pairs)}
        tops = [path for path in level if "/" not in path]
        for names in in_bulk(tops):
            top = and_(Organisation.parent_id.is_(None), Organisation.name.in_(names))
            found |= {name: path for _, name, path in _nodes(session, top)}
    return found


def ensure_paths(session: Session, actor: Actor, paths: Collection[str], *, now: datetime) -> dict[str, int]:
    """Paths of names -> ids; what is missing is made, a level at a time. The keys are the paths as they were given.

    Raises `Invalid` for a path that cannot be one, `Denied` for one outside of the actor's part of the tree.
    """
    actor.must(Right.REGISTER)
    clean = {path: clean_path(path) for path in paths}
    home = home_of(session, actor)
    for path in clean.values():
        if not is_within(path, home):
            raise Denied(
                "{name} has no right to make organisations outside of {home}.",
                hint="Begin the path with {home}.",
                name=actor.name,
                home=home,
            )
    found = find_paths(session, set(clean.values()))
    if not found.keys() >= set(clean.values()):
        lock_table(session, Organisation)
        found = find_paths(session, set(clean.values()))
        _make_missing(session, set(clean.values()), found)
    return {given: _id(found[path]) for given, path in clean.items()}


def ensure_path(session: Session, actor: Actor, path: str, *, now: datetime) -> int:
    """The id of the organisation at one path of names, made if it is missing. Errors as `ensure_paths`."""
    return ensure_paths(session, actor, [path], now=now)[path]


def add(session: Session, actor: Actor, name: str, *, under: str = "", kind: str = "", now: datetime) -> Node:
    """A new organisation under a path of names (at the top if empty). Raises `Conflict` if the name is taken there."""
    actor.must(Right.REGISTER)
    parent = find_by_path(session, actor, under) if under else None
    path = clean_path(f"{parent.names}/{name}" if parent else name)
    lock_table(session, Organisation)
    if path in find_paths(session, [path]):
        raise Conflict("There is an organisation {path} already.", hint="Choose another name.", path=path)
    id_ = ensure_path(session, actor, path, now=now)
    session.execute(update(Organisation).where(Organisation.id == id_).values(kind=kind))
    return find_by_path(session, actor, path)


def find_by_path(session: Session, actor: Actor, names: str) -> Node:
    """The organisation at a path of names. Raises `NotFound`, also if it is outside of the actor's part of the tree."""
    actor.must(Right.SEE)
    path = clean_path(names)
    chain = find_paths(session, [path]).get(path)
    if chain is None or not chain.startswith(actor.under):
        raise NotFound(
            "There is no organisation {path}.",
            hint="Look at the tree of organisations, and write the names from the top down with a slash between them.",
            path=path,
        )
    return _node(session.get_one(Organisation, _id(chain), populate_existing=True), path)


def tree(session: Session, actor: Actor, under: str | None = None) -> list[Node]:
    """The actor's part of the tree, or what is under the path of ids `under` in it: each parent before its children."""
    actor.must(Right.SEE)
    rows = session.scalars(
        select(Organisation)
        .where(in_subtree(Organisation.path, actor.under), in_subtree(Organisation.path, under or ""))
        .execution_options(populate_existing=True)
    ).all()
    outer = {path: path.rsplit("/", 2)[0] + "/" for path in (row.path for row in rows)}
    names = names_of(session, {outer[row.path] for row in rows if row.level > 0} - {row.path for row in rows})
    nodes = []
    for row in sorted(rows, key=lambda row: [int(part) for part in row.path.split("/")[:-1]]):
        above = names.get(outer[row.path], "") if row.level > 0 else ""
        names[row.path] = f"{above}/{row.name}" if above else row.name
        nodes.append(_node(row, names[row.path]))
    return nodes


def move(session: Session, actor: Actor, names: str, *, under: str, now: datetime) -> int:
    """Hang an organisation, with all that is under it, under another one (at the top if empty): how many moved.

    Raises `Conflict` if that would make a circle, or if the name is taken there.
    """
    actor.must(Right.REGISTER)
    lock_table(session, Organisation)
    node = find_by_path(session, actor, names)
    parent = find_by_path(session, actor, under) if under else None
    if actor.under and (node.path == actor.under or parent is None):
        raise Denied(
            "{name} has no right to move organisations out of their part of the tree.",
            hint="Ask an administrator of the organisation above.",
            name=actor.name,
        )
    if parent is not None and parent.path.startswith(node.path):
        raise Conflict(
            "{path} cannot be moved under itself.",
            hint="Choose an organisation that is not part of {path}.",
            path=node.names,
        )
    destination = f"{parent.names}/{node.name}" if parent else node.name
    if destination != node.names and destination in find_paths(session, [destination]):
        raise Conflict("There is an organisation {path} already.", hint="Choose another name.", path=destination)
    return _hang(session, node, parent)


def _hang(session: Session, node: Node, parent: Node | None) -> int:
    stem = node.path[: -len(f"{node.id}/")]
    new_stem, level = (parent.path, parent.level + 1) if parent else ("", 0)
    session.execute(
        update(Organisation).where(Organisation.id == node.id).values(parent_id=parent.id if parent else None)
    )
    moved = session.execute(
        update(Organisation)
        .where(in_subtree(Organisation.path, node.path))
        .values(
            path=literal(new_stem).concat(func.substr(Organisation.path, len(stem) + 1)),
            level=Organisation.level + (level - node.level),
        )
        .returning(Organisation.id),
        execution_options={"synchronize_session": False},
    )
    return len(moved.all())


def _make_missing(session: Session, paths: Collection[str], found: dict[str, str]) -> None:
    for number, level in enumerate(_by_level(paths)):
        for portion in in_bulk(sorted(path for path in level if path not in found)):
            rows: list[dict[str, object]] = []
            for path, id_ in zip(portion, reserve_ids(session, Organisation, len(portion)), strict=True):
                above = found.get(_parent(path))
                found[path] = f"{above or ''}{id_}/"
                parent_id = None if above is None else _id(above)
                rows.append(
                    {"id": id_, "parent_id": parent_id, "name": _name(path), "level": number, "path": found[path]}
                )
            session.execute(insert(Organisation), rows)


def _nodes(session: Session, condition: ColumnElement[bool]) -> Result[int | None, str, str]:
    return session.execute(select(Organisation.parent_id, Organisation.name, Organisation.path).where(condition))


def _by_level(paths: Collection[str]) -> list[list[str]]:
    """All the paths and all that is above them, from the top down."""
    levels: list[dict[str, None]] = []
    for path in paths:
        parts = path.split("/")
        levels += [{} for _ in range(len(parts) - len(levels))]
        for depth in range(len(parts)):
            levels[depth]["/".join(parts[: depth + 1])] = None
    return [list(level) for level in levels]


def _id(chain: str) -> int:
    return int(chain.rsplit("/", 2)[-2])


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _node(row: Organisation, names: str) -> Node:
    return Node(
        id=row.id,
        parent_id=row.parent_id,
        name=row.name,
        names=names,
        kind=row.kind,
        level=row.level,
        path=row.path,
        opened_on=row.opened_on,
        closed_on=row.closed_on,
    )
