"""A campaign over SMPP, from the draft to the last receipt, against the carrier that people rehearse with."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from broadcaster import binds
from broadcaster.campaigns import check, compose
from broadcaster.commands.serving import pressing
from broadcaster.delivery.models import Message, Part
from broadcaster.delivery.states import State as Delivery
from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.fates import State, fate
from broadcaster.rehearsal.running import Rehearsal, rehearsing
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import Settings, load
from subscribers.actor import OPERATOR
from subscribers.clock import utc_now
from tests.journeys import sending
from tests.journeys.stage import at_rest, draft, people, runtime_on, start, state_of

MANNERS = Behaviour(
    seed=4,
    system_id="paper",
    password="s3cret99",
    id_form="hex",
    receipt_id_form="padded",
    refuse=0.05,
    undelivered=0.1,
    expired=0.05,
    rejected=0.05,
    receipt_delay=0.1,
    receipt_spread=0.3,
    intermediate=0.2,
    reordered=0.1,
    duplicate=0.2,
    early=0.1,
    unknown_id=0.05,
)
WORDS = {
    State.DELIVERED: "delivered",
    State.EXPIRED: "expired",
    State.UNDELIVERABLE: "failed",
    State.REJECTED: "rejected",
}
KILLS = 8
ENDS = {Delivery.DELIVERED, Delivery.EXPIRED, Delivery.FAILED, Delivery.REJECTED}
#: 500 characters, rare Han and joined emoji among them
TEXT = ("𠮷野家的龘老师，👩‍👩‍👧‍👦一家请于周五下午三点到社区活动室开会。" * 20)[:497] + "（完）"


def settings_for(data: Path, url: str, port: int, **gateway: Any) -> Settings:
    table = {
        "kind": "smpp",
        "host": "127.0.0.1",
        "port": port,
        "system_id": "paper",
        "password": "s3cret99",
        "sender": "10690000",
        "window": 16,
        "receipt_timeout": 20,
        "receipt_ids": "hex_decimal",
        "answer_timeout": 5,
        **gateway,
    }
    paper = {"name": "晨晖手机报", "signature": "【晨晖手机报】"}
    return load(None, data=data, store={"url": url}, paper=paper, gateways={"carrier": table})


def expected(msisdn: str, manners: Behaviour = MANNERS) -> str:
    met = fate(manners, b"\1\1" + msisdn[1:].encode() + b"\0", 1)
    if met.refused:
        return "rejected"
    return WORDS[next(turn.state for turn in met.turns if not turn.strange and turn.state is not State.ENROUTE)]


def ends(runtime: Runtime, campaign_id: int) -> dict[str, str]:
    with runtime.reading() as tx:
        rows = tx.session.execute(select(Message.msisdn, Message.state).where(Message.campaign_id == campaign_id))
        return {str(row.msisdn): row.state.word for row in rows}


def whole_texts(rehearsal: Rehearsal) -> dict[str, str]:
    """What each handset shows."""
    parts: dict[str, dict[int, str]] = {}
    for line in rehearsal.accepted():
        kept = parts.setdefault(f"+{line['destination']}", {})
        assert line["number"] not in kept, "a part came twice"
        kept[line["number"]] = line["text"]
    return {msisdn: "".join(text for _, text in sorted(kept.items())) for msisdn, kept in parts.items()}


def reachable(runtime: Runtime, campaign_id: int) -> int:
    zone = runtime.settings.zone
    with runtime.begin() as tx:
        campaign = compose.get(tx.session, OPERATOR, campaign_id)
        route = runtime.route(campaign)
        return check.check(tx.session, OPERATOR, campaign, route, runtime.ways(tx), zone=zone, now=tx.now).recipients


def test_every_message_comes_to_its_right_end_and_an_opt_out_counts(tmp_path: Path, database_url: str) -> None:
    with rehearsing(tmp_path / "carrier.jsonl", MANNERS) as carrier:
        settings = settings_for(tmp_path, database_url, carrier.port)
        with runtime_on(settings) as runtime:
            audience = people(runtime, 60)
            campaign = draft(runtime, TEXT)
            start(runtime, campaign)
            sender = sending.start(settings)
            assert sending.wait_until(lambda: state_of(runtime, campaign) == "closed", 60)
            shown = whole_texts(carrier)
            leaver = sorted(audience)[0]
            carrier.say(leaver[1:], "R", system_id="paper", destination="10690000")
            second = draft(runtime)
            assert sending.wait_until(lambda: reachable(runtime, second) == 59, 20)
            assert sending.wait_until(lambda: at_rest(runtime), 20)
            sender.terminate()
            sender.join(30)
            assert sender.exitcode == 0
            with runtime.reading() as tx:
                rows = tx.session.execute(
                    select(Message.msisdn, Message.state, Message.parts).where(Message.campaign_id == campaign)
                ).all()
                in_doubt = tx.session.scalars(select(Part.id).where(Part.state == Delivery.UNKNOWN)).all()
    assert {row.msisdn: row.state.word for row in rows} == {msisdn: expected(msisdn) for msisdn in audience}
    assert {row.state.word for row in rows} == {"delivered", "failed", "expired", "rejected"}
    assert not in_doubt
    for row in rows:
        if row.state.word == "delivered":
            assert TEXT in shown[row.msisdn]


def test_killed_again_and_again_it_sends_nothing_twice_and_doubts_a_window_at_most(
    tmp_path: Path, database_url: str
) -> None:
    """Turns are many times the window: what is in doubt is told by the sender's journal, not by what it had claimed."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    manners = replace(MANNERS, refuse=0, latency=0.02, unknown_id=0)
    with rehearsing(tmp_path / "carrier.jsonl", manners) as carrier:
        settings = settings_for(tmp_path, database_url, carrier.port)
        with runtime_on(settings) as runtime:
            audience = people(runtime, 400)
            campaign = draft(runtime, TEXT[:140])
            start(runtime, campaign)
            for _ in range(KILLS):
                until = len(carrier.accepted()) + chance.randrange(1, 120)
                sender = sending.start(settings)
                assert sending.wait_until(lambda: len(carrier.accepted()) >= until, 20)  # noqa: B023
                sending.kill(sender)
            sender = sending.start(settings)
            closed = sending.wait_until(lambda: state_of(runtime, campaign) == "closed", 60)
            sender.terminate()
            sender.join(30)
            shown = whole_texts(carrier)
            with runtime.reading() as tx:
                states = Counter(tx.session.scalars(select(Part.state)))
    assert closed, f"seed {seed}: {states}"
    assert len(shown) + states[Delivery.UNKNOWN] >= len(audience)
    # as many windows as kills, and nobody else: a turn has up to 500 parts
    assert states[Delivery.UNKNOWN] <= KILLS * 16, f"seed {seed}: {states}"
    assert set(states) <= {*ENDS, Delivery.UNKNOWN}, f"seed {seed}: {states}"


@pytest.mark.parametrize(
    ("manners", "most_per_part"),
    [(Behaviour(seed=4, throttle=0.5), 3.0), (Behaviour(seed=4, limit=100.0, throttle_with="queue-full"), 3.0)],
    ids=["by chance", "a limit"],
)
def test_too_fast_slows_the_connector_and_fails_nobody(
    tmp_path: Path, database_url: str, manners: Behaviour, most_per_part: float
) -> None:
    with rehearsing(tmp_path / "carrier.jsonl", manners) as carrier:
        settings = settings_for(tmp_path, database_url, carrier.port)
        with runtime_on(settings) as runtime:
            audience = people(runtime, 300)
            campaign = draft(runtime, "{{ name }}，您好：明天上午九点开会。")
            start(runtime, campaign)
            sender = sending.start(settings)
            assert sending.wait_until(lambda: state_of(runtime, campaign) == "closed", 120)
            sender.terminate()
            sender.join(30)
            with runtime.reading() as tx:
                ends = Counter(tx.session.scalars(select(Message.state).where(Message.campaign_id == campaign)))
        counts = carrier.counts()
        taken = Counter(line["destination"] for line in carrier.accepted())
    assert ends == {Delivery.DELIVERED: 300}
    assert taken == {msisdn[1:]: 1 for msisdn in audience}
    assert counts.throttled
    assert counts.throttled + 300 <= most_per_part * 300


def test_a_carrier_whose_receipts_do_not_come_is_asked(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over the connection of whoever holds it; nobody listens on this one."""
    monkeypatch.setattr(binds, "EVERY", 0.2)
    ahead = [timedelta()]
    manners = Behaviour(system_id="paper", password="s3cret99", receipt_delay=0.1, undelivered=0.3)
    with rehearsing(tmp_path / "accepted.jsonl", manners) as carrier:
        table = {"mode": "transmitter", "query_sm": True, "receipt_timeout": 7200}
        settings = settings_for(tmp_path, database_url, carrier.port, **table)
        runtime = make_runtime(settings, clock=lambda: utc_now() + ahead[0])
        audience = people(runtime, 20)
        campaign = draft(runtime, "您好。")
        start(runtime, campaign)
        try:
            with pressing(runtime):
                assert sending.wait_until(lambda: list(ends(runtime, campaign).values()) == ["submitted"] * 20, 30)
                ahead[0] = timedelta(minutes=31)
                assert sending.wait_until(lambda: state_of(runtime, campaign) == "closed", 30)
        finally:
            runtime.close()
        with runtime_on(settings) as later:
            told = ends(later, campaign)
    assert told == {msisdn: expected(msisdn, manners) for msisdn in audience}
    assert {"delivered", "failed"} <= set(told.values())
