"""Two connections, each of a process of its own: what one learns of the ids of receipts serves the other's, too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from broadcaster import binds
from broadcaster.delivery import memory, receipts
from broadcaster.delivery.models import Message, Part, ReceiptInbox, ReceiptLot, ReceiptOrphan, Submission
from broadcaster.delivery.states import State
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import Settings
from broadcaster.tasks import doors
from tests.gateways.smpp.smsc import PASSWORD, Smsc, deliver_body
from tests.journeys import sending
from tests.journeys.stage import draft, people, runtime_on, start
from tests.journeys.test_smpp import settings_for

PEOPLE = 30
PORT = "10690000"


@pytest.fixture
def smsc() -> Iterator[Smsc]:
    with Smsc() as smsc:
        smsc.manners.receipts = False
        # 1001 is 3e9 in the answer
        smsc.manners.submit_id = lambda number: f"{1000 + number:x}"
        smsc.manners.receipt_id = lambda number: str(1000 + number)
        yield smsc


@pytest.fixture
def settings(smsc: Smsc, tmp_path: Path, database_url: str) -> Settings:
    return settings_for(tmp_path, database_url, smsc.port, password=PASSWORD, receipt_ids="auto", binds=2)


def told_second(smsc: Smsc, number: int, receipt_id: str, stat: str = "DELIVRD") -> None:
    """A receipt for the n-th message over the second connection."""
    told = f"id:{receipt_id} sub:001 dlvrd:001 submit date:2611220200 done date:2611220201 stat:{stat} err:000 text:"
    body = deliver_body(smsc.taken[number - 1].msisdn, PORT, told.encode(), 0, 0x04, b"")
    smsc.deliver(body, link=1)


def count(runtime: Runtime, of: type) -> int:
    with runtime.reading() as tx:
        return tx.session.scalar(select(func.count()).select_from(of)) or 0


def state(runtime: Runtime, number: int) -> State:
    """Of the message that the centre took as its n-th."""
    query = select(Message.state).join(Part, Part.message_id == Message.id)
    query = query.join(Submission, Submission.part_id == Part.id)
    with runtime.reading() as tx:
        found: State = tx.session.scalars(query.where(Submission.provider_id == f"{1000 + number:x}")).one()
        return found


def swept(runtime: Runtime) -> None:
    doors.sweep(runtime)
    more = 1
    while more:
        with runtime.begin() as tx:
            more = receipts.apply(tx.session, now=tx.now)


@pytest.mark.timeout(120)
def test_receipts_of_before_are_turned_once_another_process_knows_the_form(smsc: Smsc, settings: Settings) -> None:
    with runtime_on(settings) as first:
        second = make_runtime(settings)
        try:
            _learn(smsc, first, second)
        finally:
            second.close()


def _learn(smsc: Smsc, first: Runtime, second: Runtime) -> None:
    people(first, PEOPLE)
    campaign = draft(first, "{{ name }}，您好。")
    start(first, campaign)
    doors.write_down(first, campaign, pieces=9)
    with binds.holding(first, ["carrier"]):
        assert sending.wait_until(lambda: count(first, Submission) == PEOPLE, 30)
        with binds.connected(second, second.gateways["carrier"]):
            assert sending.wait_until(lambda: smsc.bound == 2, 30)
            told_second(smsc, 1, "1001")
            told_second(smsc, 2, "1002")
            # the number is the third's, the id the fourth's
            told_second(smsc, 3, "1004")
            assert sending.wait_until(lambda: count(first, ReceiptInbox) == 3, 30)
            swept(second)
            assert (count(first, ReceiptOrphan), state(first, 1)) == (3, State.SUBMITTED)
            with first.begin() as tx:
                # as if they had been looked at in vain for hours
                tx.session.execute(update(ReceiptOrphan).values(due=tx.now + timedelta(hours=1)))
            # the first process, which has handed them over, sees the form; one of them it is told once more
            for number in range(2, 26):
                smsc.receipt(number, smsc.taken[number - 1].msisdn, PORT)
            assert sending.wait_until(lambda: _learned(first) == "hex_decimal 0", 30)
            assert sending.wait_until(lambda: _heard(first) == 27, 30)
    swept(second)
    assert [state(first, number) for number in (1, 2, 3, 26)] == [State.DELIVERED] * 3 + [State.SUBMITTED]
    with first.reading() as tx:
        [stranger] = tx.session.scalars(
            select(ReceiptInbox).join(ReceiptOrphan, ReceiptOrphan.inbox_id == ReceiptInbox.id)
        )
    assert stranger.provider_id == "1004"


def _heard(runtime: Runtime) -> int:
    """Receipts that came, before any of them is applied: by themselves, or in a lot."""
    with runtime.reading() as tx:
        return count(runtime, ReceiptInbox) + sum(tx.session.scalars(select(ReceiptLot.receipts)))


def _learned(runtime: Runtime) -> str:
    with runtime.reading() as tx:
        return memory.of(tx.session, "carrier")
