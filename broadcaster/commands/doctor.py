"""`broadsheet doctor`: what is well, what is not, and what to do about it."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence

import typer
from rich.console import RenderableType

from broadcaster import logs
from broadcaster.access.secret import secret_file, secret_key
from broadcaster.campaigns.profiles import refuse_halfway
from broadcaster.commands.gateway_checks import clock, gateway_check
from broadcaster.commands.house import is_served
from broadcaster.commands.options import Free, asked, noun, verb
from broadcaster.commands.output import answer, plain, verdict
from broadcaster.keeping import restoring
from broadcaster.language import listed, msgid, ntr, tell, tr, translated
from broadcaster.reports.alarms import alarms
from broadcaster.reports.stages import stages
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import Settings, load
from broadcaster.tasks import reach
from broadcaster.web.readiness import Check, database, looked_at
from subscribers.errors import BroadsheetError, Unavailable

app = noun()

#: what is looked at; programs read these names as they are
_NAMES = (
    msgid("configuration"),
    msgid("data"),
    msgid("secret"),
    msgid("database"),
    msgid("backup"),
    msgid("clock"),
    msgid("queue"),
    msgid("alarm"),
    msgid("press"),
)


@verb(
    app,
    about=tr("Check configuration, data, database, queue and gateways."),
    example="broadsheet doctor",
    needs=Free.MACHINE,
)
def doctor() -> None:
    logs.configure(level="ERROR")
    checks = list(_examine())
    ok = all(check.ok for check in checks)
    answer({"ok": ok, "checks": [plain(check) for check in checks]}, *map(_line, checks))
    if not ok:
        raise typer.Exit(1)


def _examine() -> Iterator[Check]:
    try:
        settings = load(asked().config)
        runtime = make_runtime(settings)
    except BroadsheetError as error:
        yield Check("configuration", False, *tell(error))
        return
    yield looked_at("configuration", lambda: _configuration(settings))
    with contextlib.closing(runtime):
        yield looked_at("data", lambda: _data(settings))
        yield looked_at("secret", lambda: _secret(settings))
        yield looked_at("database", lambda: _database(runtime))
        yield looked_at("backup", lambda: _backup(runtime))
        if settings.own_file is None:
            yield looked_at("clock", lambda: clock(runtime))
        yield looked_at("queue", lambda: _queue(settings))
        for name in runtime.gateways:
            yield gateway_check(runtime, name)
        yield from _alarms(runtime)
        yield _press(runtime)


def _configuration(settings: Settings) -> str:
    refuse_halfway(settings.paper.signature)
    return ntr("{n} gateway: {names}", "{n} gateways: {names}", len(settings.gateways), names=listed(settings.gateways))


def _data(settings: Settings) -> str:
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=settings.data):
            pass
        free = os.statvfs(settings.data)
    except OSError as error:
        raise Unavailable(
            "The data directory {path} cannot be written: {detail}.",
            hint="Give it to the user that Broadsheet runs as, or name another one with BROADSHEET_DATA.",
            path=str(settings.data),
            detail=error.strerror or type(error).__name__,
        ) from None
    return tr(
        "{path} can be written, {free:.1f} GB are free", path=settings.data, free=free.f_bavail * free.f_frsize / 1e9
    )


def _secret(settings: Settings) -> str:
    """Where the secret is that knows forgotten numbers again; looking at it makes none."""
    file = secret_file(settings.data)
    if not settings.access.secret and not file.exists():
        return tr("{path} is made when it is first used; several hosts need the same one", path=file)
    secret_key(settings.access.secret, settings.data)
    if settings.access.secret:
        return tr("it stands in the configuration")
    return tr("{path}; back it up apart from the database", path=file)


def _database(runtime: Runtime) -> str:
    own = runtime.settings.own_file
    if own is not None and not own.exists():
        return tr("{path} is made when it is first used", path=own)
    return database(runtime)


def _backup(runtime: Runtime) -> str:
    """That nothing waits for a decision since the database was restored from a backup. Raises `Unavailable`."""
    own = runtime.settings.own_file
    try:
        if own is not None and not own.exists():
            waiting: Sequence[int] = ()
        else:
            with runtime.reading() as tx:
                waiting = restoring.waiting(tx.session)
    except BroadsheetError:
        return tr("nobody can tell while the database is away")
    if waiting:
        raise Unavailable(
            "The database was restored from a backup, and campaigns wait for a decision: {ids}.",
            hint=restoring.HINT,
            ids=listed(map(str, waiting)),
        )
    return tr("no campaign waits because of a restored backup")


def _queue(settings: Settings) -> str:
    if settings.embedded:
        return tr("embedded: it lives in the process of `broadsheet up`")
    reach.check_broker(settings.queue.url)
    return tr("the broker answers")


def _alarms(runtime: Runtime) -> Iterator[Check]:
    own = runtime.settings.own_file
    raised: list[BroadsheetError] = []
    if own is None or own.exists():
        try:
            with runtime.reading() as tx:
                found = stages(tx.session, runtime.locks, list(runtime.gateways), now=tx.now)
                raised += alarms(found, now=tx.now)
        except BroadsheetError:
            # what is wrong with the database is another check's to say
            return
    for alarm in raised:
        yield Check("alarm", False, *tell(alarm))
    if not raised:
        yield Check("alarm", True, tr("nothing waits for a person"))


def _press(runtime: Runtime) -> Check:
    """Whether someone sends, for the embedded installation: not a fault, but what people wonder about."""
    try:
        if is_served(runtime):
            return Check("press", True, tr("a process is sending for this installation"))
    except Exception:
        return Check("press", True, tr("nobody can tell while the database is away"))
    told = tr("nothing is sending now; `broadsheet up` does, or `broadsheet worker` with a queue")
    return Check("press", True, told)


def _line(check: Check) -> RenderableType:
    told = check.found
    kind, _, which = check.name.partition(" ")
    # most of what is wrong with a gateway begins with its name
    name = tr("Gateway {name}", name=which) if kind == "gateway" else translated(check.name)
    if not told.startswith(name):
        told = tr("{name}: {value}", name=name, value=told)
    return verdict(check.ok, told, check.advice)
