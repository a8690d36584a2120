"""The statements of every turn look at what they change, not at the whole campaign, whatever the statistics say.

A planner that has seen only queued messages expects one row where there are fifty, and may read everything for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text, update

from broadcaster.campaigns import schedule
from broadcaster.campaigns.check import check
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.states import CampaignState
from broadcaster.delivery import lots, orphans, preparing, receipts, reconcile, standing
from broadcaster.delivery.locks import AdvisoryLocks
from broadcaster.delivery.models import Batch, Message
from broadcaster.delivery.progress import progress
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import OutcomeUnknown
from broadcaster.reports import stages
from subscribers.actor import OPERATOR
from subscribers.db import make_engine
from tests.databases import Clock, SqliteTemplate, Transactions
from tests.delivery.ledger import (
    ROUTE,
    THREE_PARTS,
    WAYS,
    ZONE,
    accept,
    apply,
    claim,
    draft,
    must_claim,
    owner,
    receipt,
    record,
    sending,
)
from tests.factories import NOW, make_members

PEOPLE = 4000
WINDOW = 50
#: rows that a node may read in vain
MOST = 10 * WINDOW
#: so that the place of each reader is looked up, too
FIELDS = "{{ name }}，{{ organisation|default('') }}：明天开会。"


class Plans:
    """Explains every statement before it runs, and keeps what it read in vain; `scans`: or at all.

    What a join begins with may be a whole table, of which nothing is in the answer, and no row was removed.
    """

    def __init__(self, engine: Engine, *, scans: bool = False) -> None:
        self.scans = scans
        self.wasteful: list[str] = []
        self.seen = 0
        self.most = MOST
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
            if self.scans and "Scan" in node["Node Type"]:
                removed += node.get("Actual Rows", 0)
            read = removed * node.get("Actual Loops", 1)
            if read > self.most:
                name = f"{node['Node Type']} on {node.get('Relation Name', '-')}"
                self.wasteful.append(f"{name} reads {read} rows in vain: {' '.join(statement.split())[:160]}")


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _analyze(begin: Transactions) -> None:
    with begin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


@pytest.mark.postgresql
@pytest.mark.parametrize("seen", ["nothing", "the registry", "the first pieces"])
def test_a_piece_of_an_audience_reads_little_in_vain(on_postgresql: Transactions, seen: str) -> None:
    begin = on_postgresql
    if seen == "nothing":
        _analyze(begin)
    with begin() as tx:
        make_members(tx.session, PEOPLE)
    if seen == "the registry":
        _analyze(begin)
    with begin() as tx:
        campaign = draft(tx.session)
        checked = check(tx.session, OPERATOR, campaign, ROUTE, WAYS, zone=ZONE, now=tx.now)
        schedule.start(tx.session, OPERATOR, campaign, checked.recipients, ROUTE, WAYS, zone=ZONE, now=tx.now)
    plans = Plans(begin.engine)
    for piece in (PEOPLE // 2, WINDOW, WINDOW):
        if seen == "the first pieces" and piece == WINDOW:
            _analyze(begin)
        # what is read for as many as there are in the piece is not in vain
        plans.most = 10 * piece
        with begin() as tx:
            assert preparing.prepare(tx.session, campaign.id, lambda _: ROUTE, now=tx.now, piece=piece)
    assert plans.seen > 12
    assert not plans.wasteful, "\n".join(plans.wasteful)


@pytest.mark.postgresql
@pytest.mark.parametrize("seen", ["nothing", "an old campaign", "all that is there"])
def test_a_claim_reads_little_in_vain(on_postgresql: Transactions, seen: str) -> None:
    begin = on_postgresql
    if seen == "nothing":
        _analyze(begin)
    sending(begin, PEOPLE)
    with begin() as tx:
        tx.session.execute(update(Message).values(state=State.DELIVERED, parts=1, delivered_parts=1))
        tx.session.execute(update(Batch).values(done=True))
    if seen == "an old campaign":
        # of the new one it knows nothing: it expects one row of it, by the index of its own
        _analyze(begin)
    new, _ = sending(begin, 10, FIELDS)
    if seen == "all that is there":
        _analyze(begin)
    mine = owner(begin)
    plans = Plans(begin.engine)
    for _ in range(3):
        turn = must_claim(begin, mine, WINDOW)
        assert (turn.campaign_id, len(turn.parts)) == (new, WINDOW)
    assert plans.seen > 20
    assert not plans.wasteful, "\n".join(plans.wasteful)


def test_sqlite_finds_what_waits_by_the_range_of_ids(tmp_path: Path, sqlite_template: SqliteTemplate) -> None:
    engine = make_engine(sqlite_template.copy(tmp_path))
    begin = Transactions(engine, Clock(NOW))
    sending(begin, 3)
    mine = owner(begin)
    plans: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM message" in statement or statement.startswith("UPDATE message"):
            told = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in told if "message" in row[3])

    event.listen(engine, "before_cursor_execute", explain)
    assert claim(begin, mine) is not None
    assert plans
    assert all(plan.startswith("SEARCH message USING INTEGER PRIMARY KEY") for plan in plans), plans
    engine.dispose()


@pytest.mark.postgresql
@pytest.mark.parametrize("seen", ["nothing", "everything is queued", "half is handed over"])
def test_a_turn_reads_little_in_vain(on_postgresql: Transactions, seen: str) -> None:
    begin = on_postgresql
    if seen == "nothing":
        _analyze(begin)
    sending(begin, PEOPLE, THREE_PARTS)
    mine = owner(begin)
    if seen == "everything is queued":
        _analyze(begin)
    for _ in range(40):
        accept(begin, must_claim(begin, mine, WINDOW))
    if seen == "half is handed over":
        _analyze(begin)
    plans = Plans(begin.engine, scans=True)
    few = lots.MANY - 1
    turn = must_claim(begin, mine, WINDOW)
    accept(begin, turn)
    doubtful = must_claim(begin, mine, WINDOW)
    record(begin, doubtful, [OutcomeUnknown("?")] * len(doubtful.parts))
    with begin() as tx:
        told = [receipt(f"id-{part.part_id}", msisdn=part.msisdn) for part in turn.parts]
        told += [receipt(f"stranger-{part.part_id}", msisdn=part.msisdn) for part in doubtful.parts]
        # some in a lot, some by themselves
        receipts.record(tx.session, told[few:], {}, now=tx.now)
        receipts.record(tx.session, told[:few], {}, now=tx.now)
    apply(begin)
    with begin() as tx:
        orphans.retry(tx.session, now=tx.now)
    assert claim(begin, mine, WINDOW) is not None
    assert plans.seen > 30
    assert not plans.wasteful, "\n".join(plans.wasteful)


@pytest.mark.postgresql
def test_a_look_at_the_machinery_reads_the_newest_rows_only(
    on_postgresql: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = on_postgresql
    monkeypatch.setattr(standing, "_NEWEST", WINDOW)
    monkeypatch.setattr(stages, "NEWEST", WINDOW)
    campaign, _ = sending(begin, PEOPLE)
    mine = owner(begin)
    while (turn := claim(begin, mine, 1000)) is not None:
        accept(begin, turn)
        with begin() as tx:
            told = [receipt(f"id-{part.part_id}", msisdn=part.msisdn) for part in turn.parts]
            receipts.record(tx.session, told, {}, now=tx.now)
        apply(begin)
    for _ in range(2):
        plans = Plans(begin.engine)
        with begin() as tx:
            found = stages.stages(tx.session, AdvisoryLocks(begin.engine), ["carrier"], now=tx.now)
            progress(tx.session, tx.session.get_one(Campaign, campaign))
        assert found.gateways[0].parts["delivered"] == PEOPLE
        assert found.gateways[0].receipts.lag == 0
        assert plans.seen > 15
        assert not plans.wasteful, "\n".join(plans.wasteful)
        _analyze(begin)


@pytest.mark.postgresql
def test_a_sweep_goes_past_what_is_over(on_postgresql: Transactions) -> None:
    begin = on_postgresql
    sending(begin, PEOPLE)
    with begin() as tx:
        tx.session.execute(update(Message).values(state=State.DELIVERED, parts=1, delivered_parts=1))
        tx.session.execute(update(Batch).values(done=True))
        tx.session.execute(update(Campaign).values(state=CampaignState.CLOSED, closed_at=tx.now))
    _analyze(begin)
    plans = Plans(begin.engine)
    begin.clock.advance(days=4)
    with begin() as tx:
        reconcile.expire(tx.session, {"carrier": timedelta(days=3)}, {}, now=tx.now)
    assert plans.seen > 2
    assert not plans.wasteful, "\n".join(plans.wasteful)
