"""For whom an item can be, and in which column: the boxes of its form."""

from __future__ import annotations

from typing import Any

from broadcaster.newspaper import columns, editions
from broadcaster.newspaper.edition_file import EVERYONE
from broadcaster.newspaper.item_words import Words
from broadcaster.newsroom.items import audience_words, offered_segments
from broadcaster.newsroom.place_rules import is_place, meaning, place_rules
from broadcaster.web.visits import Visit
from subscribers import segments
from subscribers.db import Tx

#: editions whose variants an item can be for
_LAST = 2


def choices(tx: Tx, visit: Visit, words: Words, q: str) -> dict[str, Any]:
    """The values of the boxes of `item.html`; `q`: the organisation that was looked for."""
    session, actor = tx.session, visit.actor
    known = offered_segments(segments.listing(session, actor))
    # rules that the last editions have a variant for
    for line in editions.listing(session, actor, limit=_LAST):
        known += [name for name in line.variants if name not in known]
    # an organisation that is asked for in other words, or in the other language, has one box all the same
    meant = {meaning(name): name for name in (*words.audience, *reversed(known))}
    places, has_more = place_rules(tx, visit, q)
    found = [meant.get(meaning(place), place) for place in places]
    # those that are ticked stay in sight, whatever is looked for
    ticked = [name for name in words.audience if is_place(tx, visit, name)]
    places = [name for name in dict.fromkeys([*ticked, *found]) if name not in known]
    return {
        "everyone": audience_words(["everyone"]),
        "is_for_all": not EVERYONE.isdisjoint(words.audience),
        "segments": [(name, audience_words([name]), name in words.audience) for name in known if name not in EVERYONE],
        "places": [(name, audience_words([name]), name in words.audience) for name in places],
        "has_more_places": has_more,
        "found_none": bool(q) and not found,
        "other_audience": "\n".join(
            name for name in words.audience if name not in known and name not in places and name not in EVERYONE
        ),
        "columns": [
            (line.id, "\u2003" * line.depth + line.name, line.id == words.standing_id)
            for line in columns.tree(session, actor)
        ],
    }
