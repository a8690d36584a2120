"""Connections of the pool: asked whether they stand after a rest, and not each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from subscribers import db
from subscribers.db import make_engine

pytestmark = pytest.mark.postgresql

_MINE = text("SELECT pg_backend_pid()")


class Time:
    """Goes on only when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(db, "monotonic", time)
    return time


@pytest.fixture
def engine(postgres_url: str, time: Time) -> Iterator[Engine]:
    engine = make_engine(postgres_url)
    yield engine
    engine.dispose()


def _backend(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(_MINE) or 0)


def _end(url: str, backend: int) -> None:
    other = create_engine(url, poolclass=NullPool)
    with other.connect() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:backend, 5000)"), {"backend": backend})


def _asked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    asked: list[object] = []
    ping = engine.dialect.do_ping
    monkeypatch.setattr(engine.dialect, "do_ping", lambda connection: asked.append(connection) or ping(connection))
    return asked


def test_who_comes_at_once_is_not_asked_again(engine: Engine, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _asked(engine, monkeypatch)
    first = _backend(engine)
    for _ in range(5):
        time.now += db.RESTED / 2
        assert _backend(engine) == first
    assert asked == []
    time.now += db.RESTED
    assert _backend(engine) == first
    assert len(asked) == 1


def test_a_database_that_was_away_meanwhile_is_not_noticed(engine: Engine, time: Time, postgres_url: str) -> None:
    with engine.connect() as one, engine.connect() as two:
        backends = [int(connection.scalar(_MINE) or 0) for connection in (one, two)]
    for backend in backends:
        _end(postgres_url, backend)
    time.now += db.RESTED
    # both of them: nobody has to find out about the second one
    with engine.connect() as one, engine.connect() as two:
        fresh = [int(connection.scalar(_MINE) or 0) for connection in (one, two)]
    assert not {*fresh} & {*backends}


def test_one_that_went_away_this_moment_is_replaced_after_its_error(engine: Engine, postgres_url: str) -> None:
    backend = _backend(engine)
    _end(postgres_url, backend)
    with pytest.raises(OperationalError):
        _backend(engine)
    assert _backend(engine) != backend
