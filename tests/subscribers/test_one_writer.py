"""On SQLite nobody who wants to write is overtaken for long, and nobody keeps the others out after they have ended."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError

from subscribers import one_writer
from subscribers.db import for_reading, make_engine

pytestmark = pytest.mark.sqlite

BUSY = 3
WAITS = 15
#: seconds that each of the busy ones writes: SQLite by itself looks again after up to twenty times as long
TURN = 0.005
#: transactions of others that begin while chance decides
BY_CHANCE = round(one_writer.BRIEF / TURN)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'one.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE line (n INTEGER PRIMARY KEY, who TEXT)"))
    yield engine
    engine.dispose()


@pytest.fixture
def neighbour(engine: Engine) -> Iterator[Engine]:
    """Another engine for the same file: it knows nothing of our line, as another process does not."""
    other = make_engine(str(engine.url))
    yield other
    other.dispose()


def write(engine: Engine, who: str = "") -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO line (who) VALUES (:who)"), {"who": who})


def patience(engine: Engine) -> int:
    with for_reading(engine).begin() as connection:
        return int(connection.scalar(text("PRAGMA busy_timeout /* not asked before */")) or 0)


def test_who_waits_is_not_overtaken_for_long_by_those_who_never_rest(engine: Engine) -> None:
    turns, over = itertools.count(), threading.Event()
    taken = [0]

    def never_rest() -> None:
        while not over.is_set():
            with engine.begin():
                taken[0] = next(turns)
                time.sleep(TURN)

    overtaken = []
    with ThreadPoolExecutor(BUSY) as pool:
        busy = [pool.submit(never_rest) for _ in range(BUSY)]
        try:
            while taken[0] < 2 * BUSY:
                time.sleep(TURN)
            for _ in range(WAITS):
                before = taken[0]
                with engine.begin():
                    overtaken.append(taken[0] - before)
        finally:
            over.set()
        for each in busy:
            each.result()
    # then each of them once more, who was about to begin, or stood before us
    assert sum(overtaken) <= WAITS * (BY_CHANCE + 2 * BUSY), overtaken


def test_who_has_waited_a_while_comes_before_those_who_came_later(engine: Engine, neighbour: Engine) -> None:
    with ThreadPoolExecutor(BUSY) as pool:
        with neighbour.begin():
            waiting = []
            for who in "abc":
                waiting.append(pool.submit(write, engine, who))
                time.sleep(3 * one_writer.BRIEF)
        for each in waiting:
            each.result()
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT who FROM line ORDER BY n")).all() == ["a", "b", "c"]


def test_those_who_wait_too_long_are_told_and_hold_nobody_up(
    engine: Engine, neighbour: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(BUSY) as pool:
        with monkeypatch.context() as hasty:
            hasty.setattr(one_writer, "PATIENCE", 0.5)
            with neighbour.begin():
                began = time.monotonic()
                for each in [pool.submit(write, engine) for _ in range(BUSY)]:
                    with pytest.raises(OperationalError, match="database is locked"):
                        each.result()
            # all at once, and not each after the one before
            assert time.monotonic() - began < 10
        for each in [pool.submit(write, engine) for _ in range(BUSY)]:
            each.result()


def test_how_long_a_reader_waits_is_as_before(engine: Engine, neighbour: Engine) -> None:
    as_made = patience(engine)
    assert as_made == one_writer.PATIENCE * 1000
    with ThreadPoolExecutor(1) as pool:
        with neighbour.begin():
            # on the connection that is in the pool
            waiting = pool.submit(write, engine)
            time.sleep(3 * one_writer.BRIEF)
        waiting.result()
    assert patience(engine) == as_made


def test_what_else_is_wrong_is_told_as_ever_and_holds_nobody_up(engine: Engine) -> None:
    def began(connection: Any, _record: object, _proxy: object) -> None:
        connection.execute("BEGIN")

    event.listen(engine, "checkout", began)
    with pytest.raises(OperationalError, match="within a transaction"), engine.begin():
        pass
    event.remove(engine, "checkout", began)
    write(engine)


def test_another_process_is_waited_for(engine: Engine, neighbour: Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        with neighbour.begin():
            waiting = pool.submit(write, engine)
            time.sleep(5 * one_writer.BRIEF)
            assert not waiting.done()
        waiting.result(30)


def test_who_only_reads_waits_for_nobody(engine: Engine) -> None:
    with engine.begin(), for_reading(engine).begin() as reader:
        assert reader.scalar(text("SELECT count(*) FROM line")) == 0
