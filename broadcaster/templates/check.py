"""The allow-list: what may stand in a template, decided on its syntax tree before anything is compiled.

Nothing on the list can grow: no operators, no calls, no ranges, two loops that cannot be nested otherwise. So a text
is at most as long as its source and the values it names, and rendering needs no watchdog (docs/decisions/0002).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from jinja2 import nodes

from broadcaster.language import listed
from broadcaster.templates.environment import DATE_FORMS
from broadcaster.templates.source import ATTRIBUTES, BLANKS, RESERVED, parse
from subscribers.errors import Invalid

MAX_CONSTANT = 200
MAX_DEPTH = 6

_WHAT_MAY = "A template has fields, default(...), date forms, if, and loops over columns; see docs/templates.md."


@dataclass(frozen=True, slots=True)
class Need:
    """A value that must be there: `field`, wherever all of `when` (a field, and whether it has a value) hold."""

    field: str
    as_date: bool
    when: frozenset[tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Checked:
    """A template that keeps to the list: its tree, the fields it names and the values it cannot do without."""

    tree: nodes.Template
    fields: frozenset[str]
    needs: tuple[Need, ...]


def check(source: str, known_fields: Collection[str]) -> Checked:
    """Read a template and hold it against the list.

    Raises `Invalid`, with the line and what to write instead, for anything that is not on the list, for a field that
    is not among `known_fields`, and for a template that prints nothing.
    """
    tree = parse(source)
    # names that begin with an underscore are our own
    known = frozenset(name for name in known_fields if name not in RESERVED and not name.startswith("_"))
    checker = _Checker(known, columns="columns" in known_fields)
    checker.body(tree.body, _Place())
    if not checker.prints:
        raise Invalid("The template prints nothing.", hint="Write some text or a field in it.")
    return Checked(tree, frozenset(checker.used), tuple(dict.fromkeys(checker.needs)))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the template we are: inside which loops and conditions."""

    loops: tuple[str, ...] = ()
    when: frozenset[tuple[str, bool]] = frozenset()
    depth: int = 0


@dataclass(slots=True)
class _Checker:
    known: frozenset[str]
    columns: bool
    used: set[str] = field(default_factory=set)
    needs: list[Need] = field(default_factory=list)
    prints: bool = False

    def body(self, body: Sequence[nodes.Node], place: _Place) -> None:
        for node in body:
            if place.depth > MAX_DEPTH:
                raise Invalid(
                    "Line {line}: nested more than {limit} deep.", hint=_WHAT_MAY, line=node.lineno, limit=MAX_DEPTH
                )
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        self.output(part, place)
                case nodes.If():
                    self.condition(node, place)
                case nodes.For():
                    self.loop(node, place)
                case _:
                    _refuse(node)

    def output(self, node: nodes.Expr, place: _Place) -> None:
        if isinstance(node, nodes.TemplateData):
            self.prints = self.prints or not node.data.isspace()
            return
        self.prints = True
        optional = as_date = False
        if isinstance(node, nodes.Filter) and node.name == "default":
            _check_default(node)
            optional, node = True, node.node or node
        if isinstance(node, nodes.Filter):
            _check_date_form(node)
            as_date, node = True, node.node or node
        match node:
            case nodes.Getattr() if not (optional or as_date):
                self.attribute(node, place)
            case nodes.Name(name=name) if name in BLANKS and not (optional or as_date):
                pass
            case nodes.Name():
                self.field(node)
                if not optional:
                    self.needs.append(Need(node.name, as_date, place.when))
            case _:
                _refuse(node)

    def field(self, node: nodes.Name) -> None:
        name = node.name
        # a Python identifier is normalised, so two spellings of one name would share a variable
        if name not in self.known or unicodedata.normalize("NFKC", name) != name:
            nearest = difflib.get_close_matches(name, self.known, 1)
            raise Invalid(
                "Line {line}: nobody fills in the field {field}.",
                hint="Write {nearest}." if nearest else "Known are: {known}.",
                line=node.lineno,
                field=name,
                nearest="".join(nearest),
                known=listed(sorted(self.known)) or "-",
            )
        self.used.add(name)

    def attribute(self, node: nodes.Getattr, place: _Place, allowed: Collection[str] = ()) -> None:
        match node.node:
            case nodes.Name(name=owner) if owner in ("loop" if place.loops else "", *place.loops):
                if node.attr in ATTRIBUTES[owner] or node.attr in allowed:
                    return
        owner = node.node.name if isinstance(node.node, nodes.Name) else "..."
        raise Invalid(
            "Line {line}: {owner}.{attribute} is not known here.",
            hint="Inside their loops: column.name, item.headline, item.sms, loop.index, loop.first, loop.last.",
            line=node.lineno,
            owner=owner,
            attribute=node.attr,
        )

    def condition(self, node: nodes.If, place: _Place) -> None:
        before = place.when
        for branch in (node, *node.elif_):
            test, expected = branch.test, True
            if isinstance(test, nodes.Not):
                test, expected = test.node, False
            yes, no = before, before
            match test:
                case nodes.Getattr():
                    self.attribute(test, place, ("items",) if "column" in place.loops else ())
                case nodes.Name(name="columns"):
                    self.edition(test)
                case nodes.Name():
                    self.field(test)
                    yes, no = before | {(test.name, expected)}, before | {(test.name, not expected)}
                case _:
                    _refuse(test)
            self.body(branch.body, _Place(place.loops, yes, place.depth + 1))
            before = no
        self.body(node.else_, _Place(place.loops, before, place.depth + 1))

    def loop(self, node: nodes.For, place: _Place) -> None:
        plain = not (node.else_ or node.test or node.recursive)
        match node.target, node.iter:
            case nodes.Name(name="column"), nodes.Name(name="columns") if plain and not place.loops:
                self.edition(node)
            case nodes.Name(name="item"), nodes.Getattr(node=nodes.Name(name="column"), attr="items") if (
                plain and place.loops == ("column",)
            ):
                pass
            case _:
                raise Invalid(
                    "Line {line}: this loop is not known.",
                    hint="Write {{% for column in columns %}}, and inside it {{% for item in column.items %}}.",
                    line=node.lineno,
                )
        loops = (*place.loops, "item" if place.loops else "column")
        self.body(node.body, _Place(loops, place.when, place.depth + 1))

    def edition(self, node: nodes.Node) -> None:
        if not self.columns:
            raise Invalid("Line {line}: there are no columns here.", hint="Only an edition has them.", line=node.lineno)
        self.used.add("columns")


def _check_default(node: nodes.Filter) -> None:
    match node.args:
        case [nodes.Const(value=str(words))] if not (node.kwargs or node.dyn_args or node.dyn_kwargs):
            if len(words) <= MAX_CONSTANT and (words.isprintable() or not words):
                return
    raise Invalid(
        "Line {line}: default(...) takes one text of at most {limit} characters.",
        hint='For example {{{{ name | default("friend") }}}}.',
        line=node.lineno,
        limit=MAX_CONSTANT,
    )


def _check_date_form(node: nodes.Filter) -> None:
    if node.name == "default":
        raise Invalid("Line {line}: default(...) comes once, at the end.", hint=_WHAT_MAY, line=node.lineno)
    if node.name not in DATE_FORMS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        nearest = difflib.get_close_matches(node.name, [*DATE_FORMS, "default"], 1)
        raise Invalid(
            "Line {line}: there is no filter {filter} of this kind.",
            hint="Write {nearest}." if nearest else "Known are: {known}.",
            line=node.lineno,
            filter=node.name,
            nearest="".join(nearest),
            known=listed(["default(...)", *DATE_FORMS]),
        )


#: how a thing that is not on the list is written, where its name in the tree would not tell
_SIGNS: dict[type[nodes.Node], str] = {
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Neg: "-",
    nodes.Pos: "+",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.FloorDiv: "//",
    nodes.Mod: "%",
    nodes.Pow: "**",
    nodes.Concat: "~",
    nodes.Call: "(...)",
    nodes.Getitem: "[...]",
    nodes.Getattr: ".",
    nodes.List: "[...]",
    nodes.Dict: "{...}",
    nodes.Tuple: "(..., ...)",
    nodes.Compare: "==",
    nodes.Assign: "set",
    nodes.AssignBlock: "set",
    nodes.CondExpr: "... if ... else ...",
    nodes.Const: '"..."',
    nodes.TemplateData: '"..."',
}


def _refuse(node: nodes.Node) -> NoReturn:
    raise Invalid(
        "Line {line}: {what} has no place in a template.",
        hint=_WHAT_MAY,
        line=node.lineno,
        what=_SIGNS.get(type(node), type(node).__name__.lower()),
    )
