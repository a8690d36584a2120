"""`python -m tests.gateways.page` writes docs/gateways.md from the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from broadcaster.gateways import registry
from broadcaster.gateways.contract import Gateway, GatewayContext, ListeningGateway, SessionGateway
from tests.rules import ROOT

PAGE = ROOT / "docs" / "gateways.md"

#: the keys that a kind cannot do without
EXAMPLES: dict[str, dict[str, Any]] = {
    "simulator": {},
    "smpp": {"host": "smsc.example", "system_id": "paper"},
    "twilio": {"account_sid": "AC" + "0" * 32, "auth_token": "0" * 32, "sender": "+15005550006"},
}

HEAD = """\
# Gateways

*This page is written by `python -m tests.gateways.page` from the code; a test compares the two.*

What each kind can do with its default settings; some of it changes with the configuration
([configuration.md](configuration.md)). `broadsheet gateways list` shows what yours can do as they are configured.
A gateway with places holds connections: each place is one process, `broadsheet gateways run NAME` or
`broadsheet up`. What an operator demands of texts from a day on, and what a part costs then, is set with
`broadsheet gateways profile NAME` ([configuration.md](configuration.md#what-an-operator-demands-and-when)).
In a checkout, type `python3 run.py` for `broadsheet`.
How to add a kind: [adding_a_gateway.md](adding_a_gateway.md).
"""


def write_page(file: Path = PAGE) -> None:
    """Write it."""
    file.write_text("\n".join([HEAD, *_table(), ""]), encoding="utf-8")


def example(kind: str) -> Gateway:
    """A gateway of this kind with nothing but the keys that it needs."""
    context = GatewayContext(data_dir=Path("data"), time_zone=ZoneInfo("Asia/Shanghai"))
    return registry.make(kind, {"kind": kind, **EXAMPLES[kind]}, context)


def _table() -> Iterator[str]:
    gateways = [example(each.kind) for each in registry.installed()]
    yield _row(["", *(f"`{gateway.kind}`" for gateway in gateways)])
    yield _row(["---"] * (1 + len(gateways)))
    for heading, cells in _rows(gateways):
        yield _row([heading, *cells])


def _rows(gateways: Sequence[Gateway]) -> Iterator[tuple[str, list[str]]]:
    can = [gateway.capabilities for gateway in gateways]
    yield "connection", [_connection(gateway) for gateway in gateways]
    yield "alphabet", [each.alphabet.name for each in can]
    yield "reference of joined parts, bits", [str(each.reference_bits) for each in can]
    yield "cuts long texts itself", [_yes(each.whole_messages) for each in can]
    yield "parts of a text at most", [str(each.max_parts) for each in can]
    yield "without an answer at once", [str(each.window) for each in can]
    yield "receipts", [_yes(each.receipts) for each in can]
    yield "receipts carry our own reference", [_yes(each.echoes_reference) for each in can]
    yield "can be asked what became of a part", [_yes(each.looks_up) for each in can]
    yield "messages from members", [_yes(each.inbound) for each in can]
    yield "a part submitted twice goes out once", [_yes(each.idempotent) for each in can]
    yield "bills", [each.bill for each in can]
    yield "characters refused", [each.forbidden for each in can]
    yield "codes explained", [str(len(gateway.reasons)) for gateway in gateways]


def _connection(gateway: Gateway) -> str:
    if isinstance(gateway, SessionGateway):
        return "held; parts stream"
    return "held" if isinstance(gateway, ListeningGateway) else "requests; events to a hook"


def _yes(it: bool) -> str:
    return "yes" if it else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    write_page()
