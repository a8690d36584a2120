"""A checked template, and its texts for many readers at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

import jinja2
from jinja2 import nodes

from broadcaster.templates.check import Need, check
from broadcaster.templates.environment import ENVIRONMENT, as_date
from broadcaster.templates.source import BLANKS
from subscribers.errors import Invalid

#: per reader, far more than the ten parts that any campaign may have; beyond it rendering stops
MAX_CHARACTERS = 4_000

#: between the texts of a batch; refused in every value
_SEPARATOR = "\0"
#: pieces of texts that are joined before their length is looked at; each is at most a value or the source
_AT_ONCE = 64
#: no field can have this name
_ROWS = "_rows"

Row = Mapping[str, object]
#: the values of one field, in the order of the rows
_Column = list[str | date]


class Missing(NamedTuple):
    """A value that a text cannot do without: the row's index, the field's name."""

    row: int
    field: str


class MissingValue(Invalid):
    """Some texts lack a value. `missing` says whose."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(
            "The template needs the field {field}; it has no usable value for {people} of these people.",
            hint='Fill it in, or write {{{{ {field} | default("...") }}}}.',
            field=missing[0].field,
            people=sum(one.field == missing[0].field for one in missing),
        )
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A template that was checked and compiled. May be used by several threads."""

    #: the names it uses, "columns" among them if it prints an edition
    fields: frozenset[str]
    _order: tuple[str, ...]
    _needs: tuple[Need, ...]
    _template: jinja2.Template

    def missing(self, context: Mapping[str, object], rows: Sequence[Row]) -> list[Missing]:
        """Whose text lacks which value, by row: None, "", only blanks, or no date where one is printed.

        `context` is what is the same for all; a row's own value goes before it.
        """
        return self._missing(self._values(context, rows))

    def render_many(self, context: Mapping[str, object], rows: Sequence[Row]) -> list[str]:
        """One text per row, in order, by one call into Jinja.

        Raises `MissingValue` as `missing` would list it, `Invalid` for a value that is not text, number or date, or
        holds a NUL, for a text beyond `MAX_CHARACTERS`, and where the context has no columns and the template prints
        them.
        """
        values = self._values(context, rows)
        if missing := self._missing(values):
            raise MissingValue(missing)
        return self._render(context, values, len(rows))

    def render_whole(self, context: Mapping[str, object], rows: Sequence[Row]) -> tuple[list[str], frozenset[int]]:
        """The texts of the rows that lack nothing, in order, and the indexes of those that do lack a value.

        Raises `Invalid` as `render_many` does.
        """
        values = self._values(context, rows)
        lacking = frozenset(one.row for one in self._missing(values))
        if lacking:
            values = [[each for row, each in enumerate(column) if row not in lacking] for column in values]
        return self._render(context, values, len(rows) - len(lacking)), lacking

    def _render(self, context: Mapping[str, object], values: Sequence[_Column], count: int) -> list[str]:
        rows = list(zip(*values, strict=True)) if values else [()] * count
        stream = self._template.generate({_ROWS: rows, "columns": self._columns(context), **BLANKS})
        pieces: list[str] = []
        room = (MAX_CHARACTERS + len(_SEPARATOR)) * count
        while room >= 0 and (some := list(islice(stream, _AT_ONCE))):
            pieces.append("".join(some))
            room -= len(pieces[-1])
        *texts, rest = "".join(pieces).split(_SEPARATOR)
        if rest or max(map(len, texts), default=0) > MAX_CHARACTERS:
            raise Invalid(
                "The template prints more than {limit} characters for one person.",
                hint="Shorten the texts or the values of its fields.",
                limit=MAX_CHARACTERS,
            )
        if len(texts) != count:
            raise Invalid("A value holds a NUL character.", hint="Correct the members or the edition it came from.")
        return texts

    def _values(self, context: Mapping[str, object], rows: Sequence[Row]) -> list[_Column]:
        """What each field holds, row by row."""
        columns: list[_Column] = []
        for field in self._order:
            shared = context.get(field)
            given = [row.get(field, shared) for row in rows]
            columns.append([v if type(v) is str and not v.isspace() else _plain(field, v) for v in given])
        return columns

    def _missing(self, values: Sequence[_Column]) -> list[Missing]:
        column = dict(zip(self._order, values, strict=True))
        found: set[Missing] = set()
        for need in self._needs:
            given: Iterable[object] = map(as_date, column[need.field]) if need.as_date else column[need.field]
            empty = [number for number, value in enumerate(given) if not value]
            for guard, expected in need.when if empty else ():
                empty = [number for number in empty if bool(column[guard][number]) is expected]
            found.update(Missing(number, need.field) for number in empty)
        return sorted(found)

    def _columns(self, context: Mapping[str, Any]) -> list[dict[str, object]]:
        """Plain copies, with nothing in them but what a template may ask for."""
        if "columns" not in self.fields:
            return []
        if "columns" not in context:
            raise Invalid("This template prints an edition, and none was given.", hint="Name one with --edition.")
        return [
            {
                "name": str(column["name"]),
                "items": [{"headline": str(item["headline"]), "sms": str(item["sms"])} for item in column["items"]],
            }
            for column in context["columns"]
        ]


def compile_template(source: str, known_fields: Collection[str]) -> CompiledTemplate:
    """Check a template and make it ready to print; its text is taken as it stands, with its line breaks.

    `known_fields`: every name that context and rows may have, with "columns" where an edition is printed. Raises
    `Invalid` as `check` does.
    """
    checked = check(source, known_fields)
    order = tuple(sorted(checked.fields - {"columns"}))
    # the loop unpacks each row into variables named like the fields, so that the checked body stays as it was written
    target = nodes.Tuple([nodes.Name(field, "store") for field in order], "store")
    shared, body = _with_shared_columns(checked.tree.body, frozenset(order))
    body.append(nodes.Output([nodes.TemplateData(_SEPARATOR)]))
    every = nodes.For(target, nodes.Name(_ROWS, "load"), body, [], None, False)
    tree = nodes.Template([*shared, every], lineno=1)
    tree.set_environment(ENVIRONMENT)
    tree.set_lineno(1)
    return CompiledTemplate(checked.fields, order, checked.needs, ENVIRONMENT.from_string(tree))


def _with_shared_columns(
    body: Sequence[nodes.Node], fields: frozenset[str]
) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """Columns that name no field of the reader are the same for all: they are printed once, before the loop."""
    before: list[nodes.Node] = []
    within: list[nodes.Node] = []
    for number, node in enumerate(body):
        if isinstance(node, nodes.For) and fields.isdisjoint(name.name for name in node.find_all(nodes.Name)):
            variable = f"_shared_{number}"
            before.append(nodes.AssignBlock(nodes.Name(variable, "store"), None, [node]))
            node = nodes.Output([nodes.Name(variable, "load")])
        within.append(node)
    return before, within


def _plain(field: str, value: object) -> str | date:
    """A value as it is printed; "" for one that says nothing."""
    if isinstance(value, str):
        return "" if value.isspace() else value
    if value is None:
        return ""
    if isinstance(value, date):
        return value
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(value)
    raise Invalid(
        "The field {field} holds {kind}, which cannot be printed.",
        hint="Text, numbers and dates can.",
        field=field,
        kind=type(value).__name__,
    )
