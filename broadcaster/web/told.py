"""What went wrong, for people at a page: without what only a command line can do or show."""

from __future__ import annotations

import re

from broadcaster.language import in_a_row, tell
from subscribers.errors import BroadsheetError

#: a command, or an option of one
_TYPED = re.compile(r"`broadsheet\b|(?<![\w-])--[a-z]")
#: the line that is meant, and a mark under the place: in letters of different widths it stands under another one
_POINTER = re.compile(r"\n[^\n]*\n *\^\Z")
_SENTENCES = re.compile(r"(?<=[。；])|(?<=[.;])\s+")


def told(error: BroadsheetError) -> tuple[str, str]:
    """What happened and what to do about it, in the reader's language; the second is "" when nothing is left of it."""
    what, then = tell(error)
    left = in_a_row(*(each for each in _SENTENCES.split(then) if not _TYPED.search(each)))
    return _POINTER.sub("", what), re.sub("；$", "。", re.sub(";$", ".", left))
