"""Whether all is well, for people: what works, what does not, and what to do. Programs ask `/health/ready`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broadcaster.language import in_a_row, ntr, tr
from broadcaster.newsroom.drawing import draw
from broadcaster.newsroom.gateways import lines_of
from broadcaster.web.doors import shows
from broadcaster.web.house import House
from broadcaster.web.readiness import checks, for_strangers
from broadcaster.web.visits import Here
from subscribers.actor import Right

router = APIRouter()


@shows(router, "/health", needs=Right.SEE)
def health(request: Request, house: House, visit: Here) -> Response:
    """The checks of the program, and the connections of the gateways."""
    found = checks(house)
    names = {"database": tr("Database"), "queue": tr("Work in the background"), "gateways": tr("Gateways")}
    # addresses and commands are for whoever looks after the machine
    tells_details = Right.OPERATE in visit.actor.rights
    lines = [
        {
            "name": names[check.name],
            "is_ok": check.ok,
            "words": for_strangers(check).found,
            "detail": in_a_row(check.found, check.advice) if tells_details and not check.ok else "",
        }
        for check in found
    ]
    # whether they are connected is written in the database
    is_read = all(check.ok for check in found if check.name == "database")
    gateways = [line | ({} if tells_details else {"detail": ""}) for line in (lines_of(house) if is_read else [])]
    waiting = sum(line["state"].startswith("!") for line in gateways)
    wrong = sum(not check.ok for check in found) + waiting
    said = ntr("{n} thing needs somebody.", "{n} things need somebody.", wrong) if wrong else tr("All is well.")
    return draw(
        request,
        "health.html",
        said=said,
        is_well=not wrong,
        lines=lines,
        gateways=gateways,
        tells_details=tells_details,
    )
