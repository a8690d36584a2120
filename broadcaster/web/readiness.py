"""Whether this process can do its work now, and what to do if it cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from broadcaster import migrations
from broadcaster.language import listed, tell, tr
from broadcaster.logs import Seldom, get
from broadcaster.runtime import Runtime
from broadcaster.tasks.reach import check_broker
from subscribers.clock import monotonic
from subscribers.errors import BroadsheetError, Unavailable

log = get(__name__)

#: told once a minute
_faults = Seldom(60)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: how it is, and what to do if it is not well."""

    name: str
    ok: bool
    found: str
    advice: str = ""


def checks(runtime: Runtime) -> list[Check]:
    """Database, queue and gateways. No gateway is opened by looking. What is wrong is written in the log, too."""
    looks = {"database": database, "queue": _queue, "gateways": _gateways}
    return [looked_at(name, partial(_logged, name, partial(look, runtime))) for name, look in looks.items()]


def for_strangers(check: Check) -> Check:
    """The same without names of machines, users and programs."""
    words = {
        "database": (
            tr("answers, and has the form that this program needs"),
            tr("does not answer, or is older than this program"),
        ),
        "queue": (tr("is being done"), tr("is not being done")),
        "gateways": (tr("are set up"), tr("none is set up")),
    }
    well, wrong = words[check.name]
    return Check(check.name, check.ok, well if check.ok else wrong)


def _logged(name: str, look: Callable[[], str]) -> str:
    try:
        return look()
    except BroadsheetError as error:
        # whoever watches the process asks every few seconds
        if times := _faults.again(name, monotonic()):
            log.warning("not ready", check=name, reason=str(error), times=times)
        raise


def looked_at(name: str, look: Callable[[], str]) -> Check:
    """A check whose `look` says what it found, or raises what is wrong."""
    try:
        return Check(name, True, look())
    except BroadsheetError as error:
        return Check(name, False, *tell(error))


def database(runtime: Runtime) -> str:
    """That the database answers and is at the revision of this program. Raises `Unavailable`."""
    with runtime.reading() as tx:
        found, head = migrations.revision_of(tx.session.connection()), migrations.head()
    if found != head:
        raise Unavailable(
            "The database is at revision {found}; this program needs {head}.",
            hint="Run `broadsheet init`.",
            found=found or "-",
            head=head,
        )
    return tr("{kind} answers, revision {revision}", kind=runtime.engine.dialect.name, revision=head)


def _queue(runtime: Runtime) -> str:
    if runtime.stopping.is_set():
        raise Unavailable("This process is ending.", hint="Ask the one that takes its place.")
    if not runtime.settings.embedded:
        check_broker(runtime.settings.queue.url)
        return tr("the broker answers")
    if runtime.publish is None:
        raise Unavailable("Nobody serves the queue in this process.", hint="Start it with `broadsheet up`.")
    return tr("embedded, served by this process")


def _gateways(runtime: Runtime) -> str:
    if not runtime.gateways:
        raise Unavailable("There is no gateway.", hint="Add one under [gateways] in broadsheet.toml.")
    return listed(runtime.gateways)
