"""What a hint sets in motion. Each task opens its transactions, calls one function of a lower floor, and is done."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from celery import Celery

from broadcaster.access import readers
from broadcaster.campaigns import counts, schedule
from broadcaster.campaigns.schedule import PREPARE
from broadcaster.delivery import failover, orphans, preparing, receipts, reconcile
from broadcaster.delivery.control import submit_queue
from broadcaster.replies import router
from broadcaster.runtime import Runtime
from broadcaster.tasks.counting import count_waiting
from broadcaster.tasks.hints import GATHER
from broadcaster.tasks.lists import wake_forgotten, work_on_lists
from broadcaster.tasks.reader_codes import send_asked
from subscribers import transfers
from subscribers.clock import monotonic
from subscribers.db import is_sqlite, wake
from subscribers.list_jobs import LISTS

#: turns per task; then the hint goes to the end of the queue, so that one gateway does not keep a worker for itself
TURNS = 20

#: pieces of an audience per task, for the same reason: what has been written down is sent meanwhile
PIECES = 3
#: seconds between two of them on SQLite, where the others wait for the same lock and look at it ten times a second; no
#: longer than the piece took itself, which is short when it holds few: an urgent notice to one branch
GIVE_WAY = 0.1

#: the two that the schedule calls, apart, so that trouble with one campaign does not keep the other from its work
START_DUE, SWEEP = "start_due", "sweep"


def register(app: Celery, runtime: Runtime) -> None:
    """Give the application its tasks. They are plain functions: Celery rebuilds their signature from the source."""

    @app.task(name="submit", shared=False)
    def submit(gateway: str) -> None:
        if gateway in runtime.gateways and runtime.is_held(gateway):
            # whoever holds the connection sends: a thread of the pool would only wait for the carrier
            runtime.alone.ask(submit_queue(gateway))
        elif runtime.send(gateway, limit=TURNS):
            with runtime.begin() as tx:
                wake(tx.session, submit_queue(gateway))

    @app.task(name="prepare", shared=False)
    def prepare(campaign_ids: list[int]) -> None:
        for campaign_id in campaign_ids:
            if write_down(runtime, campaign_id, pieces=PIECES):
                with runtime.begin() as tx:
                    wake(tx.session, PREPARE, [campaign_id])

    @app.task(name=receipts.APPLY, shared=False)
    def apply_receipts() -> None:
        runtime.by_one(receipts.APPLY, partial(apply_what_came, runtime))

    @app.task(name="replies", shared=False)
    def route_replies() -> None:
        more = 1
        while more and not runtime.stopping.is_set():
            with runtime.begin() as tx:
                more = router.route(tx.session, runtime.desk(tx), now=tx.now)

    @app.task(name=counts.COUNT, shared=False)
    def count_editions() -> None:
        runtime.by_one(counts.COUNT, partial(count_waiting, runtime))

    @app.task(name=LISTS, shared=False)
    def lists_handed_in() -> None:
        runtime.by_one(LISTS, partial(work_on_lists, runtime))

    @app.task(name=readers.ASKED, shared=False)
    def send_codes() -> None:
        runtime.by_one(readers.ASKED, partial(send_asked, runtime))

    @app.task(name=START_DUE, shared=False)
    def start_due_campaigns() -> None:
        start_due(runtime)

    @app.task(name=SWEEP, shared=False)
    def sweep_up() -> None:
        sweep(runtime)


def apply_what_came(runtime: Runtime) -> bool:
    """Apply the receipts that wait, each once it has waited for `GATHER`, until there are none, or others hold them.

    One that is applied before the answer to its part costs several times as much: it is put aside, and looked at again.
    """
    while not runtime.stopping.is_set():
        with runtime.begin() as tx:
            up_to = receipts.newest(tx.session)
        if up_to is None:
            break
        runtime.stopping.wait(GATHER)
        if not _apply(runtime, up_to):
            break
    return False


def _apply(runtime: Runtime, up_to: int) -> int:
    """Apply those that came until then. Returns how many were looked at."""
    applied, some = 0, 1
    while some and not runtime.stopping.is_set():
        with runtime.begin() as tx:
            some = receipts.apply(tx.session, up_to=up_to, limit=receipts.AT_ONCE, now=tx.now)
        applied += some
    return applied


def write_down(runtime: Runtime, campaign_id: int, *, pieces: int) -> bool:
    """Write down the next pieces of a campaign's audience. Returns whether there are more."""
    for _ in range(pieces):
        with runtime.begin() as tx:
            began = monotonic()
            alone = is_sqlite(tx.session)
            if not preparing.prepare(tx.session, campaign_id, runtime.route, now=tx.now):
                return False
        if runtime.stopping.wait(min(GIVE_WAY, monotonic() - began) if alone else 0):
            break
    return True


def start_due(runtime: Runtime) -> None:
    """Start the campaigns whose time has come."""
    with runtime.begin() as tx:
        runtime.look_back(tx)
        for campaign in schedule.claim_due(tx.session, now=tx.now):
            schedule.start_due(
                tx.session, campaign, runtime.route(campaign), runtime.ways(tx), zone=runtime.settings.zone, now=tx.now
            )


def sweep(runtime: Runtime) -> None:
    """Find what no hint led to: the dead, the orphaned, the overdue, the finished, the forgotten."""
    with runtime.begin() as tx:
        runtime.take_over(tx)
    with runtime.begin() as tx:
        orphans.retry(tx.session, runtime.gateways, now=tx.now)
        router.wake_forgotten(tx.session, now=tx.now)
        reconcile.expire(tx.session, runtime.receipt_timeouts, runtime.looked, now=tx.now)
        transfers.expire(tx.session, now=tx.now)
        counts.wake_forgotten(tx.session, now=tx.now)
        wake_forgotten(runtime, tx)
        if readers.is_asked(tx.session):
            wake(tx.session, readers.ASKED)
    with runtime.begin() as tx:
        outages = failover.watch(tx.session, runtime.locks, now=tx.now)
        patience = timedelta(seconds=runtime.settings.routes.failover_after)
        failover.move_on(tx.session, runtime.route, outages, after=patience, now=tx.now)
    with runtime.begin() as tx:
        reconcile.finish(tx.session, runtime.receipt_timeouts, now=tx.now)
        reconcile.wake_forgotten(tx.session, now=tx.now)
