"""The language of segments: `status = retired and under("East City")`, or 状态 = 离退休 且 属于("东城") -> a tree.

parser (rules.lark) -> fields -> terms; faults point at the place in the text. All of it is pure: what needs the
registry (organisations, lists, saved segments) is looked up in `subscribers.segments`. docs/segments.md is its page.
"""

from subscribers.rules.faults import DEPTH, LENGTH, TERMS, VALUES, clipped, is_too_much, pointer, too_much
from subscribers.rules.fields import BUILT_IN
from subscribers.rules.parser import parse
from subscribers.rules.terms import (
    All,
    AnyOf,
    Away,
    Compared,
    Everyone,
    Field,
    InList,
    InOrganisation,
    InSubtree,
    Is,
    Leaf,
    Not,
    OnList,
    Place,
    Reachable,
    Rule,
    Saved,
    Starts,
    changed,
    walk,
)

__all__ = [
    "BUILT_IN",
    "DEPTH",
    "LENGTH",
    "TERMS",
    "VALUES",
    "All",
    "AnyOf",
    "Away",
    "Compared",
    "Everyone",
    "Field",
    "InList",
    "InOrganisation",
    "InSubtree",
    "Is",
    "Leaf",
    "Not",
    "OnList",
    "Place",
    "Reachable",
    "Rule",
    "Saved",
    "Starts",
    "changed",
    "clipped",
    "is_too_much",
    "parse",
    "pointer",
    "too_much",
    "walk",
]
