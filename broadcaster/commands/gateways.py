"""`broadsheet gateways`: the ways out."""

from __future__ import annotations

import contextlib
import threading
from typing import Annotated

import typer

from broadcaster.binds import holding
from broadcaster.commands.gateway_shown import gateway_document, shown_gateway
from broadcaster.commands.house import PRESS, opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer, aside
from broadcaster.commands.serving import asked_to_end, is_whole, open_gateways, tell_waiting
from broadcaster.delivery import leases
from broadcaster.delivery.control import submit_queue
from broadcaster.delivery.standing import receipts_of
from broadcaster.gateways import registry
from broadcaster.language import tr
from broadcaster.runtime import Runtime
from broadcaster.tasks import hearing, make_app, running
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
    with opened() as house, house.reading() as tx:
        held = leases.holders(tx.session)
        found = [
            (gateway, [each for each in held if each.gateway == name], receipts_of(tx.session, name))
            for name, gateway in house.gateways.items()
        ]
        zone = house.settings.zone
    kinds = [{"kind": kind.kind, "status": kind.status, "reason": kind.reason} for kind in registry.installed()]
    names = ", ".join(f"{kind['kind']} ({kind['reason']})" if kind["reason"] else str(kind["kind"]) for kind in kinds)
    answer(
        {"gateways": [gateway_document(*each) for each in found], "kinds": kinds},
        *(line for each in found for line in shown_gateway(*each, zone)),
        tr("Kinds: {kinds}", kinds=names),
    )


@verb(
    app,
    about=tr("Hold the connection of one gateway and send for it, until asked to end."),
    example="broadsheet gateways run carrier",
    needs=Free.MACHINE,
)
def run(name: Annotated[str, typer.Argument(metavar="NAME", help=tr("As in the configuration."))]) -> None:
    with opened("INFO") as house, asked_to_end() as ending:
        if name not in house.gateways:
            raise NotFound(
                "There is no gateway {name}.",
                hint="The configuration has: {known}.",
                name=name,
                known=", ".join(house.gateways),
            )
        answer({"gateway": name}, tr("Sending for {name}. Ctrl-C ends it.", name=name))
        if house.settings.embedded:
            _run_embedded(house, name, ending)
        else:
            _run_beside_workers(house, name, ending)


def _run_beside_workers(house: Runtime, name: str, ending: threading.Event) -> None:
    """Hold a connection, and be woken by hints as soon as it is there; nothing depends on them."""
    placed = threading.Event()
    tell = tell_waiting(house)

    def on_place(gateway: str, place: int) -> None:
        tell(gateway, place)
        if place:
            placed.set()

    with holding(house, [name], on_place):
        while not placed.wait(0.2):
            if ending.is_set():
                return
        with hearing(make_app(house), house, submit_queue(name), name=name):
            ending.wait()


def _run_embedded(house: Runtime, name: str, ending: threading.Event) -> None:
    """Serve from here; wait while a process serves the whole installation.

    Of several that hold connections, one does everything else as well.
    """
    told = False
    while (chief := house.locks.take(PRESS)) is None and is_whole(house):
        if not told:
            aside(tr("`broadsheet up` holds the connections of this installation: waiting."))
            told = True
        if ending.wait(1):
            return
    with contextlib.ExitStack() as stack:
        stack.enter_context(holding(house, [name], tell_waiting(house)))
        while chief is None and not ending.wait(1):
            chief = house.locks.take(PRESS)
        if chief is not None:
            stack.callback(chief.release)
            open_gateways(house)
            stack.enter_context(running(make_app(house), house))
        ending.wait()
