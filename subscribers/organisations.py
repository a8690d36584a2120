"""The tree of organisations: who is under whom, found by names, kept as a chain of ids so that a subtree is a range.

How it is changed is in `subscribers.tree_changes`, how it is taken in from a file in `subscribers.tree_import`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from subscribers.actor import Actor, Right, needs
from subscribers.db import BULK, in_bulk, lock_table, reserve_ids
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.models import Membership, Organisation
from subscribers.nowhere import stored_name

NAME_LENGTH = 200
#: a chain of ids of so many levels fits its column at any size a country can have
LEVELS = 30
#: paths from which on it is quicker to read the whole tree
_MANY = 3 * BULK


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
    """A path of names from the top down as it is kept. Raises `Invalid`."""
    return stored_name(clean_names(names))


def clean_names(names: str) -> str:
    """Names as they are kept, wherever they stand: no spaces around them, one kind of slash. Raises `Invalid`."""
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


def hold_place(session: Session, path: str) -> None:
    """Keep a place where it is until this transaction ends: for whoever writes its path of ids into another table.

    Raises `Conflict` if it is there no longer.
    """
    here = select(Organisation.id).where(Organisation.path == path).with_for_update(read=True)
    if path and session.scalar(here) is None:
        raise Conflict("Your place in the tree was moved at this moment.", hint="Do it again.")


def find_paths(session: Session, paths: Collection[str]) -> dict[str, str]:
    """Clean paths of names -> paths of ids, of those that exist, and of all that is above them.

    One statement per level and thousand paths; for many paths one that reads the whole tree.
    """
    if len(paths) > _MANY:
        return _among_all(session, paths)
    found: dict[str, str] = {}
    for level in _by_level(paths):
        known = {(_id(found[_parent(path)]), _name(path)): path for path in level if _parent(path) in found}
        for portion in in_bulk(known):
            pairs = tuple_(Organisation.parent_id, Organisation.name).in_(portion)
            found |= {known[row.parent_id or 0, row.name]: row.path for row in session.execute(_nodes().where(pairs))}
        tops = [path for path in level if "/" not in path]
        for names in in_bulk(tops):
            top = and_(Organisation.parent_id.is_(None), Organisation.name.in_(names))
            found |= {row.name: row.path for row in session.execute(_nodes().where(top))}
    return found


@needs(Right.REGISTER)
def ensure_paths(session: Session, actor: Actor, paths: Collection[str], *, now: datetime) -> dict[str, int]:
    """Paths of names -> ids; what is missing is made, a level at a time. The keys are the paths as they were given.

    Raises `Invalid` for a path that cannot be one, `Denied` for one outside of the actor's part of the tree,
    `Conflict` if something would have to be made under an organisation that is closed.
    """
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
    wanted = set(clean.values())
    found = find_paths(session, wanted)
    if not found.keys() >= wanted:
        lock_table(session, Organisation)
        found = find_paths(session, wanted)
        make_missing(session, sorted(wanted), found)
    return {given: _id(found[path]) for given, path in clean.items()}


@needs(Right.REGISTER)
def ensure_path(session: Session, actor: Actor, path: str, *, now: datetime) -> int:
    """The id of the organisation at one path of names, made if it is missing. Errors as `ensure_paths`."""
    return ensure_paths(session, actor, [path], now=now)[path]


@needs(Right.SEE)
def find_by_path(session: Session, actor: Actor, names: str) -> Node:
    """The organisation at a path of names. Raises `NotFound`, also if it is outside of the actor's part of the tree."""
    path = clean_path(names)
    chain = find_paths(session, [path]).get(path)
    if chain is None or not chain.startswith(actor.under):
        raise NotFound(
            "There is no organisation {path}.",
            hint="Look at the tree of organisations, and write the names from the top down with a slash between them.",
            path=path,
        )
    return _node(session.execute(_nodes().where(Organisation.id == _id(chain))).one(), path)


@needs(Right.SEE)
def tree(session: Session, actor: Actor, under: str | None = None, *, depth: int | None = None) -> list[Node]:
    """The actor's part of the tree, or what is under the path of ids `under` in it: each parent before its children.

    `depth`: so many levels, the first one counted; None for all.
    """
    # a path of ids has a slash for each of its levels
    top = max(under or "", actor.under, key=len)
    query = _nodes().where(in_subtree(Organisation.path, actor.under), in_subtree(Organisation.path, under or ""))
    if depth == 1 and not top:
        query = query.where(Organisation.parent_id.is_(None))
    elif depth == 2 and top:
        # by an index: to look at all levels for their depth takes as long as the tree is large
        query = query.where(or_(Organisation.path == top, Organisation.parent_id == _id(top)))
    elif depth is not None:
        query = query.where(Organisation.level < max(top.count("/") - 1, 0) + depth)
    rows = session.execute(query).all()
    known = {row.path for row in rows}
    names = names_of(session, {above for row in rows if (above := _above(row.path)) and above not in known})
    nodes = []
    for row in sorted(rows, key=lambda row: [int(part) for part in row.path.split("/")[:-1]]):
        above = names.get(_above(row.path), "")
        names[row.path] = f"{above}/{row.name}" if above else row.name
        nodes.append(_node(row, names[row.path]))
    return nodes


@needs(Right.SEE)
def count_members(session: Session, actor: Actor, nodes: Collection[Node], *, on: date) -> dict[int, int]:
    """How many members each of these organisations has on a day, with all that is under it: id -> members.

    One statement, grouped by organisation.
    """
    counts = dict.fromkeys((node.id for node in nodes), 0)
    holds = and_(Membership.valid_from <= on, or_(Membership.valid_until.is_(None), Membership.valid_until > on))
    tops = _tops(nodes)
    if not tops:
        return counts
    here = or_(*(in_subtree(Organisation.path, path) for path in tops)) if len(tops) <= BULK else true()
    rows = session.execute(
        select(Organisation.path, func.count())
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(holds, here, in_subtree(Organisation.path, actor.under))
        .group_by(Organisation.path)
    )
    for path, members in rows:
        for part in path.split("/")[:-1]:
            if int(part) in counts:
                counts[int(part)] += members
    return counts


def make_missing(
    session: Session,
    paths: Collection[str],
    found: dict[str, str],
    *,
    about: Mapping[str, Mapping[str, object]] | None = None,
) -> list[int]:
    """Make the clean paths that `found` lacks, and add them to it: the ids of what was made, from the top down.

    `about`: path -> kind and opened_on. The table is locked by the caller. Raises `Conflict` if one of them would be
    under an organisation that is closed.
    """
    _refuse_under_closed(session, paths, found)
    made: list[int] = []
    for number, level in enumerate(_by_level(paths)):
        for portion in in_bulk(path for path in level if path not in found):
            rows: list[dict[str, object]] = []
            for path, id_ in zip(portion, reserve_ids(session, Organisation, len(portion)), strict=True):
                above = found.get(_parent(path))
                found[path] = f"{above or ''}{id_}/"
                made.append(id_)
                rows.append(
                    {
                        "id": id_,
                        "parent_id": None if above is None else _id(above),
                        "name": _name(path),
                        "level": number,
                        "path": found[path],
                        "kind": "",
                        "opened_on": None,
                        **((about or {}).get(path) or {}),
                    }
                )
            session.execute(insert(Organisation), rows)
    return made


def _refuse_under_closed(session: Session, paths: Collection[str], found: Mapping[str, str]) -> None:
    """Every path that is missing hangs, by however many steps, from one that is there, or from the top."""
    hooks: dict[int, str] = {}
    for path in paths:
        above = path
        while above and above not in found:
            above = _parent(above)
        if above and above != path:
            hooks[_id(found[above])] = above
    for portion in in_bulk(hooks):
        closed = session.execute(
            select(Organisation.id, Organisation.closed_on).where(
                Organisation.id.in_(portion), Organisation.closed_on.is_not(None)
            )
        ).first()
        if closed is not None:
            raise is_closed(hooks[closed.id], closed.closed_on)


def is_closed(names: str, closed_on: date) -> Conflict:
    """The error for putting anything into an organisation that is closed."""
    return Conflict(
        "{path} is closed from {day} on.",
        hint="Choose another organisation, or open it again: `broadsheet organisations reopen`.",
        path=names,
        day=closed_on,
    )


def refuse_closed(session: Session, organisation_ids: Collection[int], *, on: date) -> None:
    """Raise `Conflict` if one of these takes nobody in on a day, or is gone: for whoever puts members somewhere.

    Those that are open stay open until this transaction ends.
    """
    for portion in in_bulk(organisation_ids):
        # all of them are held: one that is being closed at this moment does not look closed yet
        found = session.execute(
            select(Organisation.path, Organisation.closed_on)
            .where(Organisation.id.in_(portion))
            .with_for_update(read=True)
        ).all()
        if len(found) < len(set(portion)):
            raise Conflict("The organisation was taken away at this moment.", hint="Choose another one.")
        for path, closed_on in found:
            if closed_on is not None and closed_on <= on:
                raise is_closed(names_of(session, [path])[path], closed_on)


def _among_all(session: Session, paths: Collection[str]) -> dict[str, str]:
    """As `find_paths`, by reading the tree once."""
    children: dict[tuple[int | None, str], str] = {}
    for row in session.execute(select(Organisation.parent_id, Organisation.name, Organisation.path)):
        children[row.parent_id, row.name] = row.path
    found: dict[str, str] = {}
    for level in _by_level(paths):
        for path in level:
            above = found.get(_parent(path))
            if (above or "/" not in path) and (chain := children.get((_id(above) if above else None, _name(path)))):
                found[path] = chain
    return found


def _nodes() -> Select[int, int | None, str, str, int, str, date | None, date | None]:
    return select(
        Organisation.id,
        Organisation.parent_id,
        Organisation.name,
        Organisation.kind,
        Organisation.level,
        Organisation.path,
        Organisation.opened_on,
        Organisation.closed_on,
    )


def _tops(nodes: Collection[Node]) -> list[str]:
    """The paths of ids of those that are under none of the others."""
    paths = {node.path for node in nodes}
    return [path for path in paths if _above(path) not in paths]


def _by_level(paths: Collection[str]) -> list[list[str]]:
    """All the paths and all that is above them, from the top down."""
    levels: list[dict[str, None]] = []
    for path in paths:
        parts = path.split("/")
        levels += [{} for _ in range(len(parts) - len(levels))]
        for depth in range(len(parts) - 1, -1, -1):
            above = "/".join(parts[: depth + 1])
            if above in levels[depth]:
                # and so are those above it
                break
            levels[depth][above] = None
    return [list(level) for level in levels]


def _above(chain: str) -> str:
    """The path of ids of what is above; empty at the top."""
    above, _, _ = chain[:-1].rpartition("/")
    return f"{above}/" if above else ""


def _id(chain: str) -> int:
    return int(chain.rsplit("/", 2)[-2])


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _node(row: Row[int, int | None, str, str, int, str, date | None, date | None], names: str) -> Node:
    id_, parent_id, name, kind, level, path, opened_on, closed_on = row
    return Node(id_, parent_id, name, names, kind, level, path, opened_on, closed_on)
