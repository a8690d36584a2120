"""Twilio by its own published description: its requests pass, and the official validator signs our callbacks.

The description is data that is not ours to copy: TWILIO_OPENAPI names the file, else it lies beside the checkout.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import pytest

from broadcaster.gateways import registry
from broadcaster.gateways.contract import Accepted, Gateway, GatewayContext, Question
from broadcaster.gateways.errors import ForgedRequest
from broadcaster.gateways.events import InboundMessage, InboundRequest, Receipt
from broadcaster.gateways.testkit import make_part
from tests.peers.fetch import PRISM, TWILIO, Compared
from tests.peers.programs import PATIENCE
from tests.peers.recorder import Recorder

DESCRIPTION = Path(os.environ.get("TWILIO_OPENAPI") or Path(__file__).parents[3] / "shared/peers/twilio_api_v2010.json")
ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "invented-token"
SID = "SM" + "0123456789abcdef" * 2
PUBLIC = "https://paper.example"
TEXTS = ["The paper is out.", "【东城快报】寻㐂老师、𠮷田老师 😀 👨‍👩‍👧‍👦", "a=b&c=d +1 %20 \n 100%", "一" * 500]
Sign = Callable[[str, str, Mapping[str, str]], str]


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    if not DESCRIPTION.is_file():
        pytest.skip("Twilio's description is not here: TWILIO_OPENAPI names the file")
    found: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def prism(prism_home: Path, description: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that answers as the description says, and refuses what breaks it."""
    program = prism_home / "node_modules/@stoplight/prism-cli/dist/index.js"
    command = ["node", program, "mock", "--errors", "-h", "127.0.0.1", "-p", "0", DESCRIPTION]
    said = tmp_path_factory.mktemp("prism") / "prism.log"
    with said.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as process:
        deadline = time.monotonic() + PATIENCE
        while not (listening := re.search(r"listening on http://127\.0\.0\.1:(\d+)", said.read_text("utf-8"))):
            assert process.poll() is None and time.monotonic() < deadline, said.read_text("utf-8")[-2000:]
            time.sleep(0.05)
        yield int(listening[1])
        process.terminate()


@pytest.fixture
def recorder(prism: int) -> Iterator[Recorder]:
    with Recorder(prism) as recorder:
        yield recorder


def make_gateway(port: int, folder: Path, **settings: Any) -> Gateway:
    about = {"kind": "twilio", "account_sid": ACCOUNT, "auth_token": TOKEN, "api_url": f"http://127.0.0.1:{port}"}
    context = GatewayContext(folder, ZoneInfo("UTC"), PUBLIC)
    return registry.make("twilio", about | {"answer_timeout": PATIENCE} | settings, context)


def requests(recorder: Recorder) -> list[tuple[str, str, dict[str, str]]]:
    """Method, path with query, and form of each request that passed."""
    found = []
    for said in recorder.from_clients():
        while said:
            head, _, rest = said.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            size = int(length[1]) if length else 0
            method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
            form = parse_qsl(rest[:size].decode("ascii"), keep_blank_values=True, strict_parsing=bool(size))
            found.append((method, path, dict(form)))
            said = rest[size:]
    return found


SENDERS: dict[str, dict[str, Any]] = {
    "number": {"sender": "+8619900000099"},
    "service": {"messaging_service": "MG" + "0123456789abcdef" * 2},
    "both, an hour": {
        "sender": "+8619900000099",
        "messaging_service": "MG" + "0123456789abcdef" * 2,
        "validity_period": 3600,
    },
}


@pytest.mark.parametrize("sender", list(SENDERS))
def test_messages_pass(
    recorder: Recorder, description: dict[str, Any], tmp_path: Path, compared: Compared, sender: str
) -> None:
    gateway = make_gateway(recorder.port, tmp_path, **SENDERS[sender])
    parts = [replace(make_part(number, text), sender=SENDERS[sender].get("sender", "")) for number, text in named()]
    gateway.open()
    outcomes = gateway.submit(parts)
    gateway.close()
    assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
    known = description["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["post"]["requestBody"]
    fields = known["content"]["application/x-www-form-urlencoded"]["schema"]["properties"]
    sent = requests(recorder)
    assert [(method, path) for method, path, _ in sent] == [
        ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    ] * len(parts)
    by_number = {form["To"]: form for _, _, form in sent}
    for part in parts:
        form = by_number[part.msisdn]
        assert form["Body"] == part.text
        assert fields.keys() >= form.keys()
        assert form["StatusCallback"] == f"{PUBLIC}/hooks/twilio?part={part.client_reference}"
        assert form.get("From", "") == part.sender
        assert form.get("MessagingServiceSid", "") == SENDERS[sender].get("messaging_service", "")
    compared(PRISM, "messages that its description lets pass, every field as meant", len(parts))


def named() -> list[tuple[int, str]]:
    return list(enumerate(TEXTS, start=1))


@pytest.mark.parametrize("message_id", [SID, None], ids=["by id", "by number"])
def test_questions_pass(
    recorder: Recorder, description: dict[str, Any], tmp_path: Path, compared: Compared, message_id: str | None
) -> None:
    gateway = make_gateway(recorder.port, tmp_path, sender="+8619900000099")
    gateway.open()
    question = Question("p1", "+8619900000001", "一", datetime.now(UTC), message_id)
    receipts = gateway.look_up([question])
    gateway.close()
    [(method, path, _)] = requests(recorder)
    messages = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
    address, query = urlsplit(path).path, dict(parse_qsl(urlsplit(path).query))
    assert method == "GET"
    if message_id:
        assert address == f"{messages}/{SID}.json"
        # the description's own example of an answer
        assert [(receipt.client_reference, receipt.code) for receipt in receipts] == [("p1", "sent")]
    else:
        known = description["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]["parameters"]
        assert address == f"{messages}.json"
        assert query["To"] == "+8619900000001"
        assert query.keys() <= {parameter["name"] for parameter in known}
    compared(PRISM, "questions that its description lets pass", 1)


def test_what_breaks_the_description_is_refused(prism: int) -> None:
    form = urlencode({"To": "+8619900000001", "Body": "一", "ValidityPeriod": "soon"}).encode()
    request = Request(
        f"http://127.0.0.1:{prism}/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        data=form,
        headers={"Authorization": "Basic QTpC", "Content-Type": "application/x-www-form-urlencoded"},
    )
    with pytest.raises(OSError, match="422"):
        urlopen(request)


def receipt_form(chance: random.Random) -> dict[str, str]:
    """A status callback as Twilio's documentation has it."""
    form = {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "From": "+8619900000099",
        "MessageSid": f"SM{chance.getrandbits(128):032x}",
        "MessageStatus": chance.choice(["queued", "sent", "delivered", "undelivered", "failed"]),
        "To": f"+86199{chance.randrange(10**8):08d}",
    }
    form |= {"SmsSid": form["MessageSid"], "SmsStatus": form["MessageStatus"]}
    if form["MessageStatus"] in ("undelivered", "failed"):
        form["ErrorCode"] = chance.choice(["30003", "30005", "30006"])
    return form


def letter_form(chance: random.Random) -> dict[str, str]:
    """A message from a member."""
    sid = f"SM{chance.getrandbits(128):032x}"
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "Body": "".join(chance.choices("退订TD收到 &=+%?#é😀𠮷\n\"'", k=chance.randint(0, 80))),
        "From": f"+86199{chance.randrange(10**8):08d}",
        "FromCity": "",
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": "+8619900000099",
        "ToCountry": "CN",
    }


def called(form: Mapping[str, str], url: str, signature: str) -> InboundRequest:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8", "x-twilio-signature": signature}
    return InboundRequest("POST", url, headers, urlencode(form).encode())


@pytest.mark.parametrize("public", [PUBLIC, "https://paper.example:8443", "http://paper.example:8000"])
def test_callbacks_are_proved(validator: Sign, tmp_path: Path, compared: Compared, public: str) -> None:
    settings = {"kind": "twilio", "account_sid": ACCOUNT, "auth_token": TOKEN, "sender": "+8619900000099"}
    gateway = registry.make("twilio", settings, GatewayContext(tmp_path, ZoneInfo("UTC"), public))
    chance = random.Random(4)
    for number in range(1000):
        form = chance.choice([receipt_form, letter_form])(chance)
        url = f"{public}/hooks/twilio?part=p{number}"
        signature = validator(TOKEN, url, form)
        gateway.verify(called(form, url, signature))
        [event] = gateway.parse(called(form, url, signature))
        if isinstance(event, Receipt):
            assert (event.message_id, event.msisdn, event.client_reference) == (
                form["MessageSid"],
                form["To"],
                f"p{number}",
            )
        else:
            assert isinstance(event, InboundMessage)
            assert (event.msisdn, event.text) == (form["From"], form["Body"])
        changed = {**form, (name := chance.choice(sorted(form))): form[name] + "1"}
        for forged in (
            called(changed, url, signature),
            called(form, url + "1", signature),
            called(form, url, validator(TOKEN + "1", url, form)),
            called({**form, "AccountSid": "AC" + "f" * 32}, url, validator(TOKEN, url, form)),
        ):
            with pytest.raises(ForgedRequest):
                gateway.verify(forged)
    compared(TWILIO, "callbacks signed by the official validator: proved, and read as meant", 1000)
    compared(TWILIO, "forged ones: refused", 4000)
