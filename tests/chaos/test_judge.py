"""The judge sees each thing that can be wrong, and nothing where nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.judge import LedgerMessage, LedgerPart, judge

MSISDN = "+8619900000001"
SENT = {"destination": MSISDN[1:], "number": 1, "text": "text"}


def ledger(state: str, *, parts: int = 1) -> tuple[list[LedgerPart], list[LedgerMessage]]:
    pieces = [LedgerPart(MSISDN, number, "text", state, number) for number in range(1, parts + 1)]
    delivered = parts if state == "delivered" else 0
    return pieces, [LedgerMessage(MSISDN, state, parts, delivered, 1)]


def sent(*numbers: int) -> list[dict[str, Any]]:
    return [{**SENT, "number": number} for number in numbers]


@pytest.mark.parametrize(
    ("state", "accepted", "cell"),
    [
        ("delivered", [1], "accepted_once"),
        ("failed", [1], "accepted_once"),
        ("no_receipt", [1], "accepted_once"),
        ("rejected", [], "never_sent"),
        ("cancelled", [], "never_sent"),
        ("unknown", [], "unknown"),
        ("unknown", [1], "unknown"),
    ],
)
def test_each_part_is_in_one_cell(state: str, accepted: list[int], cell: str) -> None:
    verdict = judge(*ledger(state), sent(*accepted), [MSISDN])
    assert verdict.faults == []
    assert verdict.cells == {cell: 1}


@pytest.mark.parametrize(
    ("state", "accepted", "told"),
    [
        ("delivered", [1, 1], "accepted 2 times"),
        ("unknown", [1, 1], "accepted 2 times"),
        ("delivered", [], "was never accepted"),
        ("no_receipt", [], "was never accepted"),
        ("queued", [], "is still queued"),
        ("submitted", [1], "is still submitted"),
        ("cancelled", [1], "was accepted, and is cancelled"),
        ("delivered", [1, 2], "in no ledger: part 2"),
    ],
)
def test_what_is_wrong(state: str, accepted: list[int], told: str) -> None:
    assert told in "; ".join(judge(*ledger(state), sent(*accepted), [MSISDN]).faults)


def test_what_the_carrier_told() -> None:
    assert judge(*ledger("rejected"), sent(1), [MSISDN], {MSISDN: "rejected"}).faults == []
    assert "the carrier said failed" in judge(*ledger("delivered"), sent(1), [MSISDN], {MSISDN: "failed"}).faults[0]
    assert "in doubt after all" in judge(*ledger("unknown"), sent(1), [MSISDN], {MSISDN: "delivered"}).faults[0]


def test_somebody_without_a_message_and_somebody_with_two() -> None:
    parts, messages = ledger("delivered")
    assert judge(parts, messages, sent(1), [MSISDN, "+8619900000002"]).lost == ["+8619900000002 has 0 messages"]
    assert f"{MSISDN} has 2 messages" in judge(parts, messages * 2, sent(1), [MSISDN]).lost


def test_half_a_message_is_no_message() -> None:
    parts, messages = ledger("delivered", parts=2)
    assert "with 1 of 2" in judge(parts[:1], messages, sent(1), [MSISDN]).wrong[0]
