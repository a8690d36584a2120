"""A site to knock at: the real application on a real socket, and a carrier that calls its hook."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import httpx2
from starlette.types import ASGIApp, Receive, Scope, Send

from broadcaster.app import make_web, serve
from broadcaster.gateways.contract import (
    Capabilities,
    Gateway,
    GatewayConfig,
    GatewayContext,
    OutboundPart,
    Outcome,
    Unreachable,
)
from broadcaster.gateways.errors import ForgedRequest
from broadcaster.gateways.events import (
    Event,
    InboundAnswer,
    InboundMessage,
    InboundRequest,
    Reason,
    Receipt,
    ReceiptState,
)
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import Paper, Settings, Store
from tests.databases import Clock

KEY = b"a key for tests"


class CallingGateway(Gateway):
    """A carrier that posts signed JSON, or puts one receipt into the address as many do in China."""

    kind = "calling"
    reasons = MappingProxyType({"MK:0001": Reason(ReceiptState.FAILED, True, "the number does not exist")})

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(inbound=True)

    def open(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""

    def submit(self, parts: Sequence[OutboundPart]) -> list[Outcome]:
        return [Unreachable("nobody is there")] * len(parts)

    def verify(self, request: InboundRequest) -> None:
        if not hmac.compare_digest(request.headers.get("x-signature", ""), sign(request.url, request.body)):
            raise ForgedRequest("The signature is not ours.")

    def parse(self, request: InboundRequest) -> list[Event]:
        if request.method == "GET":
            query = parse_qs(urlsplit(request.url).query, strict_parsing=True)
            return [self._receipt(query["id"][0], query["stat"][0])]
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise ValueError("JSON was expected")
        told = json.loads(request.body.decode("utf-8"))
        return [self._message(each) if "text" in each else self._receipt(each["id"], each["stat"]) for each in told]

    def answer(self, events: Sequence[Event]) -> InboundAnswer:
        return InboundAnswer(202, "text/x-carrier", f"OK {len(events)}".encode())

    def _receipt(self, message_id: str, code: str) -> Receipt:
        state = ReceiptState.DELIVERED if code == "DELIVRD" else ReceiptState.FAILED
        return Receipt(self.name, message_id, state, code, done_at=datetime(2026, 11, 21, 2, 5, tzinfo=UTC), raw=code)

    def _message(self, told: dict[str, str]) -> InboundMessage:
        return InboundMessage(self.name, told["id"], told["from"], "10690000", told["text"], raw=json.dumps(told))


def sign(url: str, body: bytes) -> str:
    """What the carrier puts into `x-signature`."""
    return hmac.new(KEY, url.encode() + b"\n" + body, hashlib.sha256).hexdigest()


def make_house(url: str, folder: Path, clock: Clock, *, language: str = "zh") -> Runtime:
    """An installation on this database with two gateways: `simulator`, which listens, and `carrier`, which calls."""
    paper = Paper.model_validate({"name": "晨晖手机报", "language": language})
    house = make_runtime(Settings(data=folder, store=Store(url=url), paper=paper), clock=clock)
    context = GatewayContext(folder, house.settings.zone)
    house.gateways = {**house.gateways, "carrier": CallingGateway("carrier", GatewayConfig(kind="calling"), context)}
    return house


class OneServer:
    """The server of this process: beginning and ending one takes longer than most tests.

    It answers as the site that was put on last; what was on before is on again after it.
    """

    def __init__(self) -> None:
        self._sites: list[ASGIApp] = []
        self._running = contextlib.ExitStack()
        self._address = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._sites[-1](scope, receive, send)

    @contextlib.contextmanager
    def playing(self, site: ASGIApp) -> Iterator[str]:
        """The address of this site, for the length of the block."""
        if not self._address:
            self._address = self._running.enter_context(serve(self, "127.0.0.1", 0))
            atexit.register(self._running.close)
        self._sites.append(site)
        try:
            yield self._address
        finally:
            self._sites.pop()


_SERVER = OneServer()
hosted = _SERVER.playing


def make_client(address: str, **headers: str) -> httpx2.Client:
    """A client of a site of ours."""
    # reading everybody's certificates takes longer than most tests
    return httpx2.Client(base_url=address, timeout=30, headers=headers, verify=False)


@contextlib.contextmanager
def opened(house: Runtime) -> Iterator[httpx2.Client]:
    """A client of this house's site."""
    with hosted(make_web(house)) as address, make_client(address) as client:
        yield client


def call(client: httpx2.Client, body: bytes, **headers: str) -> httpx2.Response:
    """The carrier posts to its hook, signed."""
    signed = {"content-type": "application/json", "x-signature": sign("/hooks/carrier", body), **headers}
    return client.post("/hooks/carrier", content=body, headers=signed)
