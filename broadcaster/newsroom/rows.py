"""The rows with which a rule is clicked together: what each suggests, and which cannot be asked as it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from broadcaster.language import in_a_row, language, tr, translated
from broadcaster.newsroom.clauses import (
    SIGNS,
    Clause,
    asked_of,
    choices,
    is_half_made,
    own_field,
    rows_of,
    rule_of,
    with_room,
)
from broadcaster.newsroom.drawing import trouble
from broadcaster.newsroom.place_rules import meaning
from broadcaster.web.doors import Posted
from broadcaster.web.told import told, without_place
from broadcaster.web.visits import Visit
from broadcaster.words import place_words, status_word
from subscribers import rules, segments, tree_levels
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid
from subscribers.models import Status
from subscribers.rules import Saved
from subscribers.rules.fields import OPERATORS
from subscribers.segments import OwnColumn, SavedSegment

#: organisations, and saved segments, that are suggested
_PLACES = 50
#: characters of a value in a sentence about it
_SHOWN = 40


class RowWrong(Invalid):
    """A row cannot be asked as it stands."""

    #: the field that is meant, by its id in `rows.html`
    at = ""
    #: what cannot stand in it
    value = ""


def rows_in(form: Posted) -> list[Clause]:
    """The rows of a form, those between which nothing was chosen as well: each keeps its number."""
    return rows_of(form.texts("field"), form.texts("sign"), form.texts("value"))


def rule_in_rows(tx: Tx, visit: Visit, rows: Sequence[Clause], *, is_any: bool) -> str:
    """The rule that rows are, in the reader's language; empty where nothing stands in them.

    Raises `RowWrong` for a row that is half made or asks for what there is not, `Invalid` for what they ask together.
    """
    asked = [(n, row) for n, row in enumerate(rows, start=1) if row.field or row.value.strip()]
    for n, row in asked:
        _check(tx, visit, n, row)
    return rule_of([row for _, row in asked], is_any=is_any) if asked else ""


def as_known(rule: str, known: Iterable[str]) -> str:
    """The rule by the name, or in the words, that it has already among `known`: what has a box gets no second one.

    Raises `Invalid` for what is no rule.
    """
    asked = rules.parse(rule)
    if isinstance(asked, Saved):
        rule = asked.name
    return next((name for name in known if meaning(name) == asked), rule)


def row_trouble(
    error: BroadsheetError, field: str, own: Sequence[OwnColumn] = (), *, is_typed: bool = True
) -> dict[str, Any]:
    """What is told above a form, and at the row that is meant; about another error at `field`.

    A value that stands in a column of the lists instead is told with it. `is_typed`: see `trouble`.
    """
    if not isinstance(error, RowWrong):
        return trouble(error, field, is_typed=is_typed)
    found = trouble(error, error.at, is_at_row=True)
    heading = next((column.heading for column in own if error.value in column.values), "")
    if heading:
        where = tr("{value} stands in the column {heading}: ask for that.", value=error.value, heading=heading)
        found["then"] = in_a_row(found["then"], where)
    return found


def rows_for(
    tx: Tx,
    visit: Visit,
    rows: Sequence[Clause],
    *,
    most: int,
    is_any: bool,
    saved: Sequence[SavedSegment],
    own: Sequence[OwnColumn],
) -> dict[str, Any]:
    """The values of `rows.html`."""
    offered = choices([column.heading for column in own], rows)
    known = _suggested(tx, visit, saved, own)
    # by the place of a field among its choices: a page's script finds them by it, and a row that comes back by its own
    order = [*(field for field, _ in offered["fields"]), *(field for field, _ in offered["own"])]
    return offered | {
        "clauses": with_room(rows, most),
        "is_any": is_any,
        "suggested": [(order.index(field), words) for field, words in known.items() if words and field in order],
        "place_of": {field: at for at, field in enumerate(order)},
    }


def _suggested(
    tx: Tx, visit: Visit, saved: Sequence[SavedSegment], own: Sequence[OwnColumn]
) -> Mapping[str, Sequence[str]]:
    """By a field, some of what can stand there."""
    nodes = tree_levels.below(tx.session, visit.actor, visit.view.under, limit=_PLACES)
    is_chinese = language() == "zh"
    yes_or_no = [tr("yes"), tr("no")]
    return {
        "status": [status_word(each) for each in Status],
        "under": [place_words(node.names) for node in nodes],
        "birth_month": [str(month) for month in range(1, 13)],
        "operator": list(dict.fromkeys(word for word in OPERATORS if word.isascii() is not is_chinese)),
        "mobile": yes_or_no,
        "reachable": yes_or_no,
        "segment": [one.name for one in saved[:_PLACES]],
        **{own_field(column.heading): column.values for column in own},
    }


def _check(tx: Tx, visit: Visit, n: int, row: Clause) -> None:
    value = row.value.strip()
    if not row.field:
        wrong = RowWrong(
            "Put together by clicking, row {row}: of what {value} is asked is not chosen.",
            hint="Choose it, or empty the row.",
            row=n,
            value=value[:_SHOWN],
        )
        raise _at(wrong, f"field-{n}")
    if is_half_made(row):
        wrong = RowWrong(
            "Put together by clicking, row {row}: what {field} shall be is not filled in.",
            hint="Fill it in, or choose “—” for this row.",
            row=n,
            field=asked_of(row.field),
        )
        raise _at(wrong, f"value-{n}")
    try:
        text = rule_of([row], is_any=False)
        rules.parse(text)
        segments.check(tx.session, text, within=visit.actor.under)
    except Invalid as error:
        what, then = told(error)
        wrong = RowWrong(
            "Put together by clicking, row {row}: {what}", hint="{then}", row=n, what=without_place(what), then=then
        )
        fitting = [translated(word) for sign, word in SIGNS.items() if _is_rule(replace(row, sign=sign))]
        if fitting and not _is_rule(row):
            wrong = RowWrong(
                "Put together by clicking, row {row}: {field} cannot be asked with “{sign}”.",
                hint="Choose one of these: {fitting}.",
                row=n,
                field=asked_of(row.field),
                sign=translated(SIGNS.get(row.sign, row.sign[:_SHOWN])),
                fitting=fitting,
            )
            raise _at(wrong, f"sign-{n}") from None
        wrong.value = value
        raise _at(wrong, f"value-{n}") from None


def _is_rule(row: Clause) -> bool:
    try:
        rules.parse(rule_of([row], is_any=False))
    except Invalid:
        return False
    return True


def _at(error: RowWrong, field: str) -> RowWrong:
    error.at = field
    return error
