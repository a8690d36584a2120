"""The paper's own words: its name, its signature, how to refuse more; and where they are written."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request, Response

from broadcaster.newsroom.drawing import draw
from broadcaster.web.doors import shows
from broadcaster.web.house import House
from subscribers.actor import Right

router = APIRouter()

#: what editors ask for first, in the order of the configuration
_KEYS = ("name", "signature", "opt_out", "language", "time_zone", "quiet_hours")


@shows(router, "/settings/paper", needs=Right.EDIT)
def paper(request: Request, house: House) -> Response:
    """What is set, and the lines that set it."""
    told = house.settings.paper
    values = {key: str(getattr(told, key)) for key in _KEYS}
    suggested = values | {"signature": values["signature"] or f"【{values['name'][:8]}】"}
    lines = [f"{key} = {json.dumps(suggested[key], ensure_ascii=False)}" for key in _KEYS if suggested[key]]
    return draw(request, "paper.html", told=told, lines="\n".join(["[paper]", *lines]))
