"""The statements of every turn look at what they change, not at the whole campaign, whatever the statistics say.

A planner that has seen only queued messages expects one row where there are fifty, and may read everything for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from broadcaster.delivery import orphans, receipts
from broadcaster.gateways.contract import OutcomeUnknown
from subscribers.db import make_engine
from tests.databases import Clock, PostgresqlTemplate, Transactions
from tests.delivery.ledger import THREE_PARTS, accept, claim, must_claim, owner, receipt, record, sending
from tests.factories import NOW

PEOPLE = 4000
WINDOW = 50
#: rows that a node may read in vain
MOST = 20 * WINDOW


class Plans:
    """Explains every statement before it runs, and keeps what it read in vain."""

    def __init__(self, engine: Engine) -> None:
        self.wasteful: list[str] = []
        self.seen = 0
        event.listen(engine, "before_cursor_execute", self._explain)

    def _explain(self, connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        verb = statement.split(None, 1)[0]
        if verb not in ("SELECT", "UPDATE", "DELETE", "INSERT") or isinstance(parameters, list):
            return
        raw = cursor.connection
        raw.execute("SAVEPOINT plan")
        [[told]] = raw.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).fetchall()
        raw.execute("ROLLBACK TO SAVEPOINT plan")
        self.seen += 1
        plan = told if isinstance(told, list) else json.loads(told)
        for node in _nodes(plan[0]["Plan"]):
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
            read = removed * node.get("Actual Loops", 1)
            if read > MOST:
                name = f"{node['Node Type']} on {node.get('Relation Name', '-')}"
                self.wasteful.append(f"{name} reads {read} rows in vain: {' '.join(statement.split())[:160]}")


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


@pytest.fixture
def on_postgresql(postgresql_template: PostgresqlTemplate) -> Iterator[Transactions]:
    with postgresql_template.copy() as url:
        engine = make_engine(url)
        yield Transactions(engine, Clock(NOW))
        engine.dispose()


def _analyze(begin: Transactions) -> None:
    with begin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


@pytest.mark.postgresql
def test_a_turn_reads_little_in_vain(on_postgresql: Transactions) -> None:
    begin = on_postgresql
    sending(begin, PEOPLE, THREE_PARTS)
    mine = owner(begin)
    # the worst moment: everything is queued, nothing was ever handed over
    _analyze(begin)
    for _ in range(40):
        accept(begin, must_claim(begin, mine, WINDOW))
    plans = Plans(begin.engine)
    turn = must_claim(begin, mine, WINDOW)
    accept(begin, turn)
    doubtful = must_claim(begin, mine, WINDOW)
    record(begin, doubtful, [OutcomeUnknown("?")] * len(doubtful.parts))
    with begin() as tx:
        told = [receipt(f"id-{part.part_id}", msisdn=part.msisdn) for part in turn.parts]
        told += [receipt(f"stranger-{part.part_id}", msisdn=part.msisdn) for part in doubtful.parts]
        receipts.record(tx.session, told, {}, now=tx.now)
    with begin() as tx:
        receipts.apply(tx.session, now=tx.now)
    with begin() as tx:
        orphans.retry(tx.session, now=tx.now)
    assert claim(begin, mine, WINDOW) is not None
    assert plans.seen > 30
    assert not plans.wasteful, "\n".join(plans.wasteful)
