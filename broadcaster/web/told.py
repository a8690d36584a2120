"""What went wrong, for people at a page: without what only a command line can do or show."""

from __future__ import annotations

import re

from broadcaster.language import in_a_row, tell
from broadcaster.words import actor_word, place_words
from subscribers.errors import BroadsheetError

#: a command, or an option of one
_TYPED = re.compile(r"`broadsheet\b|(?<![\w-])--[a-z]")
#: the line that is meant, and a mark under the place: in letters of different widths it stands under another one
_POINTER = re.compile(r"\n[^\n]*\n *\^\Z")
#: where in a rule something is: of no use to who did not type it
_IN_RULE = re.compile(r", at column \d+(?=\.)|，在第 \d+ 列(?=。)|^第 \d+ 列：")
#: fields that are organisations, by their paths of names
_PLACES = ("path", "organisation", "home", "names", "under")
#: the field that is somebody who did something
_WHO = "who"
#: what a command line would need to do what the sentence says
_OPTION = re.compile(r" ?[(（]--[a-z][\w-]*[)）]")
_SENTENCES = re.compile(r"(?<=[。；])|(?<=[.;])\s+")


def told(error: BroadsheetError) -> tuple[str, str]:
    """What happened and what to do about it, in the reader's language; the second is "" when nothing is left of it."""
    fields = {name: _word(name, value) for name, value in error.fields.items()}
    what, then = tell(BroadsheetError(error.message, hint=error.hint, **fields))
    return _POINTER.sub("", what), untyped(then)


def _word(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    return place_words(value) if name in _PLACES else actor_word(value) if name == _WHO else value


def without_place(words: str) -> str:
    """What is wrong with a rule, for who has not typed it: without the column."""
    return _IN_RULE.sub("", _POINTER.sub("", words))


def untyped(hint: str) -> str:
    """Of a hint in the reader's language, the sentences that speak of no command."""
    hint = _OPTION.sub("", hint)
    left = in_a_row(*(each for each in _SENTENCES.split(hint) if not _TYPED.search(each)))
    return re.sub("；$", "。", re.sub(";$", ".", left))
