"""On SQLite nobody who wants to write sleeps for long while it is free, and nobody keeps others out after the end."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from subscribers import one_writer
from subscribers.db import for_reading, make_engine

pytestmark = pytest.mark.sqlite

BUSY = 3
WAITS = 15
#: seconds that each of the busy ones writes: SQLite by itself looks again after up to twenty times as long
TURN = 0.005
#: writes, says so, and stays at it until it is ended
WRITER = """
import sys, time
from subscribers.db import make_engine
with make_engine(sys.argv[1]).begin():
    print("at it", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'one.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE line (n INTEGER PRIMARY KEY)"))
    yield engine
    engine.dispose()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "one.db-writer"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_writer, "PATIENCE", 0.2)


def write(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO line DEFAULT VALUES"))


def is_free(place: Path) -> bool:
    """Whether somebody new would write at once."""
    with place.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@contextlib.contextmanager
def at_it(program: str, database: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes."""
    with subprocess.Popen([sys.executable, "-c", program, database], stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout
            assert other.stdout.readline() == "at it\n"
            yield other
        finally:
            other.kill()


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
                # whoever has just written would be the next at once
                time.sleep(TURN)
                before = taken[0]
                with engine.begin():
                    overtaken.append(taken[0] - before)
        finally:
            over.set()
        for each in busy:
            each.result()
    # ten turns until it has waited long, and each of the busy ones may have waited longer; by chance alone it were a
    # hundred, in SQLite's own way sixty or more; not of each one, as a machine may have let this thread stand for once
    assert statistics.median(overtaken) <= 30, overtaken


def _ends_well(engine: Engine) -> None:
    write(engine)


def _raises(engine: Engine) -> None:
    with pytest.raises(IntegrityError), engine.begin() as connection:
        for _ in range(2):
            connection.execute(text("INSERT INTO line VALUES (1)"))


def _cannot_commit(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE child (n INTEGER REFERENCES line (n) DEFERRABLE INITIALLY DEFERRED)"))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("INSERT INTO child VALUES (4711)"))


def _is_left_to_the_pool(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO line DEFAULT VALUES"))


def _is_taken_out_of_the_pool(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.begin()
        connection.invalidate()


def _nests(engine: Engine) -> None:
    with engine.begin() as connection, connection.begin_nested() as inner:
        connection.execute(text("INSERT INTO line DEFAULT VALUES"))
        inner.rollback()


def _loses_its_engine(engine: Engine) -> None:
    with engine.begin() as connection:
        engine.dispose()
        connection.execute(text("INSERT INTO line DEFAULT VALUES"))


def _cannot_begin(engine: Engine) -> None:
    def has_begun(connection: object, _record: object, _proxy: object) -> None:
        connection.execute("BEGIN")  # type: ignore[attr-defined]

    event.listen(engine, "checkout", has_begun)
    with pytest.raises(OperationalError, match="within a transaction"), engine.begin():
        pass
    event.remove(engine, "checkout", has_begun)


@pytest.mark.parametrize(
    "transaction",
    [
        _ends_well,
        _raises,
        _cannot_commit,
        _is_left_to_the_pool,
        _is_taken_out_of_the_pool,
        _nests,
        _loses_its_engine,
        _cannot_begin,
    ],
)
def test_however_a_transaction_ends_the_next_one_writes_at_once(
    engine: Engine, place: Path, transaction: Callable[[Engine], None]
) -> None:
    transaction(engine)
    assert is_free(place)
    write(engine)


def test_the_place_is_held_until_the_end(engine: Engine, place: Path) -> None:
    with engine.begin() as connection, connection.begin_nested() as inner:
        inner.rollback()
        assert not is_free(place)


@pytest.mark.usefixtures("hasty")
def test_who_waits_too_long_is_told(engine: Engine, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subscribers.db.AND_THEN", 0.1)
    other = make_engine(str(engine.url))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO line DEFAULT VALUES"))
        with pytest.raises(OperationalError, match="database is locked"):
            write(other)
    other.dispose()
    assert is_free(place)
    write(engine)


def test_who_has_just_come_lets_one_go_first_that_has_waited_long_but_does_not_wait_for_it_for_ever(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_writer, "PATIENCE", 3600.0)
    # as one does that was stopped while it waited
    with (tmp_path / "one.db-waiting").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        began = time.monotonic()
        write(engine)
        assert time.monotonic() - began >= one_writer.LONG


def test_who_gives_up_waiting_keeps_nobody_from_going_first(engine: Engine, place: Path, tmp_path: Path) -> None:
    with place.open() as file, ThreadPoolExecutor(1) as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = pool.submit(write, engine)
        while is_free(tmp_path / "one.db-waiting"):
            time.sleep(0.001)
        fcntl.flock(file, fcntl.LOCK_UN)
        waiting.result(10)
    assert is_free(tmp_path / "one.db-waiting")


@pytest.mark.usefixtures("hasty")
def test_who_holds_the_place_and_does_not_write_stops_nobody(engine: Engine, place: Path) -> None:
    with place.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write(engine)


def test_who_does_not_know_of_the_place_is_waited_for(engine: Engine, tmp_path: Path) -> None:
    with at_it(_SHELL, str(tmp_path / "one.db")) as shell, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(write, engine)
        assert shell.wait() == 0
        waiting.result(10)


_SHELL = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("at it", flush=True)
time.sleep(0.5)
connection.execute("COMMIT")
"""


def test_the_place_of_a_process_that_was_killed_is_free(engine: Engine, place: Path) -> None:
    with at_it(WRITER, str(engine.url)) as other, ThreadPoolExecutor(1) as pool:
        assert not is_free(place)
        waiting = pool.submit(write, engine)
        time.sleep(0.1)
        assert not waiting.done()
        other.kill()
        waiting.result(10)
    assert is_free(place)


def test_who_only_reads_waits_for_nobody(engine: Engine) -> None:
    with engine.begin(), for_reading(engine).begin() as reader:
        assert reader.scalar(text("SELECT count(*) FROM line")) == 0


def test_where_no_file_can_be_made_sqlite_has_its_own_way(engine: Engine, place: Path) -> None:
    engine.dispose()
    place.unlink()
    place.mkdir()
    # a folder cannot be opened as a file that is made
    write(engine)


def test_one_in_memory_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = make_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE line (n INTEGER)"))
    engine.dispose()
    assert not [*tmp_path.iterdir()]


def test_many_may_be_the_first_at_once(tmp_path: Path) -> None:
    """A new database is turned into one with a log once: of two who did it together one was told that it is locked."""

    def write(url: str, together: threading.Barrier) -> None:
        engine = make_engine(url)
        together.wait()
        try:
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE IF NOT EXISTS t (a INTEGER)"))
        finally:
            engine.dispose()

    with ThreadPoolExecutor(6) as pool:
        for n in range(60):
            together = threading.Barrier(6)
            for done in [pool.submit(write, f"sqlite:///{tmp_path / f'{n}.db'}", together) for _ in range(6)]:
                done.result()
    with contextlib.closing(make_engine(f"sqlite:///{tmp_path / '0.db'}").connect()) as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
