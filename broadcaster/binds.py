"""Connections that are held: for each gateway that has one, a thread that keeps a place there and sends for it, and a
thread that listens. Everything that is heard goes through `ingest`.
"""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy.exc import DBAPIError

from broadcaster import ingest
from broadcaster.delivery import memory, orphans
from broadcaster.delivery.control import submit_queue
from broadcaster.gateways.contract import Gateway, ListeningGateway
from broadcaster.gateways.errors import LinkDown, in_log
from broadcaster.gateways.events import Event
from broadcaster.logs import get
from broadcaster.runtime import Runtime
from broadcaster.tasks.rounds import EVERY, look_up_at
from subscribers.clock import monotonic
from subscribers.errors import BroadsheetError

log = get(__name__)

#: seconds before a lost connection is looked at again: the first time, and at most. A gateway makes it anew in its own
#: time, and nothing leaves before somebody looks
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
#: seconds after which it is written down again why it is away, though nothing has changed
TOLD_AGAIN = 30.0

#: seconds between two looks at what is due, where no hint comes, and at whether a place has become free
LOOK_AROUND = 1.0

#: turns between two looks at the place and at what the carrier is to be asked: what is on its way is waited for then
TURNS = 100

#: seconds for which a thread of a process that only sends keeps the interpreter while others want it: six of them take
#: it from each other, and each time costs more than it hurries anything
TURN_SECONDS = 0.02

#: seconds in which an answer that is awaited has come, or its time is out
_END_WITHIN = 30.0


def listen(runtime: Runtime, gateway: ListeningGateway, ending: threading.Event | None = None) -> None:
    """Take in what this gateway tells until `ending` is set, through lost connections and a database that is away."""
    ending = ending or runtime.stopping
    pause, said = FIRST_PAUSE, ""
    told: tuple[str, float] | None = None
    kept = _recall(runtime, gateway)

    def take_in(events: Sequence[Event]) -> None:
        nonlocal pause, said, kept
        _accept(runtime, gateway, events)
        pause, said = FIRST_PAUSE, ""
        if (learned := gateway.learned()) and learned != kept:
            _keep(runtime, gateway, learned)
            kept = learned

    while not ending.is_set():
        error: BroadsheetError = LinkDown("Gateway {name}: the connection ended.", name=gateway.name)
        try:
            gateway.open()
            runtime.linked.add(gateway.name)
            runtime.alone.ask(submit_queue(gateway.name))
            _tell_link(runtime, gateway, None)
            told = None
            gateway.listen(take_in, ending)
        except BroadsheetError as trouble:
            error = trouble
            # what is the same as before is not said again: a carrier may be away for hours
            if str(error) != said:
                said = str(error)
                log.warning("not listening", gateway=gateway.name, **in_log(error))
        except Exception as trouble:
            error = _mistake(gateway, trouble)
            if str(error) != said:
                said = str(error)
                log.exception("not listening", gateway=gateway.name)
        finally:
            runtime.linked.discard(gateway.name)
        if ending.is_set():
            return
        is_news = told is None or told[0] != str(error) or monotonic() - told[1] > TOLD_AGAIN
        if is_news and _tell_link(runtime, gateway, error):
            told = str(error), monotonic()
        # a little chance, so that many processes do not all come back at the same instant
        ending.wait(pause * random.uniform(0.5, 1.5))  # noqa: S311
        pause = min(pause * 2, LONGEST_PAUSE)


def _recall(runtime: Runtime, gateway: ListeningGateway) -> str:
    """What is kept of what this gateway has learned, told to it; nothing while the database is away."""
    with contextlib.suppress(BroadsheetError, DBAPIError), runtime.reading() as tx:
        kept = memory.of(tx.session, gateway.name)
        gateway.recall(kept)
        return kept
    return ""


def _keep(runtime: Runtime, gateway: ListeningGateway, learned: str) -> None:
    # without it the next process learns it anew
    with contextlib.suppress(BroadsheetError, DBAPIError), runtime.begin() as tx:
        memory.keep(tx.session, gateway.name, learned, now=tx.now)
        orphans.look_again(tx.session, gateway.name, now=tx.now)


def _mistake(gateway: Gateway, error: Exception) -> BroadsheetError:
    return LinkDown(
        "Gateway {name}: a mistake of this program ({reason}).",
        hint="The log has the particulars; please report them.",
        name=gateway.name,
        reason=type(error).__name__,
    )


def _tell_link(runtime: Runtime, gateway: Gateway, error: BroadsheetError | None) -> bool:
    """Write it down, for people to read. Whether it is: a database that is away keeps nobody from listening."""
    with contextlib.suppress(BroadsheetError, DBAPIError):
        runtime.tell_link(gateway.name, error)
        return True
    return False


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


def hold(runtime: Runtime, gateway: Gateway, on_place: Callable[[int], None] = lambda _place: None) -> None:
    """Keep a place at this gateway until the process ends: wait for one, listen there, and send what is due.

    `on_place` is told the place whenever it changes; 0: all of them are held by others. A place that was lost, because
    this process was taken for dead, is given up: the connection is closed before another one is made.
    """
    place = -1
    asked_up_to: dict[str, int] = {}
    asks_at = monotonic() + EVERY
    with contextlib.ExitStack() as connection:
        while not runtime.stopping.is_set():
            before = place
            try:
                place = runtime.take_place(gateway.name)
            except (BroadsheetError, DBAPIError) as error:
                # what is on its way is finished; nothing is claimed without the database
                log.warning("nothing is known of a place", gateway=gateway.name, reason=str(error))
                runtime.stopping.wait(LOOK_AROUND)
                continue
            if place != before:
                on_place(place)
                connection.close()
                if place:
                    connection.enter_context(connected(runtime, gateway))
            if not place:
                runtime.stopping.wait(LOOK_AROUND)
                continue
            more = _send(runtime, gateway)
            if monotonic() >= asks_at:
                _ask(runtime, gateway, asked_up_to)
                asks_at = monotonic() + EVERY
            if not more:
                runtime.alone.asked(submit_queue(gateway.name), LOOK_AROUND)


def _send(runtime: Runtime, gateway: Gateway) -> bool:
    """Hand over what is due. Whether there is more to do at once."""
    try:
        if not isinstance(gateway, ListeningGateway):
            gateway.open()
        return runtime.send(gateway.name, limit=TURNS)
    except Exception as error:
        log.warning("sending is tried again", gateway=gateway.name, reason=str(error))
        _tell_link(runtime, gateway, error if isinstance(error, BroadsheetError) else _mistake(gateway, error))
        runtime.stopping.wait(LOOK_AROUND)
        return False


def _ask(runtime: Runtime, gateway: Gateway, asked_up_to: dict[str, int]) -> None:
    if not runtime.is_held(gateway.name):
        # the schedule does
        return
    try:
        look_up_at(runtime, gateway.name, asked_up_to)
    except Exception as error:
        # whatever a carrier answers, the thread that sends goes on
        log.warning("a carrier could not be asked", gateway=gateway.name, reason=str(error))


@contextlib.contextmanager
def connected(runtime: Runtime, gateway: Gateway) -> Iterator[None]:
    """Connected and listening for the length of the block. Nothing is in flight when the connection is closed."""
    ending = threading.Event()
    threads = []
    if isinstance(gateway, ListeningGateway):
        threads = [threading.Thread(target=listen, args=(runtime, gateway, ending), name=f"listen-{gateway.name}")]
    for thread in threads:
        thread.daemon = True
        thread.start()
    try:
        yield
    finally:
        with runtime.between_turns(gateway.name):
            ending.set()
            for thread in threads:
                thread.join(5)
            gateway.close()


@contextlib.contextmanager
def holding(
    runtime: Runtime,
    names: Sequence[str] | None = None,
    on_place: Callable[[str, int], None] = lambda _name, _place: None,
) -> Iterator[None]:
    """Keep places at these gateways, or at all that hold connections, in threads for the length of the block.

    At the end nothing new is claimed, and what is in hand is finished.
    """
    chosen = [name for name in runtime.gateways if runtime.is_held(name)] if names is None else names
    threads = [
        threading.Thread(
            target=hold,
            args=(runtime, runtime.gateways[name], lambda place, name=name: on_place(name, place)),
            name=f"hold-{name}",
            daemon=True,
        )
        for name in chosen
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        runtime.stopping.set()
        for name in chosen:
            runtime.alone.ask(submit_queue(name))
        for thread in threads:
            thread.join(_END_WITHIN)
