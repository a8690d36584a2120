"""How far the paper is: the values of a page that only looks."""

from __future__ import annotations

from typing import Any

from broadcaster.delivery.obstacles import obstacles
from broadcaster.reports.overview import Standing, overview
from broadcaster.runtime import Runtime
from broadcaster.web.telling import RUNNING, Teller
from subscribers.actor import Actor


def standing(house: Runtime, actor: Actor, *, hold: bool) -> dict[str, Any]:
    """What `_standing.html` is given, for this actor's part of the tree. `hold`: it is not to load itself anew."""
    with house.reading() as tx:
        now = tx.now
        seen = overview(tx.session, actor)
        held_up = [] if seen.current is None else obstacles(tx.session, house.locks, seen.current.id, now=now)
    values = Teller(house.settings, house.gateways, now).page(seen, held_up, actor.rights)
    return {**values, "hold": hold, "refresh": None if hold else _pace(seen.current)}


def _pace(current: Standing | None) -> int:
    """Seconds until the page loads itself anew."""
    if current is None or current.state not in (*RUNNING, "sent"):
        return 30
    return 10 if current.state == "sent" else 3
