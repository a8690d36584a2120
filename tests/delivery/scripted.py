"""A gateway that does what a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from broadcaster.campaigns.models import Lane
from broadcaster.delivery.locks import Held
from broadcaster.delivery.owners import Ownership
from broadcaster.delivery.press import Press
from broadcaster.delivery.throttle import Throttle
from broadcaster.gateways.contract import (
    Accepted,
    Capabilities,
    Gateway,
    GatewayConfig,
    GatewayContext,
    OutboundPart,
    Outcome,
)
from subscribers.db import Begin

Submit = Callable[[Sequence[OutboundPart]], list[Outcome]]


def take_all(parts: Sequence[OutboundPart]) -> list[Outcome]:
    return [Accepted(f"id-{part.part_id}") for part in parts]


class ScriptedGateway(Gateway):
    kind = "scripted"

    def __init__(self, submit: Submit = take_all, *, window: int = 50) -> None:
        config = GatewayConfig(kind="scripted", sender="10690000")
        super().__init__("carrier", config, GatewayContext(Path(), ZoneInfo("Asia/Shanghai")))
        self._submit = submit
        self._window = window
        self.handed: list[OutboundPart] = []

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(window=self._window)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def submit(self, parts: Sequence[OutboundPart]) -> list[Outcome]:
        self.handed += parts
        return self._submit(parts)


class Lock(Held):
    def __init__(self) -> None:
        self.held = True

    def still_held(self) -> bool:
        return self.held

    def release(self) -> None:
        self.held = False


def press_for(
    begin: Begin,
    owner: Ownership,
    gateway: Gateway,
    *,
    throttle: Throttle | None = None,
    stopping: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = lambda _: None,
) -> Press:
    return Press(
        begin=begin,
        gateway=gateway,
        throttle=throttle or Throttle(0),
        ownership=owner,
        up_to=lambda _session, _now: Lane.BULK,
        stopping=stopping,
        sleep=sleep,
    )
