"""Texts with fields: checked against an allow-list when saved, then rendered for a thousand readers in one call.

    template = compile_template("{{ name }}您好！{% if city %}{{ city }}今天开始供暖。{% endif %}", {"name", "city"})
    template.missing({}, rows)       # who lacks a value, before anything is sent
    template.render_many({}, rows)   # one text per row

What may stand in a template, and why nothing else: docs/templates.md and docs/decisions/0002.
"""

from broadcaster.templates.compiled import CompiledTemplate, Missing, MissingValue, compile_template
from broadcaster.templates.files import TemplateFile, load, names
from broadcaster.templates.source import fields_of

__all__ = [
    "CompiledTemplate",
    "Missing",
    "MissingValue",
    "TemplateFile",
    "compile_template",
    "fields_of",
    "load",
    "names",
]
