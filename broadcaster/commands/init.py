"""`broadsheet init`: the database, ready for this program."""

from __future__ import annotations

from broadcaster import migrations
from broadcaster.commands.house import opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer
from broadcaster.language import tr

app = noun()


@verb(app, about=tr("Create the database, or bring it up to date."), example="broadsheet init", needs=Free.MACHINE)
def init() -> None:
    with opened() as house:
        revision = migrations.upgrade(house.engine)
    answer(
        {"revision": revision},
        tr("The database is ready: revision {revision}.", revision=revision),
        then=["broadsheet members import FILE"],
    )
