"""Members who are drawn evenly from a large registry, so that a page need not count everybody. Pure but for the ids."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscribers.models import Member


@dataclass(frozen=True, slots=True)
class Drawn:
    """Their ids, some of which may be nobody's; each stands for `step` members."""

    ids: Sequence[int]
    step: float


def span(session: Session) -> int:
    """How far the first member's id is from the last one's; 0 where nobody is."""
    least, most = ends(session)
    return most - least


def draw(session: Session, number: int) -> Drawn:
    """So many, one of each stretch of ids: lists that came in order are drawn from evenly. The same ones each time."""
    least, most = ends(session)
    step = (most - least + 1) / number
    chance = random.Random(most)  # noqa: S311
    return Drawn([least + int((n + chance.random()) * step) for n in range(number)], step)


def ends(session: Session) -> tuple[int, int]:
    """The least and the greatest id of a member; zeros where nobody is."""
    # two statements in one: SQLite reads every row for a least and a most that are asked for together
    least, most = (select(each(Member.id)).scalar_subquery() for each in (func.min, func.max))
    first, last = session.execute(select(least, most)).one()
    return first or 0, last or 0
