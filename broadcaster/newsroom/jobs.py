"""What takes longer than a page can wait: done beside it in this process, one thing after another, and looked at.

It is lost with the process, and then as if it never was: what it does is one transaction.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

from broadcaster.runtime import Runtime
from subscribers.errors import BroadsheetError, Unavailable

_LOG = logging.getLogger(__name__)
#: of one process; the oldest are forgotten
_KEPT = 200


@dataclass(slots=True)
class Job:
    """One piece of work: how far it is, and what came of it."""

    kind: str
    #: what it was asked for with, to be asked again
    given: dict[str, Any] = field(default_factory=dict)
    done: int = 0
    is_over: bool = False
    answer: Any = None
    error: BroadsheetError | None = None


def start(app: FastAPI, name: str, job: Job, work: Callable[[Callable[[int], None]], Any]) -> None:
    """Begin it under a name, in the place of what was there; `work` is given a function to tell its steps to."""
    house: Runtime = app.state.runtime
    all_jobs, turn = _jobs(app)
    all_jobs.pop(name, None)
    all_jobs[name] = job
    for old in [each for each, one in all_jobs.items() if one.is_over][: max(0, len(all_jobs) - _KEPT)]:
        del all_jobs[old]

    def tell(steps: int) -> None:
        job.done = steps
        if house.stopping.is_set():
            raise Unavailable("The program is being stopped.", hint="Nothing was written. Do it again.")

    def run() -> None:
        try:
            with turn:
                job.answer = work(tell)
        except BroadsheetError as error:
            job.error = error
        except Exception:
            _LOG.exception("A job of the newsroom failed.")
            job.error = Unavailable("Something went wrong here.", hint="It is written in the log of the program.")
        job.is_over = True

    # in the reader's language
    threading.Thread(target=copy_context().run, args=(run,), name="job", daemon=True).start()


def find(app: FastAPI, name: str) -> Job | None:
    """The piece of work of this name, if this process has it."""
    return _jobs(app)[0].get(name)


def _jobs(app: FastAPI) -> tuple[dict[str, Job], threading.Lock]:
    if not hasattr(app.state, "jobs"):
        app.state.jobs = ({}, threading.Lock())
    made: tuple[dict[str, Job], threading.Lock] = app.state.jobs
    return made
