"""S8: one of two gateways fails in the middle of a campaign."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadcaster.delivery.states import State
from broadcaster.rehearsal.running import rehearsing
from tests.chaos import judge
from tests.chaos.installation import BINDS, MANNERS, WINDOW, wait_until
from tests.chaos.rows import LONG, at_work
from tests.chaos.run import end_of, settle

pytestmark = pytest.mark.timeout(400)

MORE = """
[gateways.other]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "paper"
password = "s3cret99"
sender = "10690000"
receipt_ids = "same"
[routes]
default = ["carrier", "other"]
failover_after = 1
"""
MESSAGES = 100
#: what waits for the first gateway and of which nothing has left: where the silence cuts a text in two, its rest stays
NOT_BEGUN = f"""
SELECT 1 FROM message WHERE gateway = 'carrier' AND state = {State.QUEUED:d} AND NOT EXISTS (
    SELECT 1 FROM part
    WHERE part.message_id = message.id AND part.attempt = message.attempt AND part.state <> {State.QUEUED:d}
) LIMIT 1
"""


def test_what_a_gateway_that_fails_has_not_taken_goes_on_by_the_other(tmp_path: Path, database_url: str) -> None:
    """What may have left by the first is sent by no other; everybody else gets the rest, once, and whole."""
    with (
        rehearsing(tmp_path / "other.jsonl", MANNERS) as other,
        at_work(
            tmp_path, url=database_url, messages=MESSAGES, text=LONG, rate=100, more=MORE.format(port=other.port)
        ) as row,
    ):
        row.on.start(*BINDS, "other")
        row.sent(60)
        # silent from here on: what was on its way is in doubt, and nobody is let in
        row.on.line.hush()
        assert wait_until(lambda: other.accepted() and not row.on.rows(NOT_BEGUN), 90), row.on.logged()
        # and back, with the receipts for what it had
        row.on.line.cut()
        assert settle(row.on, 90), row.on.logged()
        logs = [each.accepted() for each in (row.on.carrier, other)]
        went_to = [{line["destination"] for line in log} for log in logs]
        ends = {msisdn: end_of(row.on, msisdn) for msisdn in row.audience}
        verdict = judge.judge(*judge.read(row.on.url), [*logs[0], *logs[1]], row.audience, ends)
        assert verdict.faults == []
        assert verdict.cells["unknown"] <= len(BINDS) * WINDOW
        assert went_to[0] & went_to[1] == set(), "a text is of one gateway"
        assert row.on.end() == dict.fromkeys((*BINDS, "other"), 0), row.on.logged()
