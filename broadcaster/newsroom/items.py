"""The shelves of items: all of one's place, what was handed in, the shared pool."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broadcaster.language import language, listed, tr
from broadcaster.newspaper import columns, items
from broadcaster.newspaper.edition_file import EVERYONE
from broadcaster.newspaper.items import Shelf
from broadcaster.newspaper.models import Item
from broadcaster.newsroom.clauses import said
from broadcaster.newsroom.drawing import draw
from broadcaster.newsroom.members import PAGE, Behind
from broadcaster.runtime import Runtime
from broadcaster.web.doors import shows
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import STATUSES, actor_word, item_state_word, place_words, status_word
from subscribers.actor import Right
from subscribers.organisations import names_of
from subscribers.segments import SavedSegment

router = APIRouter()

#: segments that are there from the beginning, the most usual first
BUILT_IN = ("everyone", "in_service", "retired", "mobile")
_MARKS = {"draft": "○", "contributed": "◐", "ready": "✓", "withdrawn": "✕"}


@shows(router, "/items", needs=Right.SEE)
def everything(request: Request, house: House, visit: Here, q: str = "", before: Behind = 0) -> Response:
    """All items of one's part of the tree, the newest first."""
    return _shelf(request, house, visit, Shelf.ALL, q, before)


@shows(router, "/items/contributed", needs=Right.SEE)
def contributed(request: Request, house: House, visit: Here, q: str = "", before: Behind = 0) -> Response:
    """What waits for an editor."""
    return _shelf(request, house, visit, Shelf.CONTRIBUTED, q, before)


@shows(router, "/items/shared", needs=Right.SEE)
def shared(request: Request, house: House, visit: Here, q: str = "", before: Behind = 0) -> Response:
    """What may be used by everybody below the place that shared it."""
    return _shelf(request, house, visit, Shelf.SHARED, q, before)


def state_words(item: Item) -> str:
    """How far an item is, with its mark."""
    return f"{_MARKS[item.state]} {item_state_word(item.state)}"


def audience_words(names: Sequence[str]) -> str:
    """For whom, as people say it."""
    return listed(map(segment_words, names))


def variant_words(name: str, names: Sequence[str]) -> str:
    """A variant of these, as people say it: behind others, the one for everyone is for those whom no other holds."""
    return tr("all others") if name in EVERYONE and len(names) > 1 else segment_words(name)


def variants_words(names: Sequence[str]) -> str:
    """The variants of an edition, one after the other."""
    return listed(variant_words(name, names) for name in names)


def segment_words(name: str) -> str:
    """A segment by its name, or the words of a rule."""
    return status_word(name) if name in STATUSES else _said(name, language())


def typed_words(name: str) -> str:
    """The same in a box in which it can be changed: a rule stands there as a rule."""
    return status_word(name) if name in STATUSES else name


@functools.lru_cache(maxsize=500)
def _said(rule: str, _: str) -> str:
    return said(rule)


def offered_segments(saved: Iterable[SavedSegment]) -> list[str]:
    """The names of segments that a page offers: those that are built in, and the saved ones."""
    return [*BUILT_IN, *(one.name for one in saved)][:30]


def _shelf(request: Request, house: Runtime, visit: Visit, shelf: Shelf, q: str, before: int) -> Response:
    q = q.strip()
    with house.reading() as tx:
        found = items.listing(tx.session, visit.view, shelf, words=q, before=before or None, limit=PAGE + 1)
        named = {line.id: line for line in columns.tree(tx.session, visit.actor)}
        places = names_of(tx.session, {item.under for item in found})
        now = tx.now
    lines: list[dict[str, Any]] = [
        {
            "id": item.id,
            "headline": item.headline,
            "sms": item.sms,
            "state": state_words(item),
            "shared": item.shared,
            "column": named[item.standing_id].name if item.standing_id in named else "—",
            "owner": named[item.standing_id].owner if item.standing_id in named else "",
            "source": item.source or place_words(places.get(item.under, "")).rpartition("/")[2] or "—",
            "changed": when(item.changed_at, now, house.settings.zone),
            "by": actor_word(item.changed_by),
        }
        for item in found[:PAGE]
    ]
    onward = urlencode({"q": q, "before": found[PAGE - 1].id}) if len(found) > PAGE else ""
    return draw(request, "items.html", shelf=shelf.value, lines=lines, q=q, onward=onward, before=before)
