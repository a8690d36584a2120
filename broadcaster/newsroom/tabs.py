"""Which of a few variants is shown on the phone: kept by the browser, so that it is the same after a form was sent."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.newsroom.editions import PATH
from broadcaster.newsroom.members import Id
from broadcaster.web.doors import page_of, shows
from broadcaster.web.visits import Here, Visit
from subscribers.actor import Right

router = APIRouter()

#: the number of the edition and that of the tab, counted from 1: of the edition that was looked at last
COOKIE = "shown"
#: more variants are a list
TABS = 5
_KEPT = re.compile(r"([0-9]{1,9})\.([1-5])", re.ASCII)


@shows(router, PATH + "/{id}/shown", needs=Right.SEE)
def choose(request: Request, visit: Here, id: Id, shown: Annotated[int, Query(ge=1, le=TABS)] = 1) -> Response:  # noqa: A002
    """This one, from now on; without a script, back to the page."""
    page = page_of(request)
    back = page if page.startswith(f"{PATH}/{id}") else f"{PATH}/{id}"
    is_part = "hx-request" in request.headers
    return keep_shown(Response(status_code=204) if is_part else RedirectResponse(back, 303), visit, id, str(shown))


def shown_of(request: Request, number: int, phones: int) -> str:
    """The tab of an edition that was chosen last; the first one if there is no such."""
    kept = _KEPT.fullmatch(request.cookies.get(COOKIE, ""))
    return kept[2] if kept and int(kept[1]) == number and int(kept[2]) <= phones else "1"


def keep_shown(answer: Response, visit: Visit, number: int, shown: str) -> Response:
    """The same answer, with which the browser keeps the tab."""
    if _KEPT.fullmatch(kept := f"{number}.{shown}"):
        answer.set_cookie(COOKIE, kept, httponly=True, secure=visit.is_secure, samesite="lax", path=PATH)
    return answer
