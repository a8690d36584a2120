"""The menu and its tabs: of all the entries those that a visitor can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from broadcaster.access.sign_in import Visitor
from broadcaster.language import msgid, translated
from subscribers.actor import Right

#: where it leads, what it is called, what it needs
Leads = tuple[str, str, Right]

SETTINGS: Sequence[Leads] = (
    ("/settings/users", msgid("Users and roles"), Right.ADMINISTER),
    ("/settings/gateways", msgid("Gateways"), Right.OPERATE),
    ("/settings/paper", msgid("Name and signature"), Right.EDIT),
    ("/settings/words", msgid("Words"), Right.EDIT),
    ("/settings/records", msgid("Records"), Right.ADMINISTER),
)
MEMBERS: Sequence[Leads] = (
    ("/members", msgid("Members"), Right.SEE),
    ("/members/organisations", msgid("Organisations"), Right.SEE),
    ("/members/segments", msgid("Segments"), Right.SEE),
    ("/members/transfers", msgid("Transfers"), Right.SEE),
    ("/members/import", msgid("Take in a list"), Right.REGISTER),
)
ITEMS: Sequence[Leads] = (
    ("/items", msgid("Items"), Right.SEE),
    ("/items/drafts", msgid("Not saved yet"), Right.WRITE),
    ("/items/contributed", msgid("Handed in"), Right.SEE),
    ("/items/shared", msgid("Shared pool"), Right.SEE),
    ("/items/columns", msgid("Columns"), Right.SEE),
)
_MENU: Sequence[tuple[str, str, Sequence[Leads]]] = (
    ("/", msgid("Today"), (("/", "", Right.SEE),)),
    ("/editions", msgid("Editions"), (("/editions", "", Right.SEE),)),
    ("/items", msgid("Items"), ITEMS),
    ("/members", msgid("Members"), MEMBERS),
    ("/settings", msgid("Settings"), SETTINGS),
)
#: pages that stand below a tab, though their address does not: the tab
_BELOW = {"/members/imports": "/members/import"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, in the visitor's language."""

    path: str
    word: str
    is_here: bool


def entries_for(visitor: Visitor | None, path: str) -> list[Entry]:
    """What this visitor can use; `path` is where they are. Nothing for who still owes a password or a code."""
    if visitor is None or visitor.must_change or visitor.owes_code:
        return []
    rights = visitor.actor.rights
    # where a tab is closed, the first one that opens
    return [
        Entry(next(way for way, _, right in tabs if right in rights), translated(word), _is_in(path, to))
        for to, word, tabs in _MENU
        if any(right in rights for _, _, right in tabs)
    ]


def tabs_for(visitor: Visitor | None, path: str) -> list[Entry]:
    """The tabs beside this page; none where there would be one only."""
    rights = visitor.actor.rights if visitor else frozenset()
    for to, _, tabs in _MENU:
        if to != "/" and _is_in(path, to):
            # the deepest that holds this page
            stands = next((tab for below, tab in _BELOW.items() if _is_in(path, below)), path)
            here = max((way for way, _, _ in tabs if _is_in(stands, way)), key=len, default="")
            found = [Entry(way, translated(word), way == here) for way, word, right in tabs if right in rights]
            return found if len(found) > 1 else []
    return []


def _is_in(path: str, of: str) -> bool:
    return path == of or (of != "/" and path.startswith(f"{of}/"))
