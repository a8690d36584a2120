"""What we send, what we know and what our own server says, against Twilio's published description.

The description is not ours to copy: TWILIO_OPENAPI names the file, else it lies beside the checkout. Without it these
tests are skipped.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from broadcaster.gateways.contract import Question
from broadcaster.gateways.testkit import make_part
from broadcaster.gateways.twilio import TwilioGateway
from broadcaster.gateways.twilio.codes import STATES
from broadcaster.gateways.twilio.outcomes import MESSAGE_SID
from tests.gateways.twilio.server import SENDER, TwilioServer
from tests.gateways.twilio.test_gateway import form_of

DESCRIPTION = Path(os.environ.get("TWILIO_OPENAPI") or Path(__file__).parents[4] / "shared/peers/twilio_api_v2010.json")
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
TYPES = {"string": str, "integer": int, "object": dict}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    if not DESCRIPTION.is_file():
        pytest.skip("Twilio's description is not here: TWILIO_OPENAPI names the file")
    told: dict[str, Any] = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return told


def resolved(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        found: dict[str, Any] = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return found
    return schema


def test_the_statuses_are_all_known(described: dict[str, Any]) -> None:
    outbound = set(described["components"]["schemas"]["message_enum_status"]["enum"]) - {"receiving", "received"}
    assert outbound == set(STATES)


def test_every_field_that_is_sent_is_described(
    described: dict[str, Any], server: TwilioServer, make_gateway: Callable[..., TwilioGateway]
) -> None:
    gateway = make_gateway(messaging_service="MG" + "1" * 32, validity_period=36_000)
    gateway.submit([replace(make_part(1), sender=SENDER)])
    gateway.look_up([Question("p1", "+8619900000001", "x", datetime.now(UTC), None)])
    body = described["paths"][MESSAGES]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
    fields = body["schema"]["properties"]
    for name, value in form_of(server.requests[0]).items():
        schema = resolved(described, fields[name])
        assert re.search(schema.get("pattern", ""), value), name
        assert name != "ValidityPeriod" or schema["type"] == "integer"
    asked = parse_qs(urlsplit(server.requests[1].split(" ")[1]).query)
    assert set(asked) <= {parameter["name"] for parameter in described["paths"][MESSAGES]["get"]["parameters"]}
    assert {"To", "DateSent>"} <= set(asked)


def test_our_server_answers_as_described(described: dict[str, Any], server: TwilioServer) -> None:
    document = server.take({"To": "+8619900000001", "Body": "x"}).document()
    properties = described["components"]["schemas"]["api.v2010.account.message"]["properties"]
    assert set(document) == set(properties)
    for name, value in document.items():
        schema = resolved(described, properties[name])
        assert value is None or isinstance(value, TYPES[schema["type"]]), name
        assert value is None or "pattern" not in schema or re.fullmatch(schema["pattern"], value), name
    assert MESSAGE_SID.pattern.replace("(?:", "(") == properties["sid"]["pattern"].strip("^$")
