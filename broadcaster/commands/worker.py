"""`broadsheet worker`: one process of several that serve a broker's queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from broadcaster.commands.house import opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer
from broadcaster.commands.serving import open_gateways
from broadcaster.delivery.control import submit_queue
from broadcaster.language import listed, tr
from broadcaster.settings import Settings
from broadcaster.tasks import make_app, work
from subscribers.errors import Conflict, Invalid

app = noun()


@verb(
    app,
    about=tr("Serve queues until asked to end; needs url under [queue] of the configuration.").replace("[", r"\["),
    example="broadsheet worker\nbroadsheet worker --queues control,receipts --threads 2",
    needs=Free.MACHINE,
)
def worker(
    queues: Annotated[str, typer.Option(help=tr("Names with commas between; all of them if left out."))] = "",
    threads: Annotated[int, typer.Option(min=1, help=tr("How many tasks at once."))] = 4,
    name: Annotated[str, typer.Option(help=tr("What this worker is called."))] = "worker",
) -> None:
    with opened("INFO") as house:
        refuse_embedded(house.settings)
        celery = make_app(house)
        held = {submit_queue(gateway): gateway for gateway in house.gateways if house.is_held(gateway)}
        chosen = _chosen(queues, [queue.name for queue in celery.conf.task_queues], held)
        open_gateways(house)
        answer({"queues": chosen}, tr("Serving {queues}.", queues=listed(chosen)))
        work(celery, house, chosen, threads=threads, name=name)


def _chosen(named: str, known: list[str], held: Mapping[str, str]) -> list[str]:
    """The queues to serve. `held`: those of gateways whose connection another process holds, which also sends."""
    wanted = [name.strip() for name in named.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise Invalid("There is no queue {name}.", hint="There are: {known}.", name=name, known=listed(known))
        if name in held:
            raise Invalid(
                "Gateway {name} holds a connection: only the process that has it sends.",
                hint="Start `broadsheet gateways run {name}`.",
                name=held[name],
            )
    return wanted or [name for name in known if name not in held]


def refuse_embedded(settings: Settings) -> None:
    """Raise `Conflict` where the queue lives in one process and nobody else can serve it."""
    if settings.embedded:
        raise Conflict(
            "The queue of this installation is embedded: it lives in one process.",
            hint='Run `broadsheet up`, or name a broker: url = "redis://..." under [queue].',
        )
