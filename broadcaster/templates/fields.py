"""The names that a text asks for, before it is known which of them there are."""

from __future__ import annotations

from jinja2 import TemplateSyntaxError, meta

from broadcaster.templates.environment import ENVIRONMENT


def fields_of(source: str) -> frozenset[str]:
    """Every name in the text, without the reserved ones; none if it cannot be read, which `compile_template` tells."""
    try:
        return frozenset(meta.find_undeclared_variables(ENVIRONMENT.parse(source)))
    except (TemplateSyntaxError, RecursionError):
        return frozenset()
