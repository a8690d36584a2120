"""What the lists of an installation have in columns of their own, for who puts a rule together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from broadcaster.language import tr
from broadcaster.newsroom.remembered import remembered
from broadcaster.web.visits import Visit
from subscribers import rules, segments
from subscribers.db import Tx
from subscribers.drawn import span
from subscribers.rules import Field, Is
from subscribers.segments import OwnColumn

#: seconds until a list that was taken in meanwhile is seen where nobody in it is new
_KEPT_FOR = 30.0


def own_columns(tx: Tx, visit: Visit, day: date) -> Sequence[OwnColumn]:
    """The columns of the place that is looked at."""
    key = ("own", day.isoformat(), str(span(tx.session)), visit.view.under)
    return remembered(
        tx.session, key, lambda _: _KEPT_FOR, lambda: segments.own_columns(tx.session, visit.view, on=day)
    )


def stands_in_column(rule: str, own: Sequence[OwnColumn]) -> str:
    """Where what a rule asks of tags stands instead, in words; empty if it does not. Raises `Invalid` for no rule."""
    tags = {
        value
        for term in rules.walk(rules.parse(rule))
        if isinstance(term, Is) and term.field is Field.TAG
        for value in term.values
    }
    for column in own:
        for value in column.values:
            if value in tags:
                return tr(
                    "{value} is no tag here: it stands in the column {heading}. Ask for that.",
                    value=value,
                    heading=column.heading,
                )
    return ""
