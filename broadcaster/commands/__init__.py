"""The command line: one file per noun, and in it a door per verb: parse, call one function of a lower floor, answer."""

from __future__ import annotations

import os
import sys

from broadcaster.commands.program import wished_language
from broadcaster.language import set_language


def main() -> None:
    """Run what was typed, and end the process with its exit code."""
    # databases, exports and lists of members are for their owner, whatever the shell was told
    os.umask(0o077)
    set_language(wished_language(sys.argv[1:]))
    # imported late: the help texts are made in the reader's language when a module is read
    from broadcaster.commands.front import app

    app()
