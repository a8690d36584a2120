"""A server that has prepared a statement keeps its plan, and it may be of a day on which the tables were empty.

Then every way to a row looked as short as any other: one that reads a whole table for each row, too.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import event, text

from broadcaster.delivery import orphans, receipts
from broadcaster.delivery.recording import ClaimedTurn
from broadcaster.gateways.contract import OutcomeUnknown
from tests.databases import Transactions
from tests.delivery.ledger import THREE_PARTS, accept, claim, must_claim, owner, receipt, record, sending

pytestmark = pytest.mark.postgresql

#: a statement is prepared, and its plan kept, after five times each
OFTEN = 12
PEOPLE, WINDOW = 3000, 50
#: rows that a statement may read for each part that it is about
EACH = 8

_READ = "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint FROM pg_stat_xact_user_tables"


@pytest.fixture
def reads(on_postgresql: Transactions) -> Counter[str]:
    """The most rows that each statement has read at once."""
    most: Counter[str] = Counter()
    before = 0

    def count(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal before
        # what a connection has read since the server put it down, which it does once a second at most
        [so_far] = cursor.connection.execute(_READ).fetchone()
        name = " ".join(statement.split())[:200]
        most[name] = max(most[name], so_far - (before if before <= so_far else 0))
        before = so_far

    event.listen(on_postgresql.engine, "after_cursor_execute", count)
    return most


def look_for_orphans(begin: Transactions) -> None:
    with begin() as tx:
        orphans.retry(tx.session, now=tx.now)


def tell(begin: Transactions, turn: ClaimedTurn, called: str) -> None:
    with begin() as tx:
        told = [receipt(f"{called}-{part.part_id}", msisdn=part.msisdn) for part in turn.parts]
        receipts.record(tx.session, told, {}, now=tx.now)
    with begin() as tx:
        receipts.apply(tx.session, now=tx.now)


def turns(begin: Transactions, mine: int, parts: int) -> None:
    """One of everything that happens while a campaign goes out."""
    fine, doubtful, early = (must_claim(begin, mine, parts) for _ in range(3))
    accept(begin, fine)
    tell(begin, fine, "id")
    record(begin, doubtful, [OutcomeUnknown("?")] * len(doubtful.parts))
    tell(begin, doubtful, "stranger")
    tell(begin, early, "id")
    accept(begin, early)
    look_for_orphans(begin)


def test_a_turn_with_plans_of_empty_tables_reads_what_it_moves(
    on_postgresql: Transactions, reads: Counter[str]
) -> None:
    begin = on_postgresql
    with begin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    mine = owner(begin)
    for _ in range(OFTEN):
        assert claim(begin, mine) is None
        look_for_orphans(begin)
    sending(begin, 3 * OFTEN, THREE_PARTS)
    for _ in range(OFTEN):
        turns(begin, mine, 3)
    sending(begin, PEOPLE, THREE_PARTS)
    for _ in range(PEOPLE // WINDOW // 2):
        turn = must_claim(begin, mine, 3 * WINDOW)
        accept(begin, turn)
        tell(begin, turn, "id")
    reads.clear()
    turns(begin, mine, 3 * WINDOW)
    parts = 3 * WINDOW
    assert len([n for n in reads.values() if n >= parts]) > 10
    assert not {what: n for what, n in reads.items() if n > EACH * parts}
