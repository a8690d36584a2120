"""`broadsheet gateways`: the ways out."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from broadcaster.binds import listening
from broadcaster.commands.house import opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer, aside, table
from broadcaster.commands.serving import asked_to_end, pressing, take
from broadcaster.delivery.control import submit_queue
from broadcaster.gateways import registry
from broadcaster.gateways.contract import Gateway
from broadcaster.language import tr
from broadcaster.runtime import Runtime
from broadcaster.tasks import make_app, work
from subscribers.errors import NotFound

app = noun()


@verb(
    app,
    name="list",
    about=tr("The gateways of the configuration, and the kinds there are."),
    example="broadsheet gateways list",
    needs=Free.MACHINE,
)
def list_() -> None:
    with opened() as house:
        found = [_document(name, gateway) for name, gateway in house.gateways.items()]
    kinds = [{"kind": kind.kind, "status": kind.status, "reason": kind.reason} for kind in registry.installed()]
    headings = (tr("gateway"), tr("kind"), tr("sender"), tr("price"), tr("parts a second"))
    rows = [
        (g["name"], g["kind"], g["sender"], f"{g['price']} {g['currency']}", g["parts_per_second"] or "-")
        for g in found
    ]
    names = ", ".join(f"{kind['kind']} ({kind['reason']})" if kind["reason"] else str(kind["kind"]) for kind in kinds)
    answer({"gateways": found, "kinds": kinds}, table(*headings, rows=rows), tr("Kinds: {kinds}", kinds=names))


@verb(
    app,
    about=tr("Hold the connection of one gateway and send for it, until asked to end."),
    example="broadsheet gateways run carrier",
    needs=Free.MACHINE,
)
def run(name: Annotated[str, typer.Argument(metavar="NAME", help=tr("As in the configuration."))]) -> None:
    with opened("INFO") as house:
        if name not in house.gateways:
            raise NotFound(
                "There is no gateway {name}.",
                hint="The configuration has: {known}.",
                name=name,
                known=", ".join(house.gateways),
            )
        answer({"gateway": name}, tr("Sending for {name}. Ctrl-C ends it.", name=name))
        if house.settings.embedded:
            _run_embedded(house, name)
            return
        house.gateways[name].open()
        with listening(house, [name]):
            work(make_app(house), house, [submit_queue(name)], threads=1, name=name)


def _run_embedded(house: Runtime, name: str) -> None:
    """Serve from here; wait while another process does."""
    with asked_to_end() as ending:
        held = take(house)
        if held is None:
            aside(tr("`broadsheet up` holds the connections of this installation: waiting."))
        while held is None and not ending.wait(1):
            held = take(house)
        if held is None:
            return
        try:
            with pressing(house, [name]):
                ending.wait()
        finally:
            held.release()


def _document(name: str, gateway: Gateway) -> dict[str, Any]:
    config, can = gateway.config, gateway.capabilities
    return {
        "name": name,
        "kind": gateway.kind,
        "sender": config.sender,
        "price": config.price,
        "currency": config.currency,
        "bill": config.bill,
        "parts_per_second": config.parts_per_second,
        "window": can.window,
        "alphabet": can.alphabet.name,
        "receipts": can.receipts,
        "inbound": can.inbound,
        "max_parts": can.max_parts,
    }
