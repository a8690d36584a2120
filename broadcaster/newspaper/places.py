"""Whose a thing of the desk is: that of a place, seen there and above; what is shared, also below. Pure."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, true
from sqlalchemy.orm import InstrumentedAttribute


def above(path: str) -> list[str]:
    """The paths of ids of all that is above a place, the top of everything ("") first."""
    steps = path.split("/")[:-1]
    return ["".join(f"{step}/" for step in steps[:depth]) for depth in range(len(steps))]


def at_or_under(column: InstrumentedAttribute[str], path: str) -> ColumnElement[bool]:
    """The condition that a thing is of this place or of one below."""
    return column.startswith(path, autoescape=True) if path else true()


def seen_from(
    column: InstrumentedAttribute[str], shared: ColumnElement[bool] | InstrumentedAttribute[bool], path: str
) -> ColumnElement[bool]:
    """The condition that whoever is at `path` sees it: it is theirs, or shared from above."""
    return or_(at_or_under(column, path), and_(shared, column.in_(above(path))))
