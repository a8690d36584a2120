"""Organisations as rules, for boxes to tick: those of the first level, or those that were looked for."""

from __future__ import annotations

from broadcaster.newsroom.clauses import Clause, rule_of
from broadcaster.web.visits import Visit
from subscribers import rules, segments, tree_levels, tree_search
from subscribers.db import Tx
from subscribers.errors import Invalid
from subscribers.rules import Place, Rule

#: organisations with a box of their own: of one level, and of those that were looked for
PLACES = 12


def place_rules(tx: Tx, visit: Visit, q: str = "") -> tuple[list[str], bool]:
    """The rules of the organisations that were looked for, or of the first level; and whether there are more."""
    if q:
        found = [names for _, names in tree_search.find(tx.session, visit.actor, q, limit=PLACES + 1)]
    else:
        nodes = tree_levels.below(tx.session, visit.actor, visit.view.under, limit=PLACES + 1)
        if len(nodes) == 1:
            # the one at the top of all
            nodes += tree_levels.below(tx.session, visit.actor, nodes[0].path, limit=PLACES)
        found = [node.names for node in nodes]
    made = []
    for names in found[:PLACES]:
        try:
            made.append(rule_of([Clause("under", "=", names)], is_any=False))
        except Invalid:
            # with all kinds of quotes in its name: it can be asked for by nothing but its number
            continue
    return made, len(found) > PLACES


def is_place(tx: Tx, visit: Visit, name: str) -> bool:
    """Whether this is the rule of an organisation, of those that there are, and all below it."""
    rule = meaning(name)
    if not (isinstance(rule, Place) and rule.whole):
        return False
    try:
        segments.check(tx.session, name, within=visit.actor.under)
    except Invalid:
        return False
    return True


def meaning(name: str) -> Rule | str:
    """What a segment's name or a rule means, the same in both languages; itself if it is no rule."""
    try:
        return rules.parse(name)
    except Invalid:
        return name
