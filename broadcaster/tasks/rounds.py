"""The rounds that have time: questions to carriers, who may take long to answer, and the emptying of old words."""

from __future__ import annotations

from collections import Counter
from collections.abc import MutableMapping

from celery import Celery

from broadcaster.delivery import asking
from broadcaster.gateways.errors import GatewayError
from broadcaster.keeping import emptying
from broadcaster.logs import get
from broadcaster.newspaper import pictures
from broadcaster.runtime import Runtime
from subscribers import list_jobs
from subscribers.importing import refused_rows

log = get(__name__)

LOOK_UP = "look_up"
KEEP = "keep"
#: seconds between two rounds
EVERY = 60.0
#: portions of one round, each a transaction: a few seconds of work in a minute
PORTIONS = 20


def register(app: Celery, runtime: Runtime) -> None:
    """Give the application its task."""
    asked_up_to: dict[str, int] = {}

    @app.task(name=LOOK_UP, shared=False)
    def look_up_all() -> None:
        look_up(runtime, asked_up_to)

    @app.task(name=KEEP, shared=False)
    def empty_old_words() -> None:
        keep(runtime)


def look_up(runtime: Runtime, asked_up_to: MutableMapping[str, int]) -> None:
    """Ask the carriers that can be asked; over a connection that is held, only its holder can."""
    for name in runtime.gateways:
        if not runtime.is_held(name):
            look_up_at(runtime, name, asked_up_to)


def look_up_at(runtime: Runtime, name: str, asked_up_to: MutableMapping[str, int]) -> None:
    """Ask a carrier about the next of the parts of whose end it has told nothing.

    `asked_up_to`: by gateway, the part at which the last round ended; after the last part it begins anew.
    """
    gateway = runtime.gateways[name]
    if not gateway.capabilities.looks_up:
        return
    with runtime.reading() as tx:
        asked = asking.questions(tx.session, name, after=asked_up_to.get(name, 0), now=tx.now)
    asked_up_to[name] = asked[-1].part_id if len(asked) == asking.ROUND else 0
    if not asked:
        return
    try:
        gateway.open()
        told = gateway.look_up([each.question for each in asked])
    except GatewayError as error:
        log.warning("a carrier could not be asked", gateway=name, parts=len(asked), reason=str(error))
        return
    with runtime.begin() as tx:
        settled = asking.settle(tx.session, name, asked, told, gateway.reasons, now=tx.now)
    log.info("a carrier was asked", gateway=name, parts=len(asked), told=settled)


def keep(runtime: Runtime) -> None:
    """Empty the words of what is older than the settings say, a bounded number of portions of it.

    Pictures that nothing has named for long go, too, and lists that nobody took in.
    """
    with runtime.begin() as tx:
        list_jobs.forget_old(tx.session, now=tx.now)
        refused_rows.forget_old(tx.session, now=tx.now)
    rows: Counter[str] = Counter()
    for _ in range(PORTIONS):
        if runtime.stopping.is_set():
            break
        with runtime.begin() as tx:
            emptied = emptying.empty(tx.session, runtime.keeping, now=tx.now)
        rows.update(emptied.rows)
        if not emptied.more:
            break
    with runtime.begin() as tx:
        rows["pictures"] = pictures.forget_unused(tx.session, now=tx.now)
    if told := {what: n for what, n in rows.items() if n}:
        log.info("old words were emptied", **told)
