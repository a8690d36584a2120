"""`broadsheet beat`: the ticks of a scaled-out installation."""

from __future__ import annotations

from broadcaster import tasks
from broadcaster.commands.house import opened
from broadcaster.commands.options import Free, noun, verb
from broadcaster.commands.output import answer
from broadcaster.commands.worker import refuse_embedded
from broadcaster.language import tr
from broadcaster.tasks.app import TICK

app = noun()


@verb(
    app,
    about=tr("Give a tick every second until asked to end; one is enough, two do no harm."),
    example="broadsheet beat",
    needs=Free.MACHINE,
)
def beat() -> None:
    with opened("INFO") as house:
        refuse_embedded(house.settings)
        celery = tasks.make_app(house)
        answer({"every": TICK}, tr("A tick every {seconds:g} seconds.", seconds=TICK))
        tasks.beat(celery)
