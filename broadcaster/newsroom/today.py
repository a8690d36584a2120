"""The first page: what goes on now."""

from __future__ import annotations

from ipaddress import ip_address

from fastapi import APIRouter, Request, Response

from broadcaster.access.users import has_admin
from broadcaster.newsroom.drawing import draw
from broadcaster.newsroom.first_run import steps_left
from broadcaster.web.doors import Open, elsewhere, shows
from broadcaster.web.house import House
from broadcaster.web.status import standing
from broadcaster.web.visits import Here
from subscribers.actor import Actor, Right
from subscribers.errors import Denied

router = APIRouter()

#: whoever opens the page of an installation that nobody has set up yet; at its command line they could do more
ONLOOKER = Actor("onlooker", frozenset({Right.SEE, Right.OPERATE}))


@shows(router, "/", needs=Open.ANYBODY)
def today(request: Request, house: House, visit: Here, hold: bool = False, live: bool = False) -> Response:
    """The paper now. `?hold=1` keeps the page from loading itself anew; `?live=1` is only what changes in it."""
    if visit.visitor is not None:
        if visit.visitor.must_change:
            raise elsewhere("/account/password")
        if visit.visitor.owes_code:
            raise elsewhere("/account/code")
        if live:
            return draw(request, "today_live.html", **standing(house, visit.view, hold=hold))
        steps = steps_left(house, visit)
        return draw(request, "today.html", steps=steps, **standing(house, visit.view, hold=hold))
    with house.reading() as tx:
        is_set_up = has_admin(tx.session)
    if is_set_up and live:
        # the whole page goes there, and not into the place of its part
        return Response(status_code=204, headers={"HX-Redirect": "/login"})
    if is_set_up:
        raise elsewhere("/login")
    _keep_from_strangers(request)
    template = "today_live.html" if live else "not_set_up.html"
    return draw(request, template, **standing(house, ONLOOKER, hold=hold))


def _keep_from_strangers(request: Request) -> None:
    # a foreign page can point a name of its own at this machine and read what it answers; a number it cannot
    name = request.url.hostname or ""
    if name == "localhost":
        return
    try:
        ip_address(name)
    except ValueError:
        raise Denied(
            "Nobody signs in here yet, and this page is not shown under a name.",
            hint="Open it by the number of the machine, for example http://127.0.0.1:8000/.",
        ) from None
