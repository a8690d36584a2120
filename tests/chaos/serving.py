"""One process of an installation: a verb of the command line, as somebody types it, with one thing broken if asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from broadcaster import commands
from broadcaster.commands import front as front
from tests.chaos import points


def serve(words: Sequence[str], environment: Mapping[str, str], log: Path, broken: str) -> None:
    """Be this process until it ends. `broken`: see `points.breaks`."""
    os.environ.update(environment)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    points.breaks(broken)
    sys.argv = ["broadsheet", *words]
    commands.main()
