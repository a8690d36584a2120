"""Several transactions at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sqlalchemy import Engine

from subscribers.db import Tx
from tests.databases import Transactions


def at_once(engine: Engine, begin: Transactions, *works: Callable[[Tx], object]) -> list[Exception]:
    """Do each in a transaction and a thread of its own, all begun together. What went wrong."""
    together = threading.Barrier(len(works))
    wrong: list[Exception] = []

    def do(work: Callable[[Tx], object]) -> None:
        own = Transactions(engine, begin.clock)
        together.wait()
        try:
            with own() as tx:
                work(tx)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=do, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong
