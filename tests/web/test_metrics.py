"""The stages for Prometheus: what they tell, to whom, and what they never hold."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert

from broadcaster.campaigns.models import Campaign
from broadcaster.delivery.models import (
    Batch,
    Doubt,
    Kind,
    Lease,
    Message,
    Owner,
    Part,
    ReceiptInbox,
    ReceiptLot,
    ReceiptLotWaiting,
    ReceiptOrphan,
    ReceiptWaiting,
    Tally,
    Turn,
)
from broadcaster.delivery.states import State
from broadcaster.reports import stages
from broadcaster.runtime import Runtime
from broadcaster.settings import Web
from tests.factories import NOW, generated_msisdn

NUMBER = generated_msisdn(55_443_322)


def told(site: httpx2.Client) -> dict[str, float]:
    answer = site.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        sample.name.removeprefix("broadsheet_") + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@contextlib.contextmanager
def filled(house: Runtime) -> Iterator[None]:
    """Something at every stage of the gateway `carrier`; at the end of the block whoever sends there dies."""
    with house.begin() as tx:
        session = tx.session
        campaign = Campaign(
            kind="notice",
            title="金丝雀",
            rule="everyone",
            state="sending",
            created_by="x",
            created_at=NOW,
            started_at=NOW,
        )
        owner = Owner(host="h", pid=1, started_at=NOW)
        session.add_all([campaign, owner])
        session.flush()
        message = Message(campaign_id=campaign.id, msisdn=NUMBER, gateway="carrier", state=State.UNKNOWN)
        session.add(message)
        session.flush()
        part = Part(
            message_id=message.id,
            attempt=1,
            number=1,
            state=State.UNKNOWN,
            gateway="carrier",
            encoding="ucs2",
            text="金丝雀",
        )
        session.add(part)
        session.flush()
        work = {"campaign_id": campaign.id, "gateway": "carrier", "lane": 2}
        session.add_all(
            [
                Batch(**work, low=1, high=10, cursor=4),
                Batch(**work, low=11, high=15, cursor=11, not_before=NOW + timedelta(minutes=1)),
                Turn(owner_id=owner.id, gateway="carrier", campaign_id=campaign.id, low=1, high=3, parts=3),
                Doubt(part_id=part.id, gateway="carrier", msisdn=NUMBER, since=NOW - timedelta(minutes=2)),
                Lease(gateway="carrier", place=1, owner_id=owner.id, since=NOW, bound_at=NOW),
            ]
        )
        for n, minutes in enumerate([3, 20, 1, 1], 1):
            session.execute(
                insert(ReceiptInbox).values(
                    id=n,
                    gateway="carrier",
                    provider_id=f"id-{n}",
                    state="delivered",
                    raw=NUMBER,
                    msisdn=NUMBER,
                    received_at=NOW - timedelta(minutes=minutes),
                )
            )
        session.add_all(
            Tally(campaign_id=campaign.id, kind=Kind.PART, gateway="carrier", state=state, reason="", n=n)
            for state, n in ((State.SUBMITTED, 70), (State.SUBMITTED, -30), (State.DELIVERED, 30), (State.UNKNOWN, 1))
        )
        session.add(Tally(campaign_id=campaign.id, kind=Kind.MESSAGE, gateway="", state=State.SKIPPED, reason="", n=9))
        session.add(ReceiptWaiting(inbox_id=1))
        session.add_all([ReceiptOrphan(inbox_id=n, since=NOW, due=NOW) for n in (2, 3)])
        held = house.locks.take(owner.id)
        assert held is not None
    try:
        yield
    finally:
        held.release()


def test_every_stage(house: Runtime, site: httpx2.Client) -> None:
    assert told(site)["queued_messages carrier"] == 0
    with filled(house):
        seen = told(site)
        expected = {
            "queued_messages carrier": 12,
            "throttled_messages carrier": 5,
            "in_flight_parts carrier": 3,
            "left_parts carrier": 0,
            "unknown_parts carrier": 1,
            "unknown_seconds carrier": 120,
            "orphan_receipts carrier": 1,
            "links carrier": 1,
            "places carrier": 1,
            "queued_messages simulator": 0,
            "links simulator": 0,
            "parts carrier submitted": 40,
            "parts carrier delivered": 30,
            "parts carrier unknown": 1,
            "parts carrier failed": 0,
            "parts simulator delivered": 0,
            "receipts_pending": 1,
            "receipts_pending_seconds": 180,
            "letters_pending": 0,
            "senders": 1,
            "campaigns sending": 1,
            "parts_claimed_total": 1,
            "receipts_total": 4,
        }
        assert {name: seen.get(name) for name in expected} == expected
    # its sender is dead, and nobody has taken over
    dead = {
        "in_flight_parts carrier": 3,
        "left_parts carrier": 3,
        "links carrier": 0,
        "places carrier": 0,
        "senders": 0,
    }
    assert told(site).items() >= dead.items()


def test_receipts_in_lots(house: Runtime, site: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with filled(house):
        with house.begin() as tx:
            for last, minutes, receipts in ((54, 30, 50), (154, 4, 100), (174, 1, 20)):
                received = NOW - timedelta(minutes=minutes)
                tx.session.add(ReceiptLot(id=last, gateway="carrier", receipts=receipts, received_at=received, told=""))
            # the oldest is opened
            tx.session.add_all(ReceiptLotWaiting(lot_id=id_, receipts=n) for id_, n in ((154, 100), (174, 20)))
        seen = told(site)
        expected = {"receipts_pending": 121, "receipts_pending_seconds": 240, "receipts_total": 174}
        assert {name: seen.get(name) for name in expected} == expected
        # the one orphan that had the time is among the newest, counted from the last of a lot
        monkeypatch.setattr(stages, "NEWEST", 173)
        assert told(site)["orphan_receipts carrier"] == 1
        monkeypatch.setattr(stages, "NEWEST", 172)
        assert told(site)["orphan_receipts carrier"] == 0
        monkeypatch.setattr(stages, "MOST", 110)
        assert told(site)["receipts_pending"] == 110


def test_figures_and_nobodys_number(house: Runtime, site: httpx2.Client) -> None:
    with filled(house):
        text = site.get("/metrics").text
        assert NUMBER[1:] not in text
        assert "金丝雀" not in text


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "198.51.100.7"},
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=198.51.100.7"},
        {"via": "1.1 proxy"},
        {"host": "paper.example.org"},
    ],
)
def test_strangers_without_a_token(site: httpx2.Client, headers: dict[str, str]) -> None:
    assert site.get("/metrics", headers=headers).status_code == 403
    assert site.get("/metrics").status_code == 200


def test_where_the_world_gets_in_only_a_token_counts(house: Runtime, site: httpx2.Client) -> None:
    house.settings = house.settings.model_copy(update={"web": Web(public_url="https://paper.example.org")})
    answer = site.get("/metrics", headers={"accept-language": "en"})
    assert (answer.status_code, "metrics_token" in answer.text) == (403, True)
    house.settings = house.settings.model_copy(update={"web": Web(metrics_token="t" * 20)})
    assert site.get("/metrics").status_code == 403
    for wrong in ("Bearer x", "t" * 20, "Bearer", "Basic " + "t" * 20, "Bearer é"):
        assert site.get("/metrics", headers={"authorization": wrong.encode()}).status_code == 403
    behind = {"authorization": "Bearer " + "t" * 20, "host": "paper.example.org", "x-forwarded-for": "198.51.100.7"}
    assert site.get("/metrics", headers=behind).status_code == 200


def test_the_token_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from broadcaster.settings import load

    (tmp_path / "token").write_text("from a file\n")
    (tmp_path / "broadsheet.toml").write_text(f'[web]\nmetrics_token_file = "{tmp_path}/token"\n')
    settings = load(tmp_path / "broadsheet.toml")
    assert settings.web.metrics_token == "from a file"
    assert "from a file" not in repr(settings)
