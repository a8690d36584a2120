"""One level of the tree at a time, in pages: a place may have as many below it as a country has branches."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.models import Organisation
from subscribers.organisations import Node, in_subtree, names_of


@needs(Right.SEE)
def below(session: Session, actor: Actor, under: str = "", *, after: int = 0, limit: int) -> list[Node]:
    """The organisations one step below the path of ids `under`, in the order in which they were made.

    With the empty path those at the top of the actor's part of the tree. `after`: behind the one with this id.
    """
    if actor.under.startswith(under):
        under = actor.under
    elif not under.startswith(actor.under):
        return []
    above = int(under.split("/")[-2]) if under else None
    query = select(
        Organisation.id,
        Organisation.parent_id,
        Organisation.name,
        Organisation.kind,
        Organisation.level,
        Organisation.path,
        Organisation.opened_on,
        Organisation.closed_on,
    ).where(Organisation.parent_id == above, Organisation.id > after)
    names = names_of(session, [under])[under] if under else ""
    rows = session.execute(query.order_by(Organisation.id).limit(limit))
    return [
        Node(id_, parent_id, name, f"{names}/{name}" if names else name, kind, level, path, opened_on, closed_on)
        for id_, parent_id, name, kind, level, path, opened_on, closed_on in rows
    ]


@needs(Right.SEE)
def size(session: Session, actor: Actor, path: str) -> int:
    """How many organisations of the actor's part of the tree are at a path of ids and under it."""
    here = (in_subtree(Organisation.path, actor.under), in_subtree(Organisation.path, path))
    return session.scalar(select(func.count()).select_from(Organisation).where(*here)) or 0
