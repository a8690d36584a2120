"""Opening the house for one verb: settings, runtime, and the paper's own day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from broadcaster import logs
from broadcaster.commands.options import asked
from broadcaster.runtime import Runtime, assemble
from broadcaster.settings import load
from subscribers.actor import OPERATOR, Actor
from subscribers.db import Tx
from subscribers.errors import Invalid

#: the lock of whoever serves the embedded queue; those of the senders are numbered from 1
PRESS = 0


@dataclass(slots=True)
class House(Runtime):
    """The installation with a person in front of it."""

    #: who acts at this command line
    actor: Actor = OPERATOR


@contextmanager
def opened(level: str = "WARNING") -> Iterator[House]:
    """The installation that was asked for, closed at the end. `level`: of what is logged to standard error."""
    logs.configure(level=level)
    runtime = assemble(House, load(asked().config))
    try:
        if runtime.settings.own_file is not None and not runtime.settings.own_file.exists():
            # the embedded default needs no set-up of its own; read late, because every other command does without it
            from broadcaster import migrations

            migrations.upgrade(runtime.engine)
        yield runtime
    finally:
        runtime.close()


def is_served(runtime: Runtime) -> bool:
    """Whether a process sends for this embedded installation now."""
    held = runtime.locks.take(PRESS)
    if held is not None:
        held.release()
    return held is None


def today(runtime: Runtime, tx: Tx) -> date:
    """The day it is where the paper is made."""
    return tx.now.astimezone(runtime.settings.zone).date()


def read_day(text: str) -> date:
    """A day as it is typed: 2026-11-25."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("{text} is no day.", hint="Write it like 2026-11-25.", text=text) from None


def read_time(text: str, zone: ZoneInfo) -> datetime:
    """A time as it is typed, in the paper's own zone unless it names another: 2026-11-25 10:00."""
    try:
        if not re.search(r"\d:\d\d", text):
            raise ValueError("a day alone")
        time = datetime.fromisoformat(text.strip())
        return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid("{text} is no time.", hint='Write it like "2026-11-25 10:00".', text=text) from None
