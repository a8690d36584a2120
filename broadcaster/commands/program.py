"""How a person got here: by which program, and in which language. Read before anything is said."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from broadcaster.language import Language

#: set by run.py, which puts no command on anybody's path
PROGRAM = os.environ.get("BROADSHEET_PROGRAM", "broadsheet")

_COMMAND = re.compile(r"(?<![\w./-])broadsheet(?= (?:--?[a-z]|[a-z]))")


def typed(text: str) -> str:
    """The text, with our own commands as they are typed here.

    >>> typed("Run `broadsheet init`.")
    'Run `broadsheet init`.'
    """
    return _COMMAND.sub(PROGRAM, text)


def wished_language(arguments: Sequence[str]) -> Language | None:
    """The language named with --lang, wherever it stands: known before anything is said."""
    wish = ""
    for at, argument in enumerate(arguments):
        if argument == "--lang":
            wish = next(iter(arguments[at + 1 :]), "")
        elif argument.startswith("--lang="):
            wish = argument.removeprefix("--lang=")
    return "zh" if wish == "zh" else "en" if wish == "en" else None
