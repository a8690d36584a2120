"""How this program was started, and so how a command is typed here: every command that people read begins with that."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

_COMMAND = re.compile(r"(?<![\w./-])broadsheet(?= (?:--?[a-z]|[a-z]))(?P<configured> --config)?")


def program() -> str:
    """What a command begins with: `broadsheet`, or `python3 run.py`, which puts no command on anybody's path."""
    return os.environ.get("BROADSHEET_PROGRAM", "broadsheet")


def typed(text: str, options: Callable[[str], str] = str) -> str:
    """The text, with our own commands as they are typed here.

    `options`: what goes between the program and the rest of a command, from the ` --config` that stands there, or "".

    >>> typed("Run `broadsheet init`.")
    'Run `broadsheet init`.'
    """
    return _COMMAND.sub(lambda found: program() + options(found["configured"] or ""), text)
