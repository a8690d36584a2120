"""Lists that were handed in: looked at, taken in and taken back, one at a time in the whole installation."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from broadcaster.access import users
from broadcaster.delivery import locks
from broadcaster.list_notes import notes_of
from broadcaster.logs import get
from broadcaster.runtime import Runtime
from broadcaster.undoing import undo_import
from subscribers import importing, list_jobs, records
from subscribers.actor import Actor
from subscribers.clock import monotonic
from subscribers.db import Tx, wake
from subscribers.errors import BroadsheetError, Conflict, Unavailable
from subscribers.importing import ImportResult, LastTime, Limits, refused_rows, told
from subscribers.list_jobs import LARGEST, MOST_ROWS, Claimed, ListKind

log = get(__name__)

#: seconds between two words about how far it is
TOLD_EVERY = 0.5
#: people who are shown as they would stand there
_SAMPLES = 3
_LIMITS = Limits(rows=MOST_ROWS, bytes=LARGEST)


class _Stopped(Exception):
    """This process is being stopped."""


def work_on_lists(runtime: Runtime) -> bool:
    """Do what was asked for, until nothing waits or somebody else is at it. Whether there may be more: never."""
    # looked at again without the lock: whoever is called for what came last may have found us at the end of our work
    while not runtime.stopping.is_set() and _something_is_open(runtime):
        held = runtime.locks.take(locks.LISTS)
        if held is None:
            break
        try:
            _work_off(runtime)
        finally:
            held.release()
    return False


def _something_is_open(runtime: Runtime) -> bool:
    with runtime.reading() as tx:
        return list_jobs.is_open(tx.session)


def _work_off(runtime: Runtime) -> None:
    while not runtime.stopping.is_set():
        with runtime.begin() as tx:
            claimed = list_jobs.claim(tx.session)
        if claimed is None:
            return
        _do(runtime, claimed)


def wake_forgotten(runtime: Runtime, tx: Tx) -> None:
    """Give the hint again for what waits, and for what a process has left behind that died."""
    if list_jobs.is_waiting(tx.session, now=tx.now) and runtime.locks.is_free(tx.session, locks.LISTS):
        wake(tx.session, list_jobs.LISTS)


def _do(runtime: Runtime, claimed: Claimed) -> None:
    notes = notes_of(runtime)
    told_at = 0.0

    def tell(rows: int) -> None:
        nonlocal told_at
        if runtime.stopping.is_set():
            raise _Stopped
        if monotonic() - told_at < TOLD_EVERY:
            return
        if not notes.tell(claimed, rows):
            raise Conflict("It was stopped, and nothing of it was written.", hint="It can be begun again.")
        told_at = monotonic()

    error: BroadsheetError | None = None
    try:
        # SQLite: what stands beside is of whoever was at it before
        tell(0)
        if claimed.begun > list_jobs.MOST_BEGUN:
            raise Unavailable(
                "The program ended {n} times while it was at this; nothing of it was written.",
                hint="Try with fewer rows, or ask the operator to look into the log.",
                n=list_jobs.MOST_BEGUN,
            )
        _WORK[claimed.kind](runtime, claimed, tell)
    except _Stopped:
        with runtime.begin() as tx:
            list_jobs.leave(tx.session, claimed)
        return
    except BroadsheetError as found:
        error = found
    except Exception:
        log.exception("a list could not be worked on", kind=claimed.kind)
        error = Unavailable("Something went wrong here.", hint="It is written in the log of the program.")
    if error is not None:
        with runtime.begin() as tx:
            list_jobs.fail(tx.session, claimed, error)
    notes.clear(claimed)


def _look(runtime: Runtime, claimed: Claimed, tell: Callable[[int], None]) -> None:
    """All is done as if, some of it looked at as it would stand there, and taken back."""
    with tempfile.TemporaryDirectory() as place, runtime.begin() as tx:
        actor = users.actor_called(tx.session, claimed.asked_by)
        file = _file(tx, claimed, Path(place))
        last = importing.last_time(tx.session, actor, file, limits=_LIMITS)
        given = _as_last_time(claimed.given, last)
        with tx.session.begin_nested() as attempt:
            result = _import(runtime, tx, actor, file, given, tell)
            ids = importing.first_members(tx.session, result.import_id or 0, _SAMPLES)
            zone = runtime.settings.zone
            day = tx.now.astimezone(zone).date()
            samples = [records.show(tx.session, actor, each, zone=zone, on=day, now=tx.now) for each in ids]
            attempt.rollback()
        answer = told(result) | {"samples": [_plain(asdict(each)) for each in samples]}
        if last is not None:
            answer["last_time"] = _plain(asdict(last)) | {"is_as_then": last.was_read_as(result.columns)}
        list_jobs.keep(tx.session, claimed, answer, given=given)


def _take(runtime: Runtime, claimed: Claimed, tell: Callable[[int], None]) -> None:
    with tempfile.TemporaryDirectory() as place, runtime.begin() as tx:
        actor = users.actor_called(tx.session, claimed.asked_by)
        result = _import(runtime, tx, actor, _file(tx, claimed, Path(place)), claimed.given, tell)
        if result.import_id:
            refused_rows.keep(tx.session, result.import_id, result.headings, result.refused)
        list_jobs.keep(tx.session, claimed, told(result))


def _undo(runtime: Runtime, claimed: Claimed, tell: Callable[[int], None]) -> None:
    with runtime.begin() as tx:
        actor = users.actor_called(tx.session, claimed.asked_by)
        undone = undo_import(tx.session, actor, claimed.import_id, now=tx.now, progress=tell)
        list_jobs.keep(tx.session, claimed, asdict(undone))


_WORK = {ListKind.LOOK: _look, ListKind.TAKE: _take, ListKind.UNDO: _undo}


def _file(tx: Tx, claimed: Claimed, place: Path) -> Path:
    path = place / claimed.file_name
    with path.open("wb") as file:
        file.writelines(list_jobs.content(tx.session, claimed))
    return path


def _as_last_time(given: Mapping[str, Any], last: LastTime | None) -> Mapping[str, Any]:
    """What was chosen the last time, as long as nothing was chosen for this list; but not that these people agreed."""
    if last is None or given["mapping"]:
        return given
    return {**given, "mapping": dict(last.columns), "shared": given["shared"] or last.shared}


def _import(
    runtime: Runtime, tx: Tx, actor: Actor, file: Path, given: Mapping[str, Any], tell: Callable[[int], None]
) -> ImportResult:
    return importing.import_members(
        tx.session,
        actor,
        file,
        now=tx.now,
        on=tx.now.astimezone(runtime.settings.zone).date(),
        region=runtime.settings.paper.region,
        mapping=given["mapping"],
        shared=given["shared"],
        agreed=given["agreed"],
        key=runtime.secret,
        limits=_LIMITS,
        progress=tell,
    )


def _plain(value: Any) -> Any:
    """As JSON takes it."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
