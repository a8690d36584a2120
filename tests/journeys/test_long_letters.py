"""Parts of a member's long message that come to two processes, one of which may be dead by the time the others come."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from broadcaster.replies.models import Letter, LetterPart
from broadcaster.runtime import Runtime
from subscribers import consent
from tests.gateways.smpp.smsc import Smsc, deliver_body
from tests.journeys import sending
from tests.journeys.stage import people, runtime_on
from tests.journeys.test_smpp import settings_for

LONG = "".join(chr(0x4E00 + n) for n in range(150))


def body(member: str, words: str, number: int, total: int, reference: int = 9) -> bytes:
    octets = bytes((5, 0, 3, reference, total, number)) + words.encode("utf-16-be")
    return deliver_body(member[1:], "10690000", octets, 8, 0x40, b"")


def texts(runtime: Runtime) -> list[str]:
    with runtime.reading() as tx:
        return list(tx.session.scalars(select(Letter.text).order_by(Letter.id)))


def kept(runtime: Runtime) -> int:
    with runtime.reading() as tx:
        return tx.session.scalar(select(func.count(LetterPart.id))) or 0


def told(smsc: Smsc) -> int:
    """How many were acknowledged. One that is bound just then gets some that went to the other."""
    return len({sequence for sequence, status in smsc.acknowledged if status == 0})


def is_out(runtime: Runtime, msisdn: str) -> bool:
    with runtime.reading() as tx:
        return not consent.is_reachable(tx.session, msisdn)


def test_two_processes_that_hold_a_bind_each(tmp_path: Path, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("one sending process")
    with Smsc() as smsc:
        settings = settings_for(tmp_path, database_url, smsc.port, binds=2)
        with runtime_on(settings) as runtime:
            reader, leaver = sorted(people(runtime, 2))
            processes = [sending.start(settings), sending.start(settings)]
            assert sending.wait_until(lambda: smsc.bound == 2, 60)
            for number, link in ((3, 1), (1, 0), (2, 1), (1, 1)):
                smsc.deliver(body(reader, LONG[50 * number - 50 : 50 * number], number, 3), link)
            smsc.deliver(body(leaver, "退", 1, 2), 0)
            smsc.deliver(body(leaver, "订", 2, 2), 1)
            assert sending.wait_until(lambda: is_out(runtime, leaver), 120)
            assert sending.wait_until(lambda: len(texts(runtime)) == 2 and told(smsc) == 6, 120)
            # all of it once more, as a carrier does that has not seen the answers
            for number in (1, 2, 3):
                smsc.deliver(body(reader, LONG[50 * number - 50 : 50 * number], number, 3), number % 2)
            assert sending.wait_until(lambda: told(smsc) == 9, 120)
            for process in processes:
                process.terminate()
                process.join(30)
            assert sorted(texts(runtime)) == sorted([LONG, "退订"])
    assert {status for _, status in smsc.acknowledged} == {0}


def test_one_that_is_killed_between_two_parts(tmp_path: Path, database_url: str) -> None:
    with Smsc() as smsc:
        settings = settings_for(tmp_path, database_url, smsc.port)
        with runtime_on(settings) as runtime:
            [reader] = people(runtime, 1)
            first = sending.start(settings)
            assert sending.wait_until(lambda: smsc.bound, 60)
            smsc.deliver(body(reader, LONG[:50], 1, 3))
            smsc.deliver(body(reader, LONG[50:100], 2, 3))
            # what was acknowledged is in the database: the carrier does not send it again
            assert sending.wait_until(lambda: told(smsc) == 2, 120)
            sending.kill(first)
            assert kept(runtime) == 2
            smsc.deliver(body(reader, LONG[100:], 3, 3))
            second = sending.start(settings)
            assert sending.wait_until(lambda: texts(runtime) == [LONG], 60)
            second.terminate()
            second.join(30)
            assert texts(runtime) == [LONG]
