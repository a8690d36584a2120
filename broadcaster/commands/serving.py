"""The press in this process: worker, schedule and listeners as threads, for the verbs that serve or watch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from broadcaster.binds import holding
from broadcaster.commands.output import aside
from broadcaster.delivery.locks import PRESS, WHOLE
from broadcaster.gateways.errors import LinkDown
from broadcaster.language import language, ntr, set_language, tr
from broadcaster.logs import get
from broadcaster.runtime import Runtime
from broadcaster.tasks import make_app, running
from subscribers.errors import Conflict

log = get(__name__)


@contextlib.contextmanager
def pressing(runtime: Runtime) -> Iterator[None]:
    """Send, listen and keep the schedule in this process for the length of the block."""
    app = make_app(runtime)
    open_gateways(runtime)
    with holding(runtime, on_place=tell_waiting(runtime)), running(app, runtime):
        yield


def open_gateways(runtime: Runtime) -> None:
    """Open those that hold no connection. Raises `Misconfigured`.

    A carrier that is away now is tried again by whoever sends.
    """
    for name, gateway in runtime.gateways.items():
        if not runtime.is_held(name):
            with contextlib.suppress(LinkDown):
                gateway.open()


def tell_waiting(runtime: Runtime) -> Callable[[str, int], None]:
    """Says on standard error that the connections of a gateway are held by others, and when one is ours."""
    waiting: set[str] = set()
    spoken = language()

    def told(name: str, place: int) -> None:
        # told by a thread of its own, which has not heard in which language
        set_language(spoken)
        if place == 0:
            waiting.add(name)
            aside(
                ntr(
                    "The connection of {name} is held by another process: waiting.",
                    "All {n} connections of {name} are held by other processes: waiting.",
                    runtime.gateways[name].config.binds,
                    name=name,
                )
            )
        elif name in waiting:
            waiting.discard(name)
            aside(tr("Connection {place} of {name} is held from here now.", place=place, name=name))

    return told


@contextlib.contextmanager
def alone(runtime: Runtime) -> Iterator[None]:
    """Be the one that serves this installation. Raises `Conflict` if another process does."""
    with whole(runtime) as mine:
        if not mine:
            raise Conflict(
                "Another process serves this installation already.",
                hint="`broadsheet campaigns watch` looks on; end the other one to serve from here.",
            )
        yield


@contextlib.contextmanager
def whole(runtime: Runtime) -> Iterator[bool]:
    """Serve all of this installation, if nobody serves it now: whether that is so."""
    with contextlib.ExitStack() as locks:
        held = runtime.locks.take(PRESS)
        if held is not None:
            locks.callback(held.release)
            # whoever asks whether it is free has it for an instant
            while (all_of_it := runtime.locks.take(WHOLE)) is None:
                runtime.stopping.wait(0.01)
            locks.callback(all_of_it.release)
        yield held is not None


def is_whole(runtime: Runtime) -> bool:
    """Whether one process serves all of this embedded installation now, with its connections."""
    held = runtime.locks.take(WHOLE)
    if held is not None:
        held.release()
    return held is None
