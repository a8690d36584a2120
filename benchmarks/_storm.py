"""A storm of receipts over parts that were sent, and what must have come of it."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from broadcaster.delivery.states import State
from broadcaster.gateways.events import Receipt, ReceiptState
from broadcaster.gateways.smpp.reasons import REASONS
from subscribers.db import is_sqlite

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
GATEWAY = "carrier"
#: of four messages one has three parts: half of all parts are parts of long messages
CYCLE, PARTS_OF_CYCLE = 4, 6
EARLY = 10
STATS = (*["DELIVRD"] * 92, *["UNDELIV"] * 4, "EXPIRED", "REJECTD", *["GSM 1"] * 2)
_ENDS = {
    ReceiptState.DELIVERED: State.DELIVERED,
    ReceiptState.FAILED: State.FAILED,
    ReceiptState.EXPIRED: State.EXPIRED,
    ReceiptState.REJECTED: State.REJECTED,
}

_MSISDN = "'+86199' || substr(CAST(100000000 + i AS text), 2)"
_PLACE = "(i - 1) % 6"
_PLANT = f"""
INSERT INTO campaign (kind, title, state, generation, lane, rule, under, signature, opt_out, content_hash, tariffs,
    created_by, created_at, started_at, snapshot_cursor, note, note_fields) VALUES ('notice', 'Storm', 'sending', 0, 2,
    'everyone', '', '', '', '', '{{}}', 'bench', 'NOW', 'NOW', 0, '', '{{}}');
MESSAGES member (name, search_key, tags, fields, created_at) SELECT 'n' || i, 'n' || i, '[]', '{{}}', 'NOW' FROM n;
MESSAGES number (member_id, msisdn, kind, preferred, shared, unknown_in_a_row)
    SELECT i, {_MSISDN}, 'mobile', true, false, 0 FROM n;
MESSAGES message (campaign_id, member_id, msisdn, gateway, variant, state, attempt, parts, delivered_parts)
    SELECT 1, i, {_MSISDN}, '{GATEWAY}', 0, {State.SUBMITTED:d}, 1, CASE WHEN i % {CYCLE} = 0 THEN 3 ELSE 1 END, 0
    FROM n;
PARTS part (message_id, attempt, number, state, gateway, encoding, text, submitted_at)
    SELECT (i - 1) / 6 * 4 + CASE WHEN {_PLACE} < 3 THEN {_PLACE} + 1 ELSE 4 END, 1,
    CASE WHEN {_PLACE} < 3 THEN 1 ELSE {_PLACE} - 2 END, {State.SUBMITTED:d}, '{GATEWAY}', 'ucs2', '{"会" * 67}', 'NOW'
    FROM n;
PARTS submission (part_id, gateway, provider_id)
    SELECT i, '{GATEWAY}', CAST(1000000000 + i AS text) FROM n WHERE i % {EARLY} <> 0;
UPDATE part SET state = {State.SUBMITTING:d}, submitted_at = NULL WHERE id % {EARLY} = 0;
UPDATE message SET state = {State.SUBMITTING:d} WHERE id IN (SELECT message_id FROM part WHERE id % {EARLY} = 0)"""
_ANSWERS = f"""
PARTS submission (part_id, gateway, provider_id)
    SELECT i, '{GATEWAY}', CAST(1000000000 + i AS text) FROM n WHERE i % {EARLY} = 0;
UPDATE part SET state = {State.SUBMITTED:d} WHERE id % {EARLY} = 0 AND state = {State.SUBMITTING:d}"""
_BEHIND = f"""
SELECT count(*) FROM message WHERE state <> (SELECT min(state) FROM part WHERE message_id = message.id)
OR delivered_parts <> (SELECT count(*) FROM part WHERE message_id = message.id AND state = {State.DELIVERED:d})"""


class Storm:
    """Receipts in the order they come, and how each part must end."""

    def __init__(self, size: int, seed: int) -> None:
        chance = random.Random(seed)
        self.parts = size * 69 // 100 // PARTS_OF_CYCLE * PARTS_OF_CYCLE
        self.messages = self.parts // PARTS_OF_CYCLE * CYCLE
        ends = [self._end(i, chance) for i in range(1, self.parts + 1)]
        self.ends = [_ENDS[end.state] for end in ends]
        self.strangers = size // 100
        self.overtaken = size // 10
        timed = [(float(i), end) for i, end in enumerate(ends)]
        timed += [
            (i + chance.uniform(1, 5000), self._before(ends[i]))
            for i in chance.sample(range(self.parts), self.overtaken)
        ]
        timed += [
            (chance.uniform(0, self.parts), replace(ends[0], message_id=f"stranger-{n}", msisdn="8619999999999"))
            for n in range(self.strangers)
        ]
        repeated = chance.choices(timed, k=size - len(timed))
        timed += [(at + chance.uniform(0, 5000), told) for at, told in repeated]
        timed.sort(key=lambda entry: entry[0])
        self.receipts = [told for _, told in timed]

    def _end(self, i: int, chance: random.Random) -> Receipt:
        code = chance.choice(STATS)
        message = (i - 1) // 6 * 4 + min((i - 1) % 6 + 1, 4)
        raw = f"id:{1000000000 + i} sub:001 dlvrd:001 submit date:2611210200 done date:2611210201 stat:{code} err:000"
        return Receipt(
            gateway=GATEWAY,
            message_id=str(1000000000 + i),
            state=REASONS[code].state,
            code=code,
            permanent=REASONS[code].permanent,
            msisdn=f"86199{message:08d}",
            done_at=NOW + timedelta(seconds=i % 600),
            raw=raw,
        )

    def _before(self, end: Receipt) -> Receipt:
        return replace(end, state=ReceiptState.IN_NETWORK, code="ENROUTE", permanent=None, done_at=NOW)


def plant(session: Session, storm: Storm) -> None:
    """A campaign whose parts are all handed over; a tenth of the answers has not been written down."""
    _run(session, _PLANT, storm)


def answer(session: Session, storm: Storm) -> None:
    """The late answers are written down."""
    _run(session, _ANSWERS, storm)


def _run(session: Session, statements: str, storm: Storm) -> None:
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) INSERT INTO"
    statements = statements.replace("MESSAGES", rows.format(count=storm.messages))
    statements = statements.replace("PARTS", rows.format(count=storm.parts))
    statements = statements.replace("NOW", NOW.strftime("%Y-%m-%d %H:%M:%S.%f"))
    for statement in statements.split(";"):
        session.connection().exec_driver_sql(statement.replace("%", "%%") if not is_sqlite(session) else statement)


def wrong(session: Session, storm: Storm) -> list[str]:
    """What is not as it must be."""
    found = []
    states = {row.id: row.state for row in session.execute(text("SELECT id, state FROM part"))}
    if bad := [i for i, end in enumerate(storm.ends, 1) if states[i] != end]:
        found.append(f"{len(bad)} parts are not what their receipts say, such as {bad[:5]}")
    if behind := session.scalar(text(_BEHIND)):
        found.append(f"{behind} messages are not what their parts are")
    waiting, lots, orphans = (
        session.scalar(text(f"SELECT count(*) FROM {table}"))
        for table in ("receipt_waiting", "receipt_lot_waiting", "receipt_orphan")
    )
    if (waiting, lots, orphans) != (0, 0, storm.strangers):
        found.append(f"{waiting} and {lots} lots wait, {orphans} orphans of {storm.strangers}")
    distinct = {(told.message_id, told.state.value) for told in storm.receipts}
    if kept := distinct ^ _kept(session):
        found.append(f"{len(kept)} are not kept, or were never told, such as {sorted(kept)[:5]}")
    return found


def _kept(session: Session) -> set[tuple[str, str]]:
    """Ids and states, of those that came by themselves and of those in lots."""
    kept = {(row[0], row[1]) for row in session.execute(text("SELECT provider_id, state FROM receipt_inbox"))}
    for told in session.scalars(text("SELECT told FROM receipt_lot")):
        kinds, of, ids, *_ = json.loads(told)
        kept |= {(provider_id, kinds[place][0]) for provider_id, place in zip(ids, of, strict=True)}
    return kept
