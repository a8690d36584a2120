"""The menu: of all its entries those that a visitor can use."""

from __future__ import annotations

from dataclasses import dataclass

from broadcaster.access.sign_in import Visitor
from broadcaster.language import msgid, translated
from subscribers.actor import Right


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, in the visitor's language."""

    path: str
    word: str
    is_here: bool


#: where it leads, what it is called, what it needs
_ENTRIES = (("/", msgid("Today"), Right.SEE),)


def entries_for(visitor: Visitor | None, path: str) -> list[Entry]:
    """What this visitor can use; `path` is where they are. Nothing for who still owes a password or a code."""
    if visitor is None or visitor.must_change or visitor.owes_code:
        return []
    return [
        Entry(to, translated(word), path == to if to == "/" else path == to or path.startswith(f"{to}/"))
        for to, word, right in _ENTRIES
        if right in visitor.actor.rights
    ]
