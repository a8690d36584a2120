"""A gateway and a centre that misbehaves when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from broadcaster.gateways.contract import GatewayContext
from broadcaster.gateways.smpp import SmppConfig, SmppGateway
from tests.gateways.smpp.smsc import PASSWORD, Smsc

Make = Callable[..., SmppGateway]


@pytest.fixture
def smsc() -> Iterator[Smsc]:
    with Smsc() as smsc:
        yield smsc


@pytest.fixture
def make(smsc: Smsc, tmp_path: Path) -> Iterator[Make]:
    """Gateways to that centre, not yet open; two seconds of silence are death."""
    made: list[SmppGateway] = []

    def make(name: str = "carrier", **settings: Any) -> SmppGateway:
        table = {
            "kind": "smpp",
            "host": "127.0.0.1",
            "port": smsc.port,
            "system_id": "paper",
            "password": PASSWORD,
            "sender": "1069000012",
            "window": 20,
            "connect_timeout": 1,
            "answer_timeout": 5,
            "enquire_link_interval": 1,
            **settings,
        }
        made.append(
            SmppGateway(name, SmppConfig.model_validate(table), GatewayContext(tmp_path, ZoneInfo("Asia/Shanghai")))
        )
        return made[-1]

    yield make
    for gateway in made:
        gateway.close()


@pytest.fixture
def opened(make: Make) -> Make:
    """The same, open."""

    def opened(**settings: Any) -> SmppGateway:
        gateway = make(**settings)
        gateway.open()
        return gateway

    return opened
