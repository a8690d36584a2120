"""A send is made of an edition, or made anew because the edition has other words by now."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from broadcaster.campaigns import anew, compose
from broadcaster.language import msgid
from broadcaster.newsroom.checks import draw_check
from broadcaster.newsroom.composer import ONE
from broadcaster.newsroom.drawing import done
from broadcaster.newsroom.editions import PATH
from broadcaster.newsroom.members import Id
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here
from subscribers.actor import Right
from subscribers.errors import Conflict, Invalid

router = APIRouter()


@takes(router, ONE + "/draft", needs=Right.EDIT)
def draft(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """A send is made of it: from now on its words are those of this moment."""
    try:
        with house.begin() as tx:
            made = compose.draft_edition(tx.session, visit.actor, id, **_paper(house), now=tx.now).id
    except (Invalid, Conflict) as error:
        return draw_check(request, house, visit, id, error=error)
    return done(visit, f"{PATH}/{id}/check#next", msgid("Send {id} is there, with the words of now."), id=made)


@takes(router, ONE + "/draft/anew", needs=Right.EDIT)
def make_anew(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """A send that waits gives way to one with the words of now."""
    typed = form.text("send")
    earlier = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 16 else 0
    try:
        with house.begin() as tx:
            made = anew.make_anew(tx.session, visit.actor, earlier, **_paper(house), now=tx.now).id
    except (Invalid, Conflict) as error:
        return draw_check(request, house, visit, id, error=error)
    told = msgid("Send {id} is there, with the words of now; send {earlier} is cancelled.")
    return done(visit, f"{PATH}/{id}/check#next", told, id=made, earlier=earlier)


def _paper(house: Runtime) -> dict[str, Any]:
    paper = house.settings.paper
    pages = house.settings.web.pages
    return {"paper": paper.name, "language": paper.language, "dress": house.dress, "pages": pages}
