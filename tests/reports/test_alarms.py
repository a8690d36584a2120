"""What needs a person is a sentence with what to do; what does not is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from broadcaster.delivery.leases import Holder
from broadcaster.language import kept
from broadcaster.reports.alarms import alarms
from broadcaster.reports.stages import GatewayStage, Stages
from subscribers.errors import Unavailable
from tests.factories import NOW

PLACE = Holder("carrier", 1, 1, "host", 7, NOW - timedelta(hours=1), NOW, None, None)
WELL = Stages(
    gateways=[GatewayStage("carrier", queued=500, in_flight=50, places=[PLACE])],
    pending=10,
    pending_since=NOW - timedelta(seconds=5),
    letters=0,
    campaigns={"sending": 1, "closed": 4},
    doubtful=[],
    doubtful_answers=0,
    senders=1,
    parts=1,
    receipts=1,
)


def sentences(stages: Stages) -> list[str]:
    raised = list(alarms(stages, now=NOW))
    assert all(alarm.hint for alarm in raised)
    return [str(alarm) for alarm in raised]


def with_gateway(**more: object) -> Stages:
    return replace(WELL, gateways=[replace(WELL.gateways[0], **more)])


def test_nothing_to_say() -> None:
    assert sentences(WELL) == []


def test_a_connection_that_was_lost_this_moment() -> None:
    fresh = replace(PLACE, since=NOW - timedelta(seconds=10), bound_at=None, error="refused", error_at=NOW)
    assert sentences(with_gateway(places=[fresh])) == []


def test_why_a_connection_is_down_is_a_sentence_too() -> None:
    error = kept(Unavailable("Gateway {name}: nobody sends for it.", hint="Look.", name="carrier"), 300)
    down = with_gateway(places=[replace(PLACE, bound_at=None, error=error, error_at=NOW)])
    assert sentences(down) == ["Gateway carrier has 1 of 1 connections down: Gateway carrier: nobody sends for it."]


@pytest.mark.parametrize(
    ("stages", "sentence"),
    [
        (with_gateway(places=[]), "About 500 messages wait for gateway carrier, and nobody sends for it."),
        (
            with_gateway(places=[replace(PLACE, bound_at=None, error="refused", error_at=NOW)]),
            "Gateway carrier has 1 of 1 connections down: refused",
        ),
        (with_gateway(orphans=11), "11 of the newest receipts of gateway carrier fit no part."),
        (replace(WELL, doubtful=[3, 9]), "Campaigns with parts in doubt: #3, #9."),
        (replace(WELL, doubtful_answers=2), "Answers in doubt, to single members: 2."),
        (replace(WELL, pending_since=NOW - timedelta(minutes=2)), "Receipts wait to be applied for 120 seconds."),
        (replace(WELL, campaigns={"failed": 2}), "Campaigns that were stopped by a fault: 2."),
    ],
)
def test_each(stages: Stages, sentence: str) -> None:
    assert sentences(stages)[0].startswith(sentence)
    assert len(sentences(stages)) == 1
