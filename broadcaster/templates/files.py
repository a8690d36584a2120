"""The texts in `templates_sms/`, and those of a user's folder that stand before them.

    {#
    fields: name, text, contact
    language: zh
    parts: 3

    What it is for, in a sentence or two.
    #}
    {{ name }}您好！
    {{ text }}

A line break and the blanks beside it are layout and are left out; `{{ nl }}` is a line break in the text, `{{ space }}`
a blank at the end of a line.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from broadcaster.language import listed
from broadcaster.templates.check import check
from broadcaster.templates.environment import ENVIRONMENT
from subscribers.errors import Invalid, NotFound

#: beside the packages, in a checkout and in an installation alike
BUILT_IN = Path(__file__).parents[2] / "templates_sms"

_FILE = re.compile(r"(?P<name>[a-z0-9_]+(?:/[a-z0-9_]+)*)\.(?P<language>[a-z]{2})\.txt")
_HEAD = re.compile(r"\{#\s*\nfields: *(?P<fields>.*)\nlanguage: *(?P<language>\w+)\nparts: *(?P<parts>\d+)\n")
_COMMENTS = frozenset({"comment_begin", "comment", "comment_end"})
_LAYOUT = re.compile(r"\s*\n\s*")


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template as its file describes it. `source` is without its comments and its layout."""

    name: str
    language: str
    fields: frozenset[str]
    #: the longest that its texts should become
    max_parts: int
    source: str


def names(folder: Path | None = None) -> list[tuple[str, str]]:
    """The names and languages of the templates there are: those of the folder, if one is given, and the built-in."""
    return sorted(_paths(folder))


def load(name: str, language: str, folder: Path | None = None) -> TemplateFile:
    """The template of this name: from the folder if it is there, else the built-in one.

    Raises `NotFound` with the nearest name, and `Invalid` with file and line for a file whose head or text is not as
    docs/templates.md wants it.
    """
    paths = _paths(folder)
    if (name, language) not in paths:
        known = sorted({known for known, spoken in paths if spoken == language})
        nearest = difflib.get_close_matches(name, known, 1)
        raise NotFound(
            "There is no template {name} in the language {language}.",
            hint="Did you mean {nearest}?" if nearest else "There are: {known}.",
            name=name,
            language=language,
            nearest="".join(nearest),
            known=listed(known) or "-",
        )
    path = paths[name, language]
    try:
        told = path.stat()
        return _read(path, name, language, (told.st_mtime_ns, told.st_size, told.st_ino))
    except UnicodeDecodeError:
        raise Invalid("{file} is not written in UTF-8.", hint="Save it as UTF-8 in your editor.", file=path) from None
    except Invalid as error:
        raise Invalid(
            "{file}: {problem}",
            hint="The form of these files is in docs/templates.md.",
            file=path,
            problem=f"{error} {error.hint.format(**error.fields)}",
        ) from error


def without_layout(source: str) -> str:
    """The template in one line: comments, line breaks of the file and the blanks beside them left out.

    >>> without_layout("{# how to greet #}\\n{{ name }}您好！\\n  今天开会。{{ nl }}\\n")
    '{{ name }}您好！今天开会。{{ nl }}'
    """
    kept = []
    for _, kind, value in ENVIRONMENT.lex(source):
        if kind == "data":
            kept.append(_LAYOUT.sub("", value))
        elif kind not in _COMMENTS:
            kept.append(value)
    return "".join(kept).strip()


def _paths(folder: Path | None) -> dict[tuple[str, str], Path]:
    found = {}
    for root in (BUILT_IN, folder) if folder else (BUILT_IN,):
        for path in root.rglob("*.txt"):
            if match := _FILE.fullmatch(path.relative_to(root).as_posix()):
                found[match["name"], match["language"]] = path
    return found


@lru_cache(maxsize=64)
def _read(path: Path, name: str, language: str, _as_it_is: tuple[int, ...]) -> TemplateFile:
    text = path.read_text(encoding="utf-8-sig")
    head = _HEAD.match(text)
    if head is None or head["language"] != language:
        raise Invalid(
            "The file must begin with a head that names fields, language {language} and parts.",
            hint="Its form is in docs/templates.md.",
            language=language,
        )
    fields = frozenset(filter(None, (field.strip() for field in head["fields"].split(","))))
    # the whole file, so that an error names the line an editor shows
    check(text, fields)
    return TemplateFile(name, language, fields, int(head["parts"]), without_layout(text))
