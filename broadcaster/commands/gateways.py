"""`broadsheet gateways`: the ways out."""

from __future__ import annotations

import contextlib
import threading
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from broadcaster.binds import TURN_SECONDS, holding
from broadcaster.campaigns import profile_changes
from broadcaster.commands.gateway_profile import profile_document, read_settings, shown_history, shown_profile
from broadcaster.commands.gateway_shown import gateway_document, shown_gateway, shown_step
from broadcaster.commands.house import opened, read_day
from broadcaster.commands.options import Free, asked, noun, verb
from broadcaster.commands.output import answer, aside, plain, show
from broadcaster.commands.serving import is_whole, open_gateways, tell_waiting
from broadcaster.delivery import leases, memory
from broadcaster.delivery.control import submit_queue
from broadcaster.delivery.locks import PRESS
from broadcaster.delivery.standing import receipts_of
from broadcaster.gateways import registry
from broadcaster.language import listed, tr
from broadcaster.runtime import Runtime
from broadcaster.tasks import hearing, make_app, running
from broadcaster.trial import try_out
from subscribers.actor import Right
from subscribers.ending import asked_to_end, wait_for
from subscribers.errors import Invalid, NotFound, Unavailable
from subscribers.interpreter import seldom_collecting, turns_of
from subscribers.models import NumberKind
from subscribers.msisdn import mask, parse

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
        held, known = leases.holders(tx.session, house.locks), memory.by_gateway(tx.session)
        found = [
            (gateway, [each for each in held if each.gateway == name], receipts_of(tx.session, name), known.get(name))
            for name, gateway in house.gateways.items()
        ]
        zone = house.settings.zone
    kinds = [{"kind": kind.kind, "status": kind.status, "reason": kind.reason} for kind in registry.installed()]
    names = listed(f"{kind['kind']} ({kind['reason']})" if kind["reason"] else str(kind["kind"]) for kind in kinds)
    answer(
        {"gateways": [gateway_document(*each) for each in found], "kinds": kinds},
        *(line for each in found for line in shown_gateway(*each, zone)),
        tr("Kinds: {kinds}", kinds=names),
    )


@verb(
    app,
    about=tr("Sign on, send one message to your own telephone, and tell each step."),
    example="broadsheet gateways test carrier --to 13800000000",
    needs=Right.OPERATE,
)
def test(
    name: Annotated[str, typer.Argument(metavar="NAME", help=tr("As in the configuration."))],
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help=tr("Who gets the message; it costs a part."))],
    wait: Annotated[float, typer.Option(min=0, max=3600, help=tr("Seconds for answer and receipt each."))] = 30,
) -> None:
    with opened("ERROR") as house:
        gateway = house.gateways[_known(house, name)]
        number = parse(to, house.settings.paper.region)
        if number.kind != NumberKind.MOBILE:
            raise Invalid("{number} is a landline: it takes no messages.", number=mask(number.msisdn))
        steps = []
        for step in try_out(house, house.actor, gateway, number.msisdn, wait=wait):
            steps.append(step)
            if not asked().json:
                show(shown_step(step))
    ok = all(step.ok for step in steps)
    answer({"gateway": name, "msisdn": mask(number.msisdn), "ok": ok, "steps": [plain(step) for step in steps]})
    if not ok:
        raise typer.Exit(1)


@verb(
    app,
    about=tr("Hold the connection of one gateway and send for it, until asked to end."),
    example="broadsheet gateways run carrier",
    needs=Free.MACHINE,
)
def run(name: Annotated[str, typer.Argument(metavar="NAME", help=tr("As in the configuration."))]) -> None:
    with opened("INFO") as house, asked_to_end() as ending, seldom_collecting(10_000), turns_of(TURN_SECONDS):
        _known(house, name)
        answer({"gateway": name}, tr("Sending for {name}. Ctrl-C ends it.", name=name))
        if house.settings.embedded:
            _run_embedded(house, name, ending)
        else:
            _run_beside_workers(house, name, ending)


@verb(
    app,
    about=tr("What the operator of a gateway demands of texts, and what a part costs: from one day on."),
    example="broadsheet gateways profile carrier\n"
    "broadsheet gateways profile carrier --set price=0.048 --from 2027-01-01\n"
    'broadsheet gateways profile carrier --set signature_place=tail --set "opt_out=退订回T"\n'
    "broadsheet gateways profile carrier --history\n"
    "broadsheet gateways profile carrier --undo",
    needs=Right.OPERATE,
)
def profile(
    name: Annotated[str, typer.Argument(metavar="NAME", help=tr("As in the configuration."))],
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=tr("Give a key another value."))
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help=tr("From this day on; else from today."))
    ] = None,
    history: Annotated[bool, typer.Option("--history", help=tr("All that was ever set."))] = False,
    undo: Annotated[bool, typer.Option("--undo", help=tr("Take back what was set last."))] = False,
) -> None:
    given = read_settings(set_ or [])
    if given and undo:
        raise Invalid("Either --set or --undo.", hint="Take back first, then set.")
    with opened() as house:
        _known(house, name)
        with house.begin() if given or undo else house.reading() as tx:
            day = read_day(from_) if from_ else tx.now.astimezone(house.settings.zone).date()
            if given:
                profile_changes.write(tx.session, house.actor, name, given, day, now=tx.now)
            elif undo:
                profile_changes.undo(tx.session, house.actor, name, now=tx.now)
            changes = profile_changes.history(tx.session, house.actor, name)
            document = profile_document(house, name, changes, day)
        told = tr("The profile of {name} on {day}:", name=name, day=day)
        answer(document, told, *shown_profile(document), *(shown_history(house, document) if history else ()))


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
            wait_for(ending)


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
            # a database that is away is asked again: what is in hand here is not given up for it
            with contextlib.suppress(DBAPIError, Unavailable):
                chief = house.locks.take(PRESS)
        if chief is not None:
            stack.callback(chief.release)
            open_gateways(house)
            stack.enter_context(running(make_app(house), house))
        wait_for(ending)


def _known(house: Runtime, name: str) -> str:
    if name not in house.gateways:
        raise NotFound(
            "There is no gateway {name}.",
            hint="The configuration has: {known}.",
            name=name,
            known=listed(house.gateways),
        )
    return name
