"""Canaries through the process that does everything: it prints no number, text or secret, whatever goes wrong."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.error import HTTPError

import pytest

from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import rehearsing
from tests.commands.conftest import CONFIG, Desk
from tests.gateways.twilio.server import ACCOUNT, SENDER, TOKEN, TwilioServer, call_back, refusal
from tests.journeys.sending import wait_until

NUMBERS = [f"+861990000{n:04}" for n in range(20)]
PEOPLE = "姓名,手机,支部,状态,订阅\n" + "".join(f"读者{n},{msisdn},东川,在职,是\n" for n, msisdn in enumerate(NUMBERS))
PRIVATE = "私下的一句话"
PASSWORD = "s3cret99"
PUBLIC = "https://paper.example.org"
UNRULY = Behaviour(
    system_id="paper",
    password=PASSWORD,
    receipt_delay=0.1,
    refuse=0.1,
    undelivered=0.1,
    throttle=0.1,
    duplicate=0.2,
    early=0.2,
    unknown_id=0.2,
    drop_after=15,
)


def test_two_unruly_carriers(desk: Desk, tmp_path: Path) -> None:
    with (
        TwilioServer() as server,
        rehearsing(tmp_path / "smsc.jsonl", UNRULY) as carrier,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        port = free.getsockname()[1]
        free.close()
        desk.write("broadsheet.toml", CONFIG + _gateways(carrier.port, server.url))
        desk.write("people.csv", PEOPLE)
        assert desk.type("members", "import", "people.csv").code == 0
        server.public = (PUBLIC, f"http://127.0.0.1:{port}")
        server.answers = {
            NUMBERS[1]: refusal(400, 21211),
            NUMBERS[2]: refusal(400, 21610),
            NUMBERS[3]: refusal(429, 20429),
            NUMBERS[4]: (500, PRIVATE.encode(), {}),
        }
        server.lost = {NUMBERS[5]}
        for name in ("smsc", "twilio"):
            words = ("--text", PRIVATE * 5, "--to", "everyone", "--gateway", name, "--json")
            campaign = desk.type("campaigns", "create", *words).document["id"]
            assert desk.type("campaigns", "send", campaign, "--confirm", len(NUMBERS)).code == 0
        with desk.start("up", "--port", str(port), "--json") as process:
            try:
                assert wait_until(lambda: len(carrier.accepted()) > 16 and len(server.accepted()) > 12, 60)
                carrier.say(NUMBERS[7][1:], f"R {PRIVATE}", system_id="paper", destination="10690000")
                assert _call(PUBLIC, port) == 200
                with pytest.raises(HTTPError, match="403"):
                    _call("https://elsewhere.example.org", port)
            finally:
                process.terminate()
            written = "".join(process.communicate(timeout=60))
    assert {"bound", "parts in doubt", "forged request refused"} <= {word for word in written.split('"') if word}
    for private in ("9900000", PRIVATE, PASSWORD, TOKEN):
        assert private not in written, written


def _gateways(port: int, url: str) -> str:
    return f"""
[web]
public_url = "{PUBLIC}"
[gateways.smsc]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "paper"
password = "{PASSWORD}"
sender = "10690000"
[gateways.twilio]
kind = "twilio"
account_sid = "{ACCOUNT}"
auth_token = "{TOKEN}"
sender = "{SENDER}"
api_url = "{url}"
"""


def _call(public: str, port: int) -> int:
    sid = "SM" + "e" * 32
    ids = dict.fromkeys(("MessageSid", "SmsMessageSid", "SmsSid"), sid)
    form = {**ids, "AccountSid": ACCOUNT, "Body": PRIVATE, "From": NUMBERS[8], "To": SENDER}
    return call_back(f"{public}/hooks/twilio", form, at=f"http://127.0.0.1:{port}/hooks/twilio")
