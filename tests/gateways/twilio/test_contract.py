"""The gateway to Twilio keeps the contract that every gateway keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from broadcaster.gateways.contract import Gateway, GatewayContext
from broadcaster.gateways.registry import make
from broadcaster.gateways.testkit import GatewayContract
from tests.gateways.twilio.server import ACCOUNT, SENDER, TOKEN, TwilioServer


class TestTwilioGateway(GatewayContract):
    @pytest.fixture
    def carrier(self) -> Iterator[TwilioServer]:
        with TwilioServer() as carrier:
            yield carrier

    def make_gateway(self, port: int, data_dir: Path) -> Gateway:
        settings = {
            "kind": "twilio",
            "account_sid": ACCOUNT,
            "auth_token": TOKEN,
            "sender": SENDER,
            "api_url": f"http://127.0.0.1:{port}",
            "window": 8,
            "connect_timeout": 2,
            "answer_timeout": 2,
        }
        return make("twilio", settings, GatewayContext(data_dir, ZoneInfo("Asia/Shanghai"), "https://paper.example"))
