"""What old rows cost: the statements of the send path on a ledger full of them, beside one without, in one run.

python -m benchmarks.ledger [--old 12000000] [--messages 20000] [--rounds 3] [--sweeps 10] [--json]

Two databases on one PostgreSQL of its own with fsync on. The one is filled with closed campaigns of a million each:
messages, parts, what the carrier called them, and their receipts. Then both send, in turns: claimed, recorded, receipts
kept and applied, swept, looked at. The first round of each warms up; figures are medians of the others, by processor
time of this process and of the server (`_us`, a message; `_ms`, a look), because the clock tells more about a shared
machine than about the program. `million` is a look at the figures of a campaign of a million messages.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from benchmarks import claim
from broadcaster import ingest
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.delivery import batches, orphans, receipts, reconcile, recording, tally
from broadcaster.delivery.locks import AdvisoryLocks
from broadcaster.delivery.models import Kind
from broadcaster.delivery.progress import progress
from broadcaster.delivery.recording import ClaimedTurn
from broadcaster.delivery.states import State
from broadcaster.delivery.tally import Cell
from broadcaster.gateways.contract import Accepted, settled
from broadcaster.gateways.events import Receipt, ReceiptState
from broadcaster.gateways.smpp.reasons import REASONS
from broadcaster.reports.stages import stages
from subscribers.db import in_bulk, make_engine
from tests import servers
from tests.databases import PostgresqlTemplate

NOW = claim.NOW
MEMBERS = 100_000
CAMPAIGN = 1_000_000
TURN, HEARD = 500, 500
#: the number of the first old campaign
_FIRST = 1000
TIMEOUTS = {"carrier": timedelta(hours=72)}

_BODY = "【晨晖】您好，第二支部通知：周五上午九点在社区礼堂开会，请带上学习材料，不能来的请告诉小组长。回复R拒收"
#: as many rows of figures as a campaign has before they are added up
_ROWS = 200
_OLD = f"""
INSERT INTO campaign (id, kind, title, state, generation, lane, rule, under, signature, opt_out, content_hash, tariffs,
    created_by, created_at, started_at, closed_at, snapshot_cursor, note, note_fields)
VALUES (:campaign, 'notice', 'Old', 'closed', 0, 2, 'everyone', '', '', '', '', '{{}}', 'bench',
    :then, :then, :then, 0, '', '{{}}');
INSERT INTO message (id, campaign_id, member_id, msisdn, gateway, variant, state, attempt, parts, delivered_parts)
SELECT :base + i, :campaign, i % {MEMBERS} + 1, '+86199' || (10000000 + i), 'carrier', 0,
    {State.DELIVERED:d}, 1, 1, 1 FROM generate_series(1, :count) i;
INSERT INTO part (id, message_id, attempt, number, state, gateway, owner_id, encoding, text, code, permanent,
    submitted_at, final_at)
SELECT :base + i, :base + i, 1, 1, {State.DELIVERED:d}, 'carrier', 1, 'ucs2', '{_BODY}', 'DELIVRD', true,
    :then, :then FROM generate_series(1, :count) i;
INSERT INTO submission (part_id, gateway, provider_id)
SELECT :base + i, 'carrier', 'old-' || (1000000000 + :base + i) FROM generate_series(1, :count) i;
INSERT INTO receipt_lot (id, gateway, receipts, received_at, told)
SELECT max(:base + i), 'carrier', count(*), :then, json_build_array(
    json_build_array(json_build_array('delivered', 'DELIVRD', NULL, true, false, false)),
    json_agg(0), json_agg('old-' || (1000000000 + :base + i)), json_agg(''::text), json_agg('+86199' || (10000000 + i)),
    json_agg(NULL::text), json_agg('id:' || (1000000000 + :base + i) || ' sub:001 dlvrd:001 stat:DELIVRD err:000'))
FROM generate_series(1, :count) i GROUP BY (i - 1) / {HEARD};
INSERT INTO tally (campaign_id, kind, gateway, state, reason, n)
SELECT :campaign, i % 2 + 1, 'carrier', {State.DELIVERED:d}, '', :count * 2 / {_ROWS}
FROM generate_series(1, {_ROWS}) i"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=int, default=12_000_000, help="old messages, each with part, id and receipt")
    parser.add_argument("--messages", type=int, default=20_000, help="of a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sweeps", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rounds: dict[str, list[dict[str, float]]] = defaultdict(list)
    with two_databases() as engines:
        found = fill(engines["full"], given.old)
        for _ in range(given.rounds + 1):
            for name, engine in engines.items():
                rounds[name].append(Round(engine, given.messages, given.sweeps).figures())
    empty, full = (
        {key: round(statistics.median(one[key] for one in rounds[name][1:]), 2) for key in rounds[name][0]}
        for name in ("empty", "full")
    )
    found |= {f"empty_{key}": value for key, value in empty.items()} | {f"full_{key}": v for key, v in full.items()}
    # of a hundred parts that go out without old rows, so many do not with them
    found["taken_percent"] = round(100 * (1 - empty["all_us"] / full["all_us"]), 1)
    if given.json:
        print(json.dumps(found))
    else:
        for key, value in found.items():
            print(f"{key:32} {value:>14,}")


@contextmanager
def two_databases() -> Iterator[dict[str, Engine]]:
    """With today's tables and a registry; `full` is to be filled. All of it goes at the end."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        # PostgreSQL refuses to run as root, and the plain user that it gets must come through here
        place.chmod(0o755)
        (place / "server").mkdir()
        with servers.postgresql(place / "server", *claim.SETTINGS, "max_wal_size=8GB") as server:
            template = PostgresqlTemplate(server, "ledger")
            with template.copy() as empty, template.copy() as full:
                engines = {"empty": make_engine(empty), "full": make_engine(full)}
                for engine in engines.values():
                    with Session(engine) as session, session.begin():
                        claim.plant(session, MEMBERS, 0)
                    tidy(engine)
                try:
                    yield engines
                finally:
                    for engine in engines.values():
                        engine.dispose()


def fill(engine: Engine, old: int) -> dict[str, float]:
    """Write old campaigns, a million messages each."""
    began, base = time.monotonic(), 0
    while base < old:
        count = min(CAMPAIGN, old - base)
        given = {"campaign": _FIRST + base // CAMPAIGN, "base": base, "count": count, "then": NOW - timedelta(days=90)}
        with engine.begin() as connection:
            # who wrote all of it knows that it fits together, and waits for no disk
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            for statement in _OLD.split(";"):
                connection.execute(text(statement), {key: given[key] for key in given if f":{key}" in statement})
        base += count
    with engine.begin() as connection:
        for table in ("campaign", "message", "part", "receipt_inbox"):
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {base + 10_000})"))
    tidy(engine)
    with engine.connect() as connection:
        size = connection.scalar(text("SELECT pg_database_size(current_database())")) or 0
    return {"old_messages": base, "fill_s": round(time.monotonic() - began), "fill_gib": round(size / 2**30, 1)}


def tidy(engine: Engine) -> None:
    """What the server does by itself in a quiet hour."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


class Round:
    """One campaign from its batch to its last receipt, on one of the databases."""

    def __init__(self, engine: Engine, messages: int, sweeps: int) -> None:
        self._engine, self._messages, self._sweeps = engine, messages, sweeps
        self._found: dict[str, float] = {}

    def figures(self) -> dict[str, float]:
        """Processor time of each stage."""
        with Session(self._engine) as session, session.begin():
            owner, campaign = self._begin(session)
        began = time.monotonic()
        turns: list[ClaimedTurn] = []
        self._stage("claimed", lambda session: self._claim(session, owner, turns))
        for name, work in (
            ("recorded", [lambda s, turn=turn: self._record(s, turn) for turn in turns]),
            ("kept", [lambda s, heard=heard: self._keep(s, heard) for heard in in_bulk(_receipts(turns), HEARD)]),
        ):
            self._stage(name, _each(work))
        self._stage("applied", lambda session: receipts.apply(session, now=NOW))
        parts = ("claimed", "recorded", "kept", "applied")
        self._found["all_us"] = round(sum(self._found[f"{part}_us"] for part in parts), 1)
        self._found["parts_per_second"] = round(self._messages / (time.monotonic() - began))
        self._look("sweep", self._sweep)
        self._look("show", lambda session: progress(session, session.get_one(Campaign, campaign)))
        self._look("million", lambda session: tally.figures(session, [_FIRST]))
        self._look("metrics", lambda session: stages(session, AdvisoryLocks(self._engine), ["carrier"], now=NOW))
        return self._found

    def _begin(self, session: Session) -> tuple[int, int]:
        owner = claim.begin_campaign(session, MEMBERS, self._messages)
        campaign = session.execute(text("SELECT max(id) FROM campaign WHERE state = 'sending'")).scalar_one()
        session.execute(text("UPDATE campaign SET started_at = :now WHERE id = :id"), {"now": NOW, "id": campaign})
        tally.add(session, {Cell(campaign, Kind.MESSAGE, "carrier", State.QUEUED): self._messages})
        return owner, campaign

    def _claim(self, session: Session, owner: int, turns: list[ClaimedTurn]) -> bool:
        turn = batches.claim(session, owner, claim.SENDER, parts=TURN, up_to=Lane.BULK, now=NOW)
        turns += [turn] if turn else []
        return turn is not None

    def _record(self, session: Session, turn: ClaimedTurn) -> bool:
        outcomes = [Accepted(f"new-{part.part_id}") for part in turn.parts]
        recording.record(session, turn, settled(turn.parts, outcomes), now=NOW)
        return True

    def _keep(self, session: Session, heard: list[Receipt]) -> bool:
        ingest.accept(session, heard, REASONS, region="CN", now=NOW)
        return True

    def _sweep(self, session: Session) -> None:
        orphans.retry(session, now=NOW)
        reconcile.expire(session, TIMEOUTS, {}, now=NOW)
        reconcile.finish(session, TIMEOUTS, now=NOW)
        reconcile.wake_forgotten(session, now=NOW)

    def _stage(self, name: str, work: Callable[[Session], object]) -> None:
        """Transaction after transaction until there is nothing more; microseconds a message."""
        used, more = 0.0, True
        own = time.process_time()
        with Session(self._engine, expire_on_commit=False) as session:
            with session.begin():
                backend = claim.backend_of(session)
            before = claim.cpu_of(backend)
            while more:
                with session.begin():
                    more = bool(work(session))
            used = claim.cpu_of(backend) - before
        self._found[f"{name}_us"] = round((time.process_time() - own + used) / self._messages * 1e6, 1)

    def _look(self, name: str, work: Callable[[Session], object]) -> None:
        """A few times; milliseconds each, and by the clock the slowest."""
        clocks = []
        own = time.process_time()
        with Session(self._engine, expire_on_commit=False) as session:
            with session.begin():
                backend = claim.backend_of(session)
            before = claim.cpu_of(backend)
            for _ in range(self._sweeps):
                began = time.monotonic()
                with session.begin():
                    work(session)
                clocks.append(time.monotonic() - began)
            used = time.process_time() - own + claim.cpu_of(backend) - before
        self._found[f"{name}_ms"] = round(used / self._sweeps * 1000, 1)
        self._found[f"{name}_clock_ms"] = round(statistics.median(clocks) * 1000, 1)


def _each(work: list[Callable[[Session], bool]]) -> Callable[[Session], bool]:
    """One of them after the other, each in a transaction of its own."""
    left = iter(work)

    def next_one(session: Session) -> bool:
        one = next(left, None)
        return one is not None and one(session)

    return next_one


def _receipts(turns: list[ClaimedTurn]) -> list[Receipt]:
    return [
        Receipt(
            gateway="carrier",
            message_id=f"new-{part.part_id}",
            state=ReceiptState.DELIVERED,
            code="DELIVRD",
            permanent=True,
            msisdn=part.msisdn,
            raw=f"id:new-{part.part_id} sub:001 dlvrd:001 stat:DELIVRD err:000",
        )
        for turn in turns
        for part in turn.parts
    ]


if __name__ == "__main__":
    main()
