"""A server, and gateways to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadcaster.gateways.contract import GatewayContext
from broadcaster.gateways.registry import make
from broadcaster.gateways.twilio import TwilioGateway
from tests.gateways.twilio.server import ACCOUNT, SENDER, TOKEN, TwilioServer

PUBLIC = "https://paper.example"


@pytest.fixture
def server() -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        yield server


@pytest.fixture
def make_gateway(server: TwilioServer, tmp_path: Path) -> Iterator[Callable[..., TwilioGateway]]:
    """Open gateways named `twilio`, to the server unless told otherwise."""
    made: list[TwilioGateway] = []

    def build(public_url: str = PUBLIC, **settings: object) -> TwilioGateway:
        table: dict[str, object] = {
            "kind": "twilio",
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "sender": SENDER,
            "api_url": server.url,
            "window": 8,
            "connect_timeout": 2,
            "answer_timeout": 2,
            **settings,
        }
        gateway = make("twilio", table, GatewayContext(tmp_path, ZoneInfo("Asia/Shanghai"), public_url))
        assert isinstance(gateway, TwilioGateway)
        gateway.open()
        made.append(gateway)
        return gateway

    yield build
    for gateway in made:
        gateway.close()
