"""The page at `/`: how far the paper is, for whoever stands at the machine. It only reads.

Nobody signs in here yet. As long as nobody does at the command line either, the page shows what that would; from the
first administrator on it shows figures, and nothing that anybody wrote.
"""

from __future__ import annotations

from ipaddress import ip_address

from fastapi import APIRouter, Request, Response

from broadcaster.access.users import has_admin
from broadcaster.delivery.obstacles import obstacles
from broadcaster.language import language
from broadcaster.reports.overview import Standing, figures_of, overview
from broadcaster.web.house import House
from broadcaster.web.rendering import page
from broadcaster.web.telling import RUNNING, Teller
from subscribers.actor import Actor, Right
from subscribers.errors import Denied

router = APIRouter()

#: whoever can open the page; there is no log-in yet
ONLOOKER = Actor("onlooker", frozenset({Right.SEE}))


@router.get("/")
def status(request: Request, house: House, hold: bool = False) -> Response:
    """The paper now. `?lang=zh|en`; `?hold=1` keeps the page from loading itself anew."""
    _keep_from_strangers(request)
    with house.reading() as tx:
        bare, now = has_admin(tx.session), tx.now
        seen = overview(tx.session, ONLOOKER)
        held_up = [] if bare or seen.current is None else obstacles(tx.session, seen.current.id, now=now)
    values = Teller(house.settings, house.gateways, now).page(figures_of(seen) if bare else seen, held_up)
    refresh = None if hold else _pace(seen.current)
    return page("status.html", refresh=refresh, hold=hold, bare=bare, other=_other_language(), **values)


def _keep_from_strangers(request: Request) -> None:
    # a foreign page can point a name of its own at this machine and read what it answers; a number it cannot
    name = request.url.hostname or ""
    if name == "localhost":
        return
    try:
        ip_address(name)
    except ValueError:
        raise Denied(
            "This page has no log-in yet, and is not shown under a name.",
            hint="Open it by the number of the machine, for example http://127.0.0.1:8000/.",
        ) from None


def _pace(current: Standing | None) -> int:
    """Seconds until the page loads itself anew."""
    if current is None or current.state not in (*RUNNING, "sent"):
        return 30
    return 10 if current.state == "sent" else 3


def _other_language() -> dict[str, str]:
    if language() == "zh":
        return {"code": "en", "tag": "en", "name": "English"}
    return {"code": "zh", "tag": "zh-CN", "name": "中文"}
