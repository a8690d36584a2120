"""Organisations found by what one knows of their names: the characters, the pinyin or its initials."""

from __future__ import annotations

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.models import Organisation
from subscribers.names import folded, place_key
from subscribers.nowhere import DEFAULT_ORGANISATION, IN_CHINESE, IN_ENGLISH
from subscribers.organisations import in_subtree, names_of

#: no name is longer
LONGEST = 200


@needs(Right.SEE)
def find(session: Session, actor: Actor, text: str, *, limit: int = 20) -> list[tuple[int, str]]:
    """Organisations of the actor's part of the tree, from the top down: ids and paths of names.

    `text`: a piece of the name, its pinyin or its initials from the first on (`dongjie`, `djfh`).
    """
    wanted = " ".join(text.split())[:LONGEST]
    if not wanted or "\0" in wanted:
        return []
    here = in_subtree(Organisation.path, actor.under)
    ways = [Organisation.name.contains(wanted, autoescape=True)]
    if wanted.isascii():
        spelled = folded(wanted).replace(" ", "")
        ways.append(Organisation.search_key.startswith(spelled, autoescape=True))
        if len(spelled) > 1:
            ways.append(Organisation.search_key.contains(spelled, autoescape=True))
    if _is_nowhere(wanted):
        ways.append(and_(Organisation.parent_id.is_(None), Organisation.name == DEFAULT_ORGANISATION))
    query = select(Organisation.id, Organisation.path).where(here, or_(*ways))
    rows = session.execute(query.order_by(Organisation.level, Organisation.name, Organisation.id).limit(limit)).all()
    names = names_of(session, [row.path for row in rows])
    return [(row.id, names[row.path]) for row in rows]


def _is_nowhere(wanted: str) -> bool:
    """Whether somebody looks for those in no organisation by what a page calls the place."""
    spelled = folded(wanted).replace(" ", "") if wanted.isascii() else ""
    is_english = len(wanted) > 1 and IN_ENGLISH.casefold().startswith(wanted.casefold())
    return wanted in IN_CHINESE or is_english or (len(spelled) > 1 and spelled in place_key(IN_CHINESE))
