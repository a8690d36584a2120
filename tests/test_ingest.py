"""How many of the events were not known yet, whatever their kind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from broadcaster import ingest
from broadcaster.gateways.events import Event, InboundMessage, InboundPart, Receipt, ReceiptState
from tests.databases import Transactions
from tests.factories import generated_msisdn

NUMBER = generated_msisdn(88_000_101)
RECEIPTS = [Receipt(gateway="carrier", message_id=f"m-{n}", state=ReceiptState.DELIVERED, code="000") for n in range(3)]
LETTERS = [
    InboundMessage(gateway="carrier", message_id=f"mo-{n}", msisdn=NUMBER, destination="1069", text="好")
    for n in range(3)
]
PARTS = [
    InboundPart(
        gateway="carrier",
        msisdn=NUMBER,
        destination="1069",
        reference=7,
        bits=8,
        total=4,
        number=number,
        octets=b"%d" % number,
        charset="latin-1",
    )
    for number in (1, 2, 3)
]


@pytest.mark.parametrize("events", [RECEIPTS, LETTERS, PARTS, [*RECEIPTS, *LETTERS, *PARTS]])
def test_what_is_known_already_does_not_count(begin: Transactions, events: Sequence[Event]) -> None:
    kinds = len(events) // 3

    def fresh(told: Sequence[Event]) -> int:
        with begin() as tx:
            return ingest.accept(tx.session, told, {}, region="CN", now=tx.now)

    assert fresh(events[::3]) == kinds
    assert fresh([*events, *events]) == 2 * kinds
    assert fresh(events) == 0
    assert fresh([]) == 0
