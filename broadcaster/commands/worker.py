"""`broadsheet worker`: one process of several that serve a broker's queues."""

from __future__ import annotations

from typing import Annotated

import typer

from broadcaster.commands.house import opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer
from broadcaster.language import tr
from broadcaster.settings import Settings
from broadcaster.tasks import make_app, work
from subscribers.errors import Conflict, Invalid

app = noun()


@verb(
    app,
    about=tr("Serve queues until asked to end; needs url under [queue] of the configuration.").replace("[", r"\["),
    example="broadsheet worker\nbroadsheet worker --queues submit.carrier --threads 1",
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
        chosen = _chosen(queues, [queue.name for queue in celery.conf.task_queues])
        answer({"queues": chosen}, tr("Serving {queues}.", queues=", ".join(chosen)))
        for gateway in house.gateways.values():
            gateway.open()
        work(celery, house, chosen, threads=threads, name=name)


def _chosen(named: str, known: list[str]) -> list[str]:
    wanted = [name.strip() for name in named.split(",") if name.strip()]
    for name in wanted:
        if name not in known:
            raise Invalid("There is no queue {name}.", hint="There are: {known}.", name=name, known=", ".join(known))
    return wanted or known


def refuse_embedded(settings: Settings) -> None:
    """Raise `Conflict` where the queue lives in one process and nobody else can serve it."""
    if settings.embedded:
        raise Conflict(
            "The queue of this installation is embedded: it lives in one process.",
            hint='Run `broadsheet up`, or name a broker: url = "redis://..." under [queue].',
        )
