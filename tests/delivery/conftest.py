"""After every test of the ledger, its figures are counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from broadcaster.delivery import lots
from subscribers.db import make_engine
from tests.databases import Clock, PostgresqlTemplate, Transactions
from tests.factories import NOW
from tests.tallies import wrong


@pytest.fixture
def begin(engine: Engine, clock: Clock) -> Iterator[Transactions]:
    """As everywhere; and at the end the figures that are kept are those that can be counted."""
    transactions = Transactions(engine, clock)
    yield transactions
    with transactions() as tx:
        assert wrong(tx.session) == []


@pytest.fixture
def on_postgresql(postgresql_template: PostgresqlTemplate) -> Iterator[Transactions]:
    """For what is only to be seen there: plans, and many at once."""
    with postgresql_template.copy() as url:
        engine = make_engine(url, pool_size=20)
        yield Transactions(engine, Clock(NOW))
        engine.dispose()


@pytest.fixture(params=[1_000_000, 1], ids=["rows", "lots"])
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every receipt is a row of the inbox; and again with every one in a lot."""
    monkeypatch.setattr(lots, "MANY", request.param)
