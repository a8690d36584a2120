"""The test house's own fixtures: databases are fresh, transactions commit, servers answer."""

from __future__ import annotations

import pytest
import redis
from sqlalchemy import Engine, inspect, text
from sqlalchemy.orm import Session

from subscribers.db import Base, is_sqlite, wake
from tests.databases import Clock, Transactions


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_gets_a_fresh_database(engine: Engine, turn: int) -> None:
    tables = inspect(engine).get_table_names()
    assert set(Base.metadata.tables) <= set(tables)
    assert "left_behind" not in tables
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (number integer)"))


def test_the_session_is_in_a_transaction(session: Session, request: pytest.FixtureRequest) -> None:
    assert session.in_transaction()
    assert is_sqlite(session) == ("sqlite" in request.node.name)


def test_begin_commits_keeps_wakes_and_asks_the_clock(begin: Transactions, clock: Clock) -> None:
    with begin() as first:
        first.session.execute(text("CREATE TABLE kept_here (number integer)"))
        wake(first.session, "press", [7])
    clock.advance(minutes=5)
    with begin() as second:
        second.session.execute(text("INSERT INTO kept_here VALUES (1)"))
    assert (second.now - first.now).total_seconds() == 300
    assert [(hint.queue, hint.ids) for hint in begin.wakes] == [("press", (7,))]


def test_a_failed_transaction_leaves_nothing(begin: Transactions) -> None:
    with begin() as tx:
        tx.session.execute(text("CREATE TABLE kept_here (number integer)"))
    with pytest.raises(ZeroDivisionError), begin() as tx:
        tx.session.execute(text("INSERT INTO kept_here VALUES (1)"))
        wake(tx.session, "press")
        _ = 1 / 0
    with begin() as tx:
        assert tx.session.scalar(text("SELECT count(*) FROM kept_here")) == 0
    assert begin.wakes == []


@pytest.mark.parametrize("turn", [1, 2])
def test_redis_is_real_and_empty(redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("turn", turn)
