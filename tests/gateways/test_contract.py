from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from broadcaster.gateways.contract import Accepted, Capabilities, Gateway, GatewayConfig, GatewayContext, Outcome
from broadcaster.gateways.errors import Unsupported
from broadcaster.gateways.events import InboundMessage, InboundRequest, Receipt, ReceiptState
from broadcaster.gateways.testkit import make_part


class Pigeon(Gateway):
    kind = "pigeon"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    def open(self) -> None:
        """It sits ready."""

    def close(self) -> None:
        """It sleeps."""

    def submit(self, parts) -> list[Outcome]:
        return [Accepted("coo")] * len(parts)


def test_numbers_and_texts_stay_out_of_repr() -> None:
    part = make_part(77, "a private text")
    receipt = Receipt("sim", "1", ReceiptState.DELIVERED, "000", msisdn=part.msisdn, raw=part.msisdn)
    message = InboundMessage("sim", "2", part.msisdn, "10690000", part.text, raw=part.text)
    request = InboundRequest("POST", "https://paper.example/hooks/sim", {"x-token": part.text}, part.text.encode())
    told = f"{part!r} {receipt!r} {message!r} {request!r}"
    assert "private" not in told
    assert part.msisdn.lstrip("+") not in told
    assert "p77" in told


def test_a_gateway_without_hooks_says_so() -> None:
    gateway = Pigeon("loft", GatewayConfig(kind="pigeon"), GatewayContext(Path(), ZoneInfo("UTC")))
    request = InboundRequest("POST", "https://paper.example/hooks/loft", {}, b"")
    for ask in (lambda: gateway.verify(request), lambda: gateway.parse(request), lambda: gateway.answer([])):
        with pytest.raises(Unsupported, match="Gateway loft takes no HTTP requests"):
            ask()


def test_the_common_keys() -> None:
    config = GatewayConfig.model_validate({"kind": "pigeon", "price": "0.045", "parts_per_second": "100"})
    assert (config.price, config.parts_per_second) == (Decimal("0.045"), 100)
    assert (config.currency, config.bill, config.window, config.binds, config.sender) == ("CNY", "parts", 50, 1, "")


@pytest.mark.parametrize(
    "wrong",
    [{"price": "-1"}, {"currency": "yuan"}, {"bill": "words"}, {"window": 0}, {"binds": 0}, {"parts_per_second": -1}],
)
def test_common_keys_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        GatewayConfig.model_validate({"kind": "pigeon", **wrong})
