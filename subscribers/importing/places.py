"""Organisations that an import made for its members: they go with it, as long as nobody and nothing is in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from subscribers.db import Base, in_bulk, lock_table
from subscribers.models import Audit, ImportRun, Membership, Organisation
from subscribers.organisations import in_subtree

#: what somebody does to one that they have a use for
_ARRANGED = ("organisations.rename", "organisations.move")


_KEY = re.compile(r"#([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Columns above the registry that speak of organisations without a foreign key: paths of ids, and frozen rules."""

    paths: Sequence[InstrumentedAttribute[str]] = ()
    rules: Sequence[InstrumentedAttribute[Any]] = ()


def remove_places(session: Session, run: ImportRun, under: str, elsewhere: Elsewhere) -> int:
    """Take away what an import made, where it is as the import left it and empty: how many.

    Whoever was in one of them once, and whatever refers to one, keeps it. `under`: the part of the tree (a path of ids)
    of whoever undoes it.
    """
    if not run.places:
        return 0
    lock_table(session, Organisation)
    arranged, named = _arranged(session, run), _named(session, elsewhere.rules)
    at_levels: dict[int, list[int]] = {}
    for spans in in_bulk(run.places, 100):
        as_made = (
            select(Organisation.id, Organisation.name, Organisation.level)
            .where(
                or_(*(Organisation.id.between(first, last) for first, last in spans)),
                in_subtree(Organisation.path, under),
                Organisation.path != under,
                Organisation.kind == "",
                Organisation.opened_on.is_(None),
                Organisation.closed_on.is_(None),
            )
            # whoever is being put there at this moment is seen by the next statement, or comes too late
            .with_for_update()
        )
        for id_, name, level in session.execute(as_made):
            if name not in arranged and id_ not in named:
                at_levels.setdefault(level, []).append(id_)
    free = ~_is_used(elsewhere.paths)
    removed = 0
    # what is below first: whatever is left of it keeps what is above
    for level in sorted(at_levels, reverse=True):
        for ids in in_bulk(at_levels[level]):
            gone: Any = session.execute(
                delete(Organisation).where(Organisation.id.in_(ids), free),
                execution_options={"synchronize_session": False},
            )
            removed += gone.rowcount
    return removed


def _arranged(session: Session, run: ImportRun) -> set[str]:
    """Names of organisations that were renamed or moved since."""
    deeds = select(Audit.thing, Audit.details).where(Audit.at >= run.at, Audit.deed.in_(_ARRANGED))
    return {details.get("name") or thing.rpartition("/")[2] for thing, details in session.execute(deeds)}


def _named(session: Session, rules: Sequence[InstrumentedAttribute[Any]]) -> set[int]:
    """Ids in rules that were frozen: SQLite gives the last one away again, and the rule would mean others."""
    found: set[int] = set()
    for column in rules:
        texts = session.scalars(select(cast(column, Text)).where(cast(column, Text).contains("#")))
        found.update(int(key) for text in texts for key in _KEY.findall(text))
    return found


def _is_used(paths: Sequence[InstrumentedAttribute[str]]) -> ColumnElement[bool]:
    """Whether anything refers to an `Organisation`: by its id, also what stands above the registry, or by its path."""
    ours: Any = Organisation.__table__
    below = aliased(Organisation)
    referring = [
        key.parent
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column is ours.c.id and table is not ours
    ]
    return or_(
        exists().where(below.parent_id == Organisation.id),
        *(exists().where(column == Organisation.id) for column in (Membership.organisation_id, *referring)),
        *(exists().where(column == Organisation.path) for column in paths),
    )
