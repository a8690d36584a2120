from __future__ import annotations

import pytest

from broadcaster.gateways.events import Receipt, ReceiptState
from broadcaster.gateways.simulator.reasons import REASONS
from broadcaster.gateways.simulator.translation import event, outcome
from broadcaster.gateways.simulator.wire import Nonsense

RECEIPT = {"id": "a-1/0", "time": "2026-11-23T08:00:01+00:00", "event": "receipt", "message_id": "a-1", "code": "000"}
RECEIPT |= {"msisdn": "+8619900000001", "client_reference": "p1"}


@pytest.mark.parametrize("code", REASONS)
def test_every_code_has_its_line(code: str) -> None:
    receipt = event("sim", RECEIPT | {"code": code})
    assert isinstance(receipt, Receipt)
    assert (receipt.state, receipt.permanent) == (REASONS[code].state, REASONS[code].permanent)
    assert receipt.code == code
    assert '"message_id": "a-1"' in receipt.raw


def test_a_code_not_in_the_table_is_the_carriers_unknown() -> None:
    receipt = event("sim", RECEIPT | {"code": "777"})
    assert isinstance(receipt, Receipt)
    assert (receipt.state, receipt.permanent, receipt.code) == (ReceiptState.CARRIER_UNKNOWN, None, "777")


@pytest.mark.parametrize("wrong", [{"time": "later"}, {"time": 3}, {"event": "message"}])
def test_no_event(wrong: dict[str, object]) -> None:
    with pytest.raises(Nonsense):
        event("sim", RECEIPT | wrong)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"outcome": "accepted"},
        {"outcome": "accepted", "id": 3},
        {"outcome": "throttled"},
        {"outcome": "throttled", "retry_after": "soon"},
        {"outcome": "refused"},
        {"outcome": "refused", "code": "no such code"},
        {"outcome": "perhaps", "id": "1"},
    ],
)
def test_no_outcome(answer: dict[str, object]) -> None:
    with pytest.raises(Nonsense):
        outcome(answer)
