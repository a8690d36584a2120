"""Segments: a rule, looked up in the registry, becomes one SELECT of members as of a day.

counting, saved -> resolving (names of places, lists and segments) -> conditions (SQL). `subscribers.rules` reads the
text. The conditions of a rule are two-valued: whoever is not in a rule is in its negation, also where a birthday is
missing.
"""

from subscribers.segments.audience import check, compile_rule, condition, frozen, members_matching
from subscribers.segments.conditions import day_years_before
from subscribers.segments.counting import (
    Count,
    Estimate,
    Someone,
    count,
    estimate,
    has_birthdays,
    people,
    sizes,
    some,
    stand_ins,
)
from subscribers.segments.saved import SavedSegment, listing, remove, save

__all__ = [
    "Count",
    "Estimate",
    "SavedSegment",
    "Someone",
    "check",
    "compile_rule",
    "condition",
    "count",
    "day_years_before",
    "estimate",
    "frozen",
    "has_birthdays",
    "listing",
    "members_matching",
    "people",
    "remove",
    "save",
    "sizes",
    "some",
    "stand_ins",
]
