"""A template's source read into its syntax tree, and the words it is written in. Nothing of it is run here."""

from __future__ import annotations

from jinja2 import TemplateSyntaxError, nodes

from broadcaster.templates.environment import ENVIRONMENT, LOOP_ATTRIBUTES
from subscribers.errors import Invalid

MAX_SOURCE = 4_000

#: a real line break and a real blank, where layout would swallow them
BLANKS = {"nl": "\n", "space": " "}
ATTRIBUTES = {
    "column": frozenset({"name"}),
    "item": frozenset({"headline", "sms"}),
    "loop": LOOP_ATTRIBUTES,
}
#: names with a meaning of their own, which no field can have
RESERVED = frozenset({"columns", *ATTRIBUTES, *BLANKS})


def parse(source: str) -> nodes.Template:
    """The syntax tree, nothing of it run. Raises `Invalid` for what is too long or cannot be read."""
    if len(source) > MAX_SOURCE:
        raise Invalid(
            "The template has {length} characters; {limit} are the most.",
            hint="An SMS text is short: move the rest to the reading page.",
            length=len(source),
            limit=MAX_SOURCE,
        )
    if "\0" in source:
        raise Invalid("The template holds a NUL character.", hint="Delete it: it separates the texts of a batch.")
    try:
        return ENVIRONMENT.parse(source)
    except TemplateSyntaxError as error:
        raise Invalid(
            "Line {line}: this cannot be read: {reason}",
            hint="A field is written {{{{ name }}}}, a condition {{% if name %}} ... {{% endif %}}.",
            line=error.lineno,
            reason=error.message or "",
        ) from None
    except RecursionError:
        raise Invalid(
            "The template is nested too deeply.", hint="Put fewer brackets and conditions into each other."
        ) from None


def fields_of(source: str) -> frozenset[str]:
    """The names that a template fills in, "columns" among them, whether anybody knows them or not.

    Raises `Invalid` where the template cannot be read at all.
    """
    names = set()
    waiting: list[nodes.Node] = [parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Name):
            names.add(node.name)
        waiting.extend(node.iter_child_nodes())
    return frozenset(names - (RESERVED - {"columns"}))
