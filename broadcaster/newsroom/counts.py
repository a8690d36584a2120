"""How many a rule holds, as exactly as a page can wait for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from broadcaster.language import ntr, tr
from broadcaster.newsroom.remembered import ABOUT_FOR, known_of, remembered
from broadcaster.web.figures import about, count
from broadcaster.web.visits import Visit
from subscribers import segments
from subscribers.db import Tx
from subscribers.drawn import span
from subscribers.segments import Estimate

#: the rule that holds all
EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Told:
    """A number of people in words. Where it is not exact, the page offers to count."""

    words: str
    is_exact: bool
    #: whether there may be anybody
    is_somebody: bool


def how_many(tx: Tx, visit: Visit, rule: str, day: date, *, exactly: bool) -> Told:
    """How many members of one's part of the tree; `exactly` takes as long as it takes. Raises `Invalid`."""
    if exactly:
        counted = segments.count(tx.session, visit.view, rule, on=day)
        estimate = Estimate(counted.members, counted.reachable, is_exact=True)
    elif rule == EVERYONE:
        estimate = remembered(
            tx.session,
            ("everyone", day.isoformat(), str(span(tx.session)), visit.view.under),
            lambda found: 0 if found.is_exact else ABOUT_FOR,
            lambda: _estimate(tx, visit, rule, day),
        )
    else:
        estimate = _estimate(tx, visit, rule, day)
    return Told(_words(estimate), estimate.is_exact, estimate.members > 0)


def _estimate(tx: Tx, visit: Visit, rule: str, day: date) -> Estimate:
    known = known_of(tx, visit.view.under, day)
    return segments.estimate(tx.session, visit.view, rule, on=day, known=known)


def _words(found: Estimate) -> str:
    if found.is_bound:
        return tr("fewer than {n} members", n=about(found.members))
    if not found.is_exact:
        n, reachable = about(found.members), about(found.reachable)
        return tr("about {n} members · about {reachable} of them can be sent to", n=n, reachable=reachable)
    members = ntr("{figure} member", "{figure} members", found.members, figure=count(found.members))
    return f"{members} · {tr('{n} of them can be sent to', n=count(found.reachable))}"


def size_words(found: Estimate | None) -> str:
    """How many somebody looked for are, in words."""
    if found is None:
        return "—"
    if found.is_bound:
        return tr("few people or nobody")
    if not found.is_exact:
        return tr("about {n} people", n=about(found.members))
    return ntr("{figure} person", "{figure} people", found.members, figure=count(found.members))
