"""`broadsheet up`: everything in one process."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from broadcaster import migrations
from broadcaster.app import make_web, serve
from broadcaster.commands.house import opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer
from broadcaster.commands.serving import alone, pressing
from broadcaster.language import tr
from broadcaster.newsroom.first_run import first_link
from broadcaster.newsroom.warming import warming
from subscribers.ending import asked_to_end, wait_for
from subscribers.interpreter import settled

app = noun()
#: seconds after which it is said that the pages are there, even if the first ones will take longer
_PATIENCE = 10.0


@verb(
    app,
    about=tr("Run worker, schedule, gateways and web pages in this process, until Ctrl-C."),
    example="broadsheet up\nbroadsheet up --port 9000",
    needs=Free.MACHINE,
)
def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help=tr("Where the web pages are; 0: any free port."))] = 8000,
    host: Annotated[str, typer.Option(help=tr("The address to listen on."))] = "127.0.0.1",
) -> None:
    with opened("INFO") as house, alone(house), asked_to_end() as ending:
        if house.settings.embedded:
            # nobody else uses this database; where several processes do, `init` says when it changes
            migrations.upgrade(house.engine)
        web = make_web(house)
        with serve(web, host, port) as address, pressing(house), warming(house) as is_warm:
            link = first_link(web, address)
            is_warm.wait(_PATIENCE)
            answer(
                {"address": address, "pid": os.getpid(), "first": link or None},
                tr("Broadsheet is running at {address}. Ctrl-C ends it.", address=address),
                tr("Nobody works here yet. To begin, open {link}", link=link) if link else None,
            )
            with settled():
                wait_for(ending)
