"""The demo: a whole newspaper, from registry to receipt."""

from __future__ import annotations

from typing import Annotated

import typer

from broadcaster import logs
from broadcaster.commands.demo_report import report
from broadcaster.commands.demo_view import View
from broadcaster.commands.options import Free, noun, verb
from broadcaster.demo import journey
from broadcaster.demo.installation import MEMBERS, READERS, SEED, Plan, default_folder
from broadcaster.language import tr

app = noun()


@verb(
    app,
    about=tr(
        "A whole newspaper: invented members are imported, an edition is checked and sent through a simulated carrier, "
        "receipts and answers come back, and a report is made. Run it again after it was stopped, and it goes on; run "
        "it again after it ended, and the next edition goes out."
    ),
    example="broadsheet demo\nbroadsheet demo --members 300 --readers 200 --seed 7 --json",
    needs=Free.MACHINE,
)
def demo(
    members: Annotated[int, typer.Option(min=1, help=tr("How many people are on the list."))] = MEMBERS,
    readers: Annotated[int, typer.Option(min=1, help=tr("How many of them read the paper."))] = READERS,
    seed: Annotated[int, typer.Option(help=tr("The same seed makes the same people and the same fates."))] = SEED,
) -> None:
    """Run the journey and show it."""
    logs.configure(level="ERROR")
    plan = Plan(default_folder(members, readers, seed), members, readers, seed)
    with View() as view:
        result, runtime = journey.run(plan, view)
    report(runtime, result, plan)
