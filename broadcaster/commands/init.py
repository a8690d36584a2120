"""`broadsheet init`: the database, ready for this program."""

from __future__ import annotations

from typing import Annotated

import typer

from broadcaster import migrations
from broadcaster.commands.house import opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer
from broadcaster.keeping import restoring
from broadcaster.language import ntr, tr

app = noun()


@verb(
    app,
    about=tr("Create the database, or bring it up to date."),
    example="broadsheet init\nbroadsheet init --restored",
    needs=Free.MACHINE,
)
def init(
    restored: Annotated[
        bool, typer.Option("--restored", help=tr("It comes from a backup: stop every open campaign."))
    ] = False,
) -> None:
    with opened() as house:
        revision = migrations.upgrade(house.engine)
        document = {"revision": revision}
        told = tr("The database is ready: revision {revision}.", revision=revision)
        if not restored:
            answer(document, told, then=["broadsheet members import FILE"])
            return
        with house.begin() as tx:
            life = restoring.declare(tx.session, house.marks, now=tx.now)
    stopped = ntr(
        "{n} campaign is stopped until somebody resumes or aborts it.",
        "{n} campaigns are stopped until somebody resumes or aborts them.",
        len(life.stopped),
    )
    answer(document | {"stopped": life.stopped}, told, stopped, then=["broadsheet campaigns list"])
