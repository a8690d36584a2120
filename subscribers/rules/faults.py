"""What can be wrong with a rule, and how the place is shown under its text."""

from __future__ import annotations

import unicodedata
from typing import Any

from subscribers.errors import Invalid
from subscribers.rules.terms import Is, Rule, walk

#: characters of a rule, those of the segments in it included where it is kept for a campaign
LENGTH = 50_000
#: conditions, with those that put them together
TERMS = 200
#: brackets and negations within each other
DEPTH = 40
#: values in lists, in all of a rule
VALUES = 2_000
#: characters shown on each side of a fault, and of a word in a message
_AROUND = 60
_WORD = 200
#: control characters, invisible marks (those that turn the direction of writing among them), halves of characters,
#: separators of lines and paragraphs
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_BLANK = "\t\n\r\f"


def pointer(text: str, at: int) -> dict[str, Any]:
    """The fields of a message that shows where: column (from 1), the line, and a caret under the place."""
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    line, column = text[begin : end if end >= 0 else None], at - begin
    start, stop = max(0, column - _AROUND), column + _AROUND
    before = ("…" if start else "") + line[start:column]
    after = line[column:stop] + ("…" if len(line) > stop else "")
    width = sum(map(_width, _visible(before)))
    return {"column": column + 1, "line": _visible(before + after), "caret": " " * width + "^"}


def clipped(word: str) -> str:
    """What was typed, or the beginning of it, for a message."""
    return f"{word[:_WORD]}…" if len(word) > _WORD else word


def too_much(text: str, at: int = 0) -> Invalid:
    """The error for a rule that asks too much, by itself or with the segments it names."""
    return Invalid(
        "The rule asks too much, at column {column}.\n  {line}\n  {caret}",
        hint="At most {terms} conditions, {values} values and {depth} brackets within each other, with those of the "
        "segments that it names. A list of people holds any number of them.",
        terms=TERMS,
        values=VALUES,
        depth=DEPTH,
        **pointer(text, at),
    )


def is_too_much(rule: Rule) -> bool:
    """Whether a rule has more in it than is asked at once."""
    terms = list(walk(rule))
    return len(terms) > TERMS or sum(len(term.values) for term in terms if isinstance(term, Is)) > VALUES


def refuse_unreadable(text: str) -> None:
    """Raise `Invalid` for a text that is empty, too long, or holds what nobody can see."""
    if len(text) > LENGTH:
        raise Invalid(
            "The rule is too long: {length} characters, at most {most}.",
            hint="Save parts of it as segments, or people as a list, and name them in the rule.",
            length=len(text),
            most=LENGTH,
        )
    for at, character in enumerate(text):
        if unicodedata.category(character) in _UNSEEN and character not in _BLANK:
            raise Invalid(
                "The rule holds a character that cannot be seen (U+{code}), at column {column}.\n  {line}\n  {caret}",
                hint="Type that place again; what is copied from elsewhere may bring such characters along.",
                code=f"{ord(character):04X}",
                **pointer(text, at),
            )
    if not text.strip():
        raise Invalid("The rule is empty.", hint='Write "everyone" if everybody is meant.')


def _visible(text: str) -> str:
    return "".join(
        " " if character in _BLANK else "�" if unicodedata.category(character) in _UNSEEN else character
        for character in text
    )


def _width(character: str) -> int:
    """Columns of a terminal: Chinese characters take two, marks on other characters none."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
