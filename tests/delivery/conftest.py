"""After every test of the ledger, its figures are counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.databases import Clock, Transactions
from tests.tallies import wrong


@pytest.fixture
def begin(engine: Engine, clock: Clock) -> Iterator[Transactions]:
    """As everywhere; and at the end the figures that are kept are those that can be counted."""
    transactions = Transactions(engine, clock)
    yield transactions
    with transactions() as tx:
        assert wrong(tx.session) == []
