"""Connections that are held: one thread per gateway listens, and everything it hears goes through `ingest`."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator, Sequence

from sqlalchemy.exc import DBAPIError

from broadcaster import ingest
from broadcaster.gateways.contract import ListeningGateway
from broadcaster.gateways.events import Event
from broadcaster.logs import get
from broadcaster.runtime import Runtime
from subscribers.errors import BroadsheetError

log = get(__name__)

#: seconds before a lost connection is tried again: the first time, and at most
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0


def listen(runtime: Runtime, gateway: ListeningGateway) -> None:
    """Take in what this gateway tells until the process ends, through lost connections and a database that is away."""
    pause = FIRST_PAUSE

    def take_in(events: Sequence[Event]) -> None:
        nonlocal pause
        _accept(runtime, gateway, events)
        pause = FIRST_PAUSE

    while not runtime.stopping.is_set():
        try:
            gateway.open()
            gateway.listen(take_in, runtime.stopping)
        except BroadsheetError as error:
            log.warning("not listening", gateway=gateway.name, reason=str(error), next_try_in=round(pause, 1))
        except Exception:
            log.exception("not listening", gateway=gateway.name, next_try_in=round(pause, 1))
        # a little chance, so that many processes do not all come back at the same instant
        runtime.stopping.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311
        pause = min(pause * 2, LONGEST_PAUSE)


def _accept(runtime: Runtime, gateway: ListeningGateway, events: Sequence[Event]) -> None:
    """Keep what came. An event that cannot be kept is passed over, loudly: it must not hold up all that follow it."""
    try:
        with runtime.begin() as tx:
            ingest.accept(tx.session, events, gateway.reasons, region=runtime.settings.paper.region, now=tx.now)
    except (DBAPIError, BroadsheetError):
        # the world's trouble: the carrier repeats it
        raise
    except Exception:
        if len(events) == 1:
            log.exception("an event was passed over", gateway=gateway.name, kind=type(events[0]).__name__)
            return
        for event in events:
            _accept(runtime, gateway, [event])


@contextlib.contextmanager
def listening(runtime: Runtime, names: Sequence[str] | None = None) -> Iterator[None]:
    """Listen to these gateways (all of them, unless named) in threads, for the length of the block."""
    threads = [
        threading.Thread(target=listen, args=(runtime, gateway), name=f"listen-{name}", daemon=True)
        for name, gateway in runtime.gateways.items()
        if isinstance(gateway, ListeningGateway) and (names is None or name in names)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        runtime.stopping.set()
        for thread in threads:
            thread.join(5)
