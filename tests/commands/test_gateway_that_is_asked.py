"""A gateway that holds no connection, as `gateways test` and `doctor` see it: Twilio, over a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commands.conftest import CONFIG, Desk, Typed
from tests.gateways.twilio.server import ACCOUNT, KEY, SENDER, TOKEN, TwilioServer, refusal

TO = "+8619900000009"


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def asking(staffed: Desk, server: TwilioServer) -> Desk:
    table = {"kind": "twilio", "account_sid": ACCOUNT, "auth_token": TOKEN, "sender": SENDER, "api_url": server.url}
    lines = [f'{key} = "{value}"' for key, value in table.items()]
    web = '[web]\npublic_url = "https://paper.example.org"'
    staffed.write("broadsheet.toml", "\n".join([CONFIG, web, "[gateways.twilio]", *lines]))
    return staffed


def tried(desk: Desk) -> Typed:
    return desk.type("gateways", "test", "twilio", "--to", TO, "--wait", 1, "--json")


def seen(desk: Desk) -> dict[str, object]:
    checks = desk.type("doctor", "--json").document["checks"]
    return next(each for each in checks if each["name"] == "gateway twilio")


def test_an_account_that_is_known(asking: Desk, server: TwilioServer) -> None:
    steps = tried(asking).document["steps"]
    assert [(step["name"], step["ok"]) for step in steps[:2]] == [("sign_on", True), ("alphabet", True)]
    assert steps[0]["words"] == "the carrier has let us in"
    assert seen(asking)["ok"]
    assert len(server.accepted()) == 1, "looking is not sending"


def test_a_wrong_token_is_told_before_anything_is_sent(asking: Desk, server: TwilioServer) -> None:
    server.token = "another"
    typed = tried(asking)
    [step] = typed.document["steps"]
    assert (typed.code, step["name"], step["ok"]) == (1, "sign_on", False)
    check = seen(asking)
    for told, hint in ((step["words"], step["hint"]), (check["found"], check["advice"])):
        assert "turns gateway twilio away, with code 20003" in str(told)
        assert "Compare account_sid, auth_token" in str(hint)
    assert not check["ok"]
    assert TOKEN not in typed.out + typed.err
    assert not any(line.startswith("POST") for line in server.requests)


def test_nobody_there(asking: Desk, server: TwilioServer) -> None:
    server.kill()
    [step] = tried(asking).document["steps"]
    assert (step["name"], step["ok"]) == ("sign_on", False)
    assert "cannot be reached" in step["words"]
    assert "cannot be reached" in str(seen(asking)["found"])


def test_calls_that_nobody_can_prove_and_connections_that_nobody_holds(staffed: Desk, server: TwilioServer) -> None:
    key = f'api_key = "{KEY}"\napi_key_secret = "{TOKEN}"'
    config = CONFIG.replace('price = "0.05"', 'price = "0.05"\nbinds = 2')
    gateway = f'kind = "twilio"\naccount_sid = "{ACCOUNT}"\nsender = "{SENDER}"\napi_url = "{server.url}"\n{key}'
    staffed.write("broadsheet.toml", f"{config}[gateways.twilio]\n{gateway}\n")
    assert "auth_token is not set" in str(seen(staffed)["advice"])
    checks = staffed.type("doctor", "--json").document["checks"]
    advice = next(each["advice"] for each in checks if each["name"] == "gateway simulator")
    assert "binds is 2; `broadsheet up` holds one connection" in advice


def test_a_sender_that_is_not_the_accounts(asking: Desk, server: TwilioServer) -> None:
    server.answers = {TO: refusal(400, 21606)}
    typed = tried(asking)
    step = typed.document["steps"][-1]
    assert (typed.code, step["name"], step["ok"]) == (1, "sent", False)
    assert "with code 21606" in step["words"]
    assert "sender and messaging_service" in step["hint"]
    assert TO[1:] not in typed.out + typed.err
