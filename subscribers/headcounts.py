"""How many members each of some organisations has, as exactly as a page can wait for."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.db import among, at_once
from subscribers.drawn import Drawn, draw, span
from subscribers.models import Membership, Organisation
from subscribers.organisations import Node, in_subtree, subtree_range
from subscribers.registry import standing_on

#: the registry is counted up to this size
COUNTED = 20_000
#: and so is an organisation of a larger one up to this
SMALL = 1_000
#: for the others so many members are looked at
DRAWN = 4_000
#: where no more of those drawn are, all are counted: that is still quick
FEW = 50

#: organisation -> how many of those drawn are in it; `Keep` is given a key and how they are found
Places = Counter[int]
Keep = Callable[[tuple[str, ...], Callable[[], Places]], Places]


def _find_anew(_key: tuple[str, ...], find: Callable[[], Places]) -> Places:
    return find()


@dataclass(frozen=True, slots=True)
class Headcount:
    """So many, or about so many."""

    members: int
    is_exact: bool


@needs(Right.SEE)
def headcounts(
    session: Session,
    actor: Actor,
    nodes: Sequence[Node],
    *,
    on: date,
    exactly: bool = False,
    keep: Keep = _find_anew,
) -> dict[int, Headcount]:
    """Members of each of these, with all below, on a day: id -> how many. None of `nodes` is below another one.

    In a large registry those with many are told from members who are drawn, unless `exactly`, which takes its time.
    `keep` may remember where those are, which costs most of it and is the same for every part of the tree.
    """
    told: dict[int, Headcount] = {}
    drawn: dict[int, Headcount] | None = None
    for node in nodes:
        about = drawn.get(node.id) if drawn else None
        if about is not None and about.members > 2 * SMALL:
            told[node.id] = about
            continue
        members = _count(session, actor, node, on, None if exactly else SMALL)
        if not exactly and members > SMALL:
            if drawn is None:
                drawn = _drawn(session, nodes, on, keep) if span(session) >= COUNTED else {}
            told[node.id] = drawn.get(node.id) or Headcount(_count(session, actor, node, on), is_exact=True)
        else:
            told[node.id] = Headcount(members, is_exact=True)
    return told


def _count(session: Session, actor: Actor, node: Node, on: date, up_to: int | None = None) -> int:
    """How many there are, or one more than `up_to` if there are more."""
    here = (
        select(Membership.member_id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(in_subtree(Organisation.path, node.path), in_subtree(Organisation.path, actor.under), standing_on(on))
    )
    if up_to is not None:
        here = here.limit(up_to + 1)
    return session.scalar(select(func.count()).select_from(here.subquery())) or 0


def _drawn(session: Session, nodes: Sequence[Node], on: date, keep: Keep) -> dict[int, Headcount]:
    drawn = draw(session, DRAWN)
    last = session.scalar(select(func.max(Membership.id)))
    key = (on.isoformat(), str(drawn.ids[0]), str(drawn.ids[-1]), str(last))
    places = keep(key, lambda: _places(session, drawn, on))
    paths = select(Organisation.id, Organisation.path).where(among(session, Organisation.id, places))
    by_path = sorted(nodes, key=lambda node: node.path)
    starts = [node.path for node in by_path]
    found: Counter[int] = Counter()
    for id_, path in at_once(session, paths):
        at = bisect_right(starts, path) - 1
        if at >= 0 and path < subtree_range(starts[at])[1]:
            found[by_path[at].id] += places[int(id_)]
    return {
        id_: Headcount(round(members * drawn.step), is_exact=False) for id_, members in found.items() if members > FEW
    }


def _places(session: Session, drawn: Drawn, on: date) -> Places:
    there = select(Membership.organisation_id).where(standing_on(on), among(session, Membership.member_id, drawn.ids))
    return Counter(int(id_) for (id_,) in at_once(session, there))
