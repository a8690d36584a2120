"""What the lists of an installation have in columns of their own, for who puts a rule together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from broadcaster.language import in_a_row, tr
from broadcaster.newsroom.clauses import is_called
from broadcaster.newsroom.remembered import remembered
from broadcaster.web.visits import Visit
from subscribers import rules, segments
from subscribers.db import Tx
from subscribers.drawn import span
from subscribers.rules import Compared, Field, Is
from subscribers.segments import OwnColumn

#: seconds until a list that was taken in meanwhile is seen where nobody in it is new
_KEPT_FOR = 30.0
_BY_BIRTHDAY = frozenset({Field.AGE, Field.BIRTHDAY, Field.BIRTH_MONTH, Field.BIRTH_DAY})


def own_columns(tx: Tx, visit: Visit, day: date) -> Sequence[OwnColumn]:
    """The columns of the place that is looked at."""
    key = ("own", day.isoformat(), str(span(tx.session)), visit.view.under)
    return remembered(
        tx.session, key, lambda _: _KEPT_FOR, lambda: segments.own_columns(tx.session, visit.view, on=day)
    )


def why_nobody(tx: Tx, visit: Visit, rule: str, own: Sequence[OwnColumn], day: date) -> str:
    """Why a rule may hold nobody, in words; empty if nothing is known of it. Raises `Invalid` for no rule."""
    terms = [term for term in rules.walk(rules.parse(rule)) if isinstance(term, Is | Compared)]
    tags = {value for term in terms if isinstance(term, Is) and term.field is Field.TAG for value in term.values}
    return _stands_in_column(tags, own) or (
        _without_birthdays(tx, visit, own, day) if any(term.field in _BY_BIRTHDAY for term in terms) else ""
    )


def _without_birthdays(tx: Tx, visit: Visit, own: Sequence[OwnColumn], day: date) -> str:
    known = rules.parse("age >= 0")
    found, left = segments.first_found(tx.session, visit.view.under, known, on=day, limit=1, briefly=True)
    if found or left is not None:
        return ""
    said = tr("Nobody's date of birth is known: it comes with a list that has a column for it.")
    heading = next((column.heading for column in own if is_called(column.heading, "age")), "")
    return in_a_row(said, tr("Your lists have a column {heading}: ask for that.", heading=heading) if heading else "")


def _stands_in_column(tags: Collection[object], own: Sequence[OwnColumn]) -> str:
    for column in own:
        for value in column.values:
            if value in tags:
                return tr(
                    "{value} is no tag here: it stands in the column {heading}. Ask for that.",
                    value=value,
                    heading=column.heading,
                )
    return ""
