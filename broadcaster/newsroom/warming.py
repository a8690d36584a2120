"""What the first pages after a start would have to wait for: found before anybody asks."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from broadcaster.logs import get
from broadcaster.newspaper import editions
from broadcaster.newsroom.drawing import compile_sheets
from broadcaster.newsroom.members import today
from broadcaster.newsroom.proofs import phones
from broadcaster.runtime import Runtime
from subscribers import segments
from subscribers.actor import OPERATOR
from subscribers.errors import BroadsheetError

log = get(__name__)


@contextlib.contextmanager
def warming(house: Runtime) -> Iterator[threading.Event]:
    """Look at what pages remember, in a thread, for the length of the block; the event is set when it is done.

    A small registry is looked at as quickly when somebody asks.
    """
    is_warm, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=_warm, args=(house, is_warm, over), name="warming", daemon=True)
    thread.start()
    try:
        yield is_warm
    finally:
        over.set()
        thread.join()


def _warm(house: Runtime, is_warm: threading.Event, over: threading.Event) -> None:
    try:
        with house.reading() as tx:
            if segments.stand_ins(tx.session, OPERATOR.under, on=today(house, tx)) is None:
                return
            newest = editions.listing(tx.session, OPERATOR, limit=1)
            # of one whose segments are gone, or of none, there is nothing to find
            with contextlib.suppress(BroadsheetError):
                for each in newest:
                    phones(house, tx, OPERATOR, each.number)
        for _ in compile_sheets():
            if over.is_set():
                return
    except BroadsheetError as error:
        log.warning("nothing is remembered for the first pages", reason=str(error))
    finally:
        is_warm.set()
