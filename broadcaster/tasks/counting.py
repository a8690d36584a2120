"""Editions counted over their whole audience, one at a time in each process."""

from __future__ import annotations

from broadcaster.campaigns import check, compose, counts, profiles
from broadcaster.campaigns.counts import Claimed
from broadcaster.logs import get
from broadcaster.runtime import Runtime
from subscribers import segments
from subscribers.actor import Actor, Right
from subscribers.clock import monotonic
from subscribers.errors import BroadsheetError

log = get(__name__)

#: seconds between two words about how far it is
TOLD_EVERY = 1.0


class _Stopped(Exception):
    """It was called off, or this process is being stopped."""


def count_waiting(runtime: Runtime) -> bool:
    """Count what was asked for, until nothing waits. Whether there may be more: never, it has looked."""
    while not runtime.stopping.is_set():
        with runtime.begin() as tx:
            claimed = counts.claim(tx.session, now=tx.now)
        if claimed is None:
            break
        try:
            _count(runtime, claimed)
        except _Stopped:
            with runtime.begin() as tx:
                counts.leave(tx.session, claimed)
        except BroadsheetError as error:
            with runtime.begin() as tx:
                counts.fail(tx.session, claimed, error)
        except Exception:
            log.exception("an edition could not be counted", edition=claimed.number)
            with runtime.begin() as tx:
                counts.fail(tx.session, claimed, None)
    return False


def _count(runtime: Runtime, claimed: Claimed) -> None:
    paper, zone = runtime.settings.paper, runtime.settings.zone
    actor = Actor(claimed.asked_by, frozenset({Right.SEE}), under=claimed.under)
    told_at = 0.0

    def tell(seen: int) -> None:
        nonlocal told_at
        if runtime.stopping.is_set():
            raise _Stopped
        if monotonic() - told_at < TOLD_EVERY:
            return
        with runtime.begin() as now:
            is_ours = counts.tell(now.session, claimed, seen, about, now=now.now)
        if not is_ours:
            raise _Stopped
        told_at = monotonic()

    with runtime.reading() as tx:
        on = tx.now.astimezone(zone).date()
        about = segments.estimate(tx.session, actor, "everyone", on=on).members
        tell(0)
        draft = compose.edition_unsaved(
            tx.session,
            actor,
            claimed.number,
            rule="everyone",
            paper=paper.name,
            language=paper.language,
            dress=runtime.dress,
            pages=runtime.settings.web.pages,
            now=tx.now,
        )
        ways = runtime.ways(tx)
        route = runtime.route(draft)
        checked = check.check(tx.session, actor, draft, route, ways, zone=zone, now=tx.now, progress=tell)
        revision = compose.content_hash(draft)
        dresses = {
            name: profiles.worn(draft, name, ways[name].capabilities, ways[name].profile)[0] for name in route.gateways
        }
        unpriced = [name for name in route.gateways if not ways[name].price]
    with runtime.begin() as tx:
        counts.keep(tx.session, claimed, revision, checked, dresses, unpriced, now=tx.now)
