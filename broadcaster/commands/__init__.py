"""The command line: one file per noun, and in it a door per verb: parse, call one function of a lower floor, answer."""

from __future__ import annotations

import sys

from broadcaster.commands.program import wished_language
from broadcaster.language import set_language


def main() -> None:
    """Run what was typed, and end the process with its exit code."""
    set_language(wished_language(sys.argv[1:]))
    # imported late: the help texts are made in the reader's language when a module is read
    from broadcaster.commands.front import app

    app()
