"""A campaign by Twilio, from the draft to the last receipt: requests, callbacks through the hook, and questions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from broadcaster.app import make_web, serve
from broadcaster.commands.serving import pressing
from broadcaster.delivery.models import Doubt, Message
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import Settings, load
from broadcaster.tasks.rounds import look_up
from subscribers import consent
from subscribers.clock import utc_now
from subscribers.models import Wish
from tests.gateways.twilio.server import ACCOUNT, SENDER, TOKEN, TwilioServer, call_back, refusal
from tests.journeys.sending import wait_until
from tests.journeys.stage import draft, people, runtime_on, start, state_of

PUBLIC = "https://paper.example.org"
#: 500 characters, rare Han and joined emoji among them
TEXT = ("𠮷野家的龘老师，👩‍👩‍👧‍👦一家请于周五下午三点到社区活动室开会。" * 20)[:497] + "（完）"

DELIVERED: list[tuple[str, int | None]] = [("sending", None), ("sent", None), ("delivered", None)]
#: what becomes of each message in turn, and the state it ends in
ENDS: list[tuple[list[tuple[str, int | None]], str]] = [
    (DELIVERED, "delivered"),
    ([("delivered", None), ("sent", None)], "delivered"),
    ([("sent", None), ("undelivered", 30005)], "failed"),
    ([("sent", None), ("undelivered", 30007)], "rejected"),
    ([("failed", 30036)], "expired"),
    ([("failed", 21610)], "rejected"),
]


def settings_for(data: Path, url: str, server: TwilioServer, **gateway: Any) -> Settings:
    table = {
        "kind": "twilio",
        "account_sid": ACCOUNT,
        "auth_token": TOKEN,
        "sender": SENDER,
        "api_url": server.url,
        "window": 8,
        "answer_timeout": 5,
        **gateway,
    }
    paper = {"name": "晨晖手机报", "signature": "【晨晖手机报】"}
    web = {"public_url": PUBLIC}
    return load(None, data=data, store={"url": url}, paper=paper, web=web, gateways={"carrier": table})


def ends(runtime: Runtime, campaign: int) -> dict[str, str]:
    with runtime.reading() as tx:
        rows = tx.session.execute(select(Message.msisdn, Message.state).where(Message.campaign_id == campaign))
        return {str(row.msisdn): row.state.word for row in rows}


def test_every_message_comes_to_its_right_end(tmp_path: Path, database_url: str) -> None:
    with TwilioServer() as server:
        settings = settings_for(tmp_path, database_url, server)
        with runtime_on(settings) as runtime:
            audience = sorted(people(runtime, 60))
            expected: dict[str, str] = {}
            for turn, msisdn in enumerate(audience):
                server.fates[msisdn], expected[msisdn] = ENDS[turn % len(ENDS)]
            refused, opted_out, no_answer, silent, silent_without_answer = audience[:5]
            server.answers = {refused: refusal(400, 21211), opted_out: refusal(400, 21610)}
            server.lost = {no_answer, silent_without_answer}
            server.silent = {silent, silent_without_answer}
            expected |= {refused: "rejected", opted_out: "rejected"}
            for msisdn in (no_answer, silent, silent_without_answer):
                server.fates[msisdn], expected[msisdn] = DELIVERED, "delivered"
            with serve(make_web(runtime), "127.0.0.1", 0) as address, pressing(runtime):
                server.public = (PUBLIC, address.rstrip("/"))
                campaign = draft(runtime, TEXT)
                start(runtime, campaign)
                waiting = {silent: "submitted", silent_without_answer: "unknown"}
                assert wait_until(lambda: ends(runtime, campaign) == expected | waiting, 60)
                later = make_runtime(settings, clock=lambda: utc_now() + timedelta(minutes=31))
                look_up(later, {})
                later.close()
                assert wait_until(lambda: state_of(runtime, campaign) == "closed", 30)
                assert ends(runtime, campaign) == expected
            with runtime.reading() as tx:
                doubts = tx.session.scalars(select(Doubt.settled_by)).all()
                wishes = consent.wishes(tx.session, audience)
                out = {msisdn for msisdn in audience if wishes[msisdn].wish == Wish.OUT}
    # a call back may come before its doubt is written down
    assert doubts in (["receipt"], ["receipt"] * 2)
    assert out == {opted_out, *(msisdn for msisdn in audience if ("failed", 21610) in server.fates[msisdn])} - {refused}
    sent = server.accepted()
    assert len({part.msisdn for part in sent}) == len(sent) == 58, "somebody got it twice"
    assert all(TEXT in part.text for part in sent)


def test_a_stop_during_a_campaign(tmp_path: Path, database_url: str) -> None:
    """Told to the hook by Twilio, which has answered it: nothing more goes to this member, not even an answer."""
    with TwilioServer() as server:
        settings = settings_for(tmp_path, database_url, server)
        with runtime_on(settings) as runtime:
            leaver, *stayers = sorted(people(runtime, 5))
            with serve(make_web(runtime), "127.0.0.1", 0) as address, pressing(runtime):
                sid = "SM" + "e" * 32
                form = {
                    "AccountSid": ACCOUNT,
                    "Body": "STOP",
                    "From": leaver,
                    "MessageSid": sid,
                    "OptOutType": "STOP",
                    "SmsMessageSid": sid,
                    "SmsSid": sid,
                    "To": SENDER,
                }
                assert call_back(f"{PUBLIC}/hooks/carrier", form, at=f"{address}hooks/carrier") == 200

                def is_out() -> bool:
                    with runtime.reading() as tx:
                        return consent.wishes(tx.session, [leaver])[leaver].wish == Wish.OUT

                assert wait_until(is_out, 20)
                campaign = draft(runtime)
                start(runtime, campaign)
                assert wait_until(lambda: state_of(runtime, campaign) == "sent", 30)
    assert {part.msisdn for part in server.accepted()} == set(stayers)
