"""Segments: a rule, looked up in the registry, becomes one SELECT of members as of a day.

counting, saved -> resolving (names of places, lists and segments); counting -> asked -> conditions (SQL);
own_headings -> asked, counting.
`subscribers.rules` reads the text. The conditions of a rule are two-valued: whoever is not in a rule is in its
negation, also where a birthday is missing.
"""

from subscribers.segments.asked import Known, held
from subscribers.segments.audience import check, compile_rule, condition, frozen, members_matching, resolved
from subscribers.segments.conditions import day_years_before
from subscribers.segments.counting import (
    Count,
    Estimate,
    Someone,
    count,
    estimate,
    first_found,
    has_birthdays,
    people,
    sizes,
    some,
    stand_ins,
)
from subscribers.segments.own_headings import OwnColumn, own_columns
from subscribers.segments.saved import SavedSegment, last_saved, listing, mark_of, remove, save

__all__ = [
    "Count",
    "Estimate",
    "Known",
    "OwnColumn",
    "SavedSegment",
    "Someone",
    "check",
    "compile_rule",
    "condition",
    "count",
    "day_years_before",
    "estimate",
    "first_found",
    "frozen",
    "has_birthdays",
    "held",
    "last_saved",
    "listing",
    "mark_of",
    "members_matching",
    "own_columns",
    "people",
    "remove",
    "resolved",
    "save",
    "sizes",
    "some",
    "stand_ins",
]
