"""The press in this process: worker, schedule and listeners as threads, for the verbs that serve or watch."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence

from broadcaster.binds import listening
from broadcaster.commands.house import PRESS
from broadcaster.delivery.locks import Held
from broadcaster.gateways.errors import LinkDown
from broadcaster.logs import get
from broadcaster.runtime import Runtime
from broadcaster.tasks import make_app, running
from subscribers.errors import Conflict

log = get(__name__)


@contextlib.contextmanager
def pressing(runtime: Runtime, gateways: Sequence[str] | None = None) -> Iterator[None]:
    """Send, listen and keep the schedule in this process for the length of the block, for these gateways or for all."""
    app = make_app(runtime)
    for name, gateway in runtime.gateways.items():
        if gateways is None or name in gateways:
            # a carrier that is away now is tried again by whoever listens or sends
            with contextlib.suppress(LinkDown):
                gateway.open()
    with listening(runtime, gateways), running(app, runtime):
        yield


@contextlib.contextmanager
def alone(runtime: Runtime) -> Iterator[None]:
    """Be the one that serves this installation. Raises `Conflict` if another process does."""
    held = take(runtime)
    if held is None:
        raise Conflict(
            "Another process serves this installation already.",
            hint="`broadsheet campaigns watch` looks on; end the other one to serve from here.",
        )
    try:
        yield
    finally:
        held.release()


def take(runtime: Runtime) -> Held | None:
    """The lock of the one that serves, or None while another process has it."""
    return runtime.locks.take(PRESS)


@contextlib.contextmanager
def asked_to_end() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set, so that what is in hand is finished first."""
    ending = threading.Event()
    before = {each: signal.signal(each, lambda *_: ending.set()) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield ending
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
