"""Moving a part of the tree everywhere: the registry's own part, then every path of ids that is kept above it.

Campaigns and editions say by such a path whose they are. It is rewritten in the transaction of the move, so that they
stay with their place: who may see them, and who they are for, moves along. The audit keeps the path of its time.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ColumnElement, func, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from broadcaster.campaigns.models import Campaign, EditionCount
from broadcaster.newspaper.models import Edition, Item, StandingColumn, WordList
from subscribers import tree_changes
from subscribers.actor import Actor, Right, needs
from subscribers.db import lock_table
from subscribers.models import Organisation
from subscribers.organisations import find_by_path
from subscribers.tree_changes import Closed

#: whatever keeps a path of ids; a test looks for others among the tables
PATHS: tuple[InstrumentedAttribute[str], ...] = (
    Campaign.under,
    EditionCount.under,
    Edition.under,
    Item.under,
    StandingColumn.under,
    WordList.under,
)


@needs(Right.REGISTER)
def move(session: Session, actor: Actor, names: str, *, under: str, now: datetime) -> int:
    """Hang an organisation, with all that is under it and all that is theirs, under another one: how many moved.

    Raises as `subscribers.tree_changes.move`.
    """
    lock_table(session, Organisation)
    before = find_by_path(session, actor, names)
    moved = tree_changes.move(session, actor, names, under=under, now=now)
    after = session.scalars(select(Organisation.path).where(Organisation.id == before.id)).one()
    for column in PATHS:
        _rewrite(session, column, column.startswith(before.path), before.path, after)
    return moved


@needs(Right.REGISTER)
def close(session: Session, actor: Actor, names: str, *, on: date, into: str = "", now: datetime) -> Closed:
    """Close an organisation from the day `on`; what is under it goes `into` another one, with all that is theirs.

    What was made at the closed place itself stays with it. Raises as `subscribers.tree_changes.close`.
    """
    lock_table(session, Organisation)
    before = find_by_path(session, actor, names)
    closed = tree_changes.close(session, actor, names, on=on, into=into, now=now)
    if into:
        heir = find_by_path(session, actor, into)
        for column in PATHS:
            below = column.startswith(before.path) & (column != before.path)
            _rewrite(session, column, below, before.path, heir.path)
    return closed


def _rewrite(
    session: Session, column: InstrumentedAttribute[str], which: ColumnElement[bool], before: str, after: str
) -> None:
    new = literal(after).concat(func.substr(column, len(before) + 1))
    session.execute(update(column.class_).where(which).values({column: new}))
