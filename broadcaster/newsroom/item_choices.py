"""For whom an item can be, and in which column: the boxes of its form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from broadcaster.newspaper import columns, editions
from broadcaster.newspaper.edition_file import EVERYONE
from broadcaster.newspaper.item_words import Words
from broadcaster.newsroom.clauses import ROWS, Clause
from broadcaster.newsroom.items import audience_words, offered_segments
from broadcaster.newsroom.members import today
from broadcaster.newsroom.own_columns import own_columns
from broadcaster.newsroom.place_rules import is_place, meaning, place_rules
from broadcaster.newsroom.rows import rows_for
from broadcaster.runtime import Runtime
from broadcaster.web.visits import Visit
from subscribers import segments
from subscribers.db import Tx
from subscribers.errors import Invalid
from subscribers.segments import SavedSegment

#: editions whose variants an item can be for
_LAST = 2


@dataclass(frozen=True, slots=True)
class Clicked:
    """The rows with which a rule is clicked together; `is_open`: they are shown."""

    rows: Sequence[Clause] = ()
    is_any: bool = False
    is_open: bool = False


def choices(house: Runtime, tx: Tx, visit: Visit, words: Words, q: str, clicked: Clicked) -> dict[str, Any]:
    """The values of the boxes of `item.html`; `q`: the organisation that was looked for."""
    session, actor = tx.session, visit.actor
    saved = segments.listing(session, actor)
    known = _known(tx, visit, saved)
    # an organisation that is asked for in other words, or in the other language, has one box all the same
    meant = {meaning(name): name for name in (*words.audience, *reversed(known))}
    places, has_more = place_rules(tx, visit, q)
    found = [meant.get(meaning(place), place) for place in places]
    # those that are ticked stay in sight, whatever is looked for
    ticked = [name for name in words.audience if is_place(tx, visit, name)]
    places = [name for name in dict.fromkeys([*ticked, *found]) if name not in known]
    others = [name for name in words.audience if name not in (*known, *places) and name not in EVERYONE]
    # what is a rule has a box of its own: its text is for who types rules
    known += [name for name in others if _can_be_asked(tx, visit, name)]
    return {
        "everyone": audience_words(["everyone"]),
        "is_for_all": not EVERYONE.isdisjoint(words.audience),
        "segments": [(name, audience_words([name]), name in words.audience) for name in known if name not in EVERYONE],
        "places": [(name, audience_words([name]), name in words.audience) for name in places],
        "has_more_places": has_more,
        "found_none": bool(q) and not found,
        "other_audience": "\n".join(name for name in others if name not in known),
        "columns": [
            (line.id, "\u2003" * line.depth + line.name, line.id == words.standing_id)
            for line in columns.tree(session, actor)
        ],
        **_rows(house, tx, visit, clicked, saved),
    }


def known_rules(tx: Tx, visit: Visit) -> list[str]:
    """The segments, and the rules of variants, that have a box on the page of an item."""
    return _known(tx, visit, segments.listing(tx.session, visit.actor))


def _known(tx: Tx, visit: Visit, saved: Sequence[SavedSegment]) -> list[str]:
    known = offered_segments(saved)
    # rules that the last editions have a variant for
    for line in editions.listing(tx.session, visit.actor, limit=_LAST):
        known += [name for name in line.variants if name not in known]
    return known


def _can_be_asked(tx: Tx, visit: Visit, rule: str) -> bool:
    try:
        segments.check(tx.session, rule, within=visit.actor.under)
    except Invalid:
        return False
    return True


def _rows(house: Runtime, tx: Tx, visit: Visit, clicked: Clicked, saved: Sequence[SavedSegment]) -> dict[str, Any]:
    # only who asks for them waits for what stands in the lists
    if not clicked.is_open:
        return {"clauses": None}
    own = own_columns(tx, visit, today(house, tx))
    return rows_for(tx, visit, clicked.rows, most=ROWS, is_any=clicked.is_any, saved=saved, own=own)
