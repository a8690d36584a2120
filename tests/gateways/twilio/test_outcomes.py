"""Every answer of the API, and what it means for the message."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.gateways.contract import Accepted, OptedOut, Outcome, OutcomeUnknown, Refused, Throttled
from broadcaster.gateways.events import ReceiptState
from broadcaster.gateways.twilio.codes import CONFIGURATION, REASONS, STATES, THROTTLED
from broadcaster.gateways.twilio.outcomes import Barred, accepted, outcome
from broadcaster.gateways.twilio.receipts import judged
from tests.rules import ROOT

SID = "SM" + "0a" * 16


def said(status: int, code: object = None, **headers: str) -> Outcome | Barred:
    told = {"message": "The number +8619900000001 is wrong", "status": status, "code": code}
    return outcome(status, json.dumps(told), {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, 21211, Refused("21211", REASONS["21211"].words)),
        (400, 21408, Refused("21408", REASONS["21408"].words)),
        (400, 21610, OptedOut("21610", REASONS["21610"].words)),
        (400, 21611, Throttled(30.0)),
        (400, 21612, Refused("21612", REASONS["21612"].words)),
        (400, 21614, Refused("21614", REASONS["21614"].words)),
        (400, 21617, Refused("21617", REASONS["21617"].words)),
        (403, 21408, Refused("21408", REASONS["21408"].words)),
        (400, 29999, Refused("29999", "The carrier refused it, with a code that is not in our table")),
        (429, 20429, Throttled(2.0)),
        (429, None, Throttled(2.0)),
        (400, 14107, Throttled(2.0)),
        (401, 20003, Barred("20003")),
        (403, None, Barred("403")),
        (404, 20404, Barred("20404")),
        (400, 21606, Barred("21606")),
        (400, 21701, Barred("21701")),
        # a code that is none, and answers that somebody in between gives
        (400, True, OutcomeUnknown("an answer with status 400")),
        (400, -5, OutcomeUnknown("an answer with status 400")),
        (407, None, OutcomeUnknown("an answer with status 407")),
        (500, 20500, OutcomeUnknown("an answer with status 500")),
        (503, 21610, OutcomeUnknown("an answer with status 503")),
        (302, None, OutcomeUnknown("an answer with status 302")),
    ],
)
def test_what_an_error_means(status: int, code: object, expected: object) -> None:
    assert said(status, code) == expected


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("7", 7.0), ("0", 0.1), ("99999", 600.0), ("", 2.0), ("-1", 2.0), ("soon", 2.0), ("Sun, 22 Nov 2026", 2.0)],
)
def test_when_to_come_again(told: str, seconds: float) -> None:
    assert said(429, 20429, Retry_After=told) == Throttled(seconds)
    assert said(429, 20429, retry_after=told) == Throttled(seconds)


@pytest.mark.parametrize("sid", [None, "", "SM1", "CA" + "0" * 32, 7, SID + "0"])
def test_an_answer_without_an_id_is_no_answer(sid: object) -> None:
    assert isinstance(accepted(sid), OutcomeUnknown)


def test_accepted() -> None:
    assert accepted(SID) == Accepted(SID)


@given(status=st.integers(100, 599), text=st.text(max_size=200) | st.just("[" * 100_000))
def test_no_answer_breaks_it_and_none_is_a_yes(status: int, text: str) -> None:
    told = outcome(status, text, {})
    assert not isinstance(told, Accepted | Refused | OptedOut)


def test_the_tables_do_not_contradict_each_other() -> None:
    assert not CONFIGURATION & THROTTLED
    assert set(STATES) <= set(REASONS)
    assert all(REASONS[status].state is state for status, state in STATES.items())
    assert [code for code, reason in REASONS.items() if reason.opted_out] == ["21610"]


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("queued", "", (ReceiptState.IN_NETWORK, "queued", None)),
        ("sent", "30003", (ReceiptState.IN_NETWORK, "sent", None)),
        ("delivered", "", (ReceiptState.DELIVERED, "delivered", None)),
        ("read", "", (ReceiptState.DELIVERED, "read", None)),
        ("undelivered", "30003", (ReceiptState.FAILED, "30003", False)),
        ("undelivered", "30005", (ReceiptState.FAILED, "30005", True)),
        ("undelivered", "30007", (ReceiptState.REJECTED, "30007", True)),
        ("undelivered", "30008", (ReceiptState.CARRIER_UNKNOWN, "30008", None)),
        ("failed", "30036", (ReceiptState.EXPIRED, "30036", False)),
        ("failed", "39999", (ReceiptState.FAILED, "39999", None)),
        ("failed", "", (ReceiptState.FAILED, "failed", None)),
        ("canceled", "", (ReceiptState.FAILED, "canceled", None)),
    ],
)
def test_what_a_status_means(status: str, code: str, expected: object) -> None:
    assert judged(status, code) == expected


def test_every_code_is_on_the_page() -> None:
    page = (ROOT / "docs/twilio.md").read_text(encoding="utf-8")
    codes = {code for code in REASONS if code.isdigit()} | CONFIGURATION | THROTTLED
    assert codes == set(re.findall(r"\b[1-6]\d{4}\b", page))
