"""In and out: a name and a password, six digits for those who approve, and an end to it."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.access import devices, sessions, sign_in
from broadcaster.access.models import Door
from broadcaster.access.sign_in import Way
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Open, own_path, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit, device_of, give, give_device
from subscribers.errors import BroadsheetError

router = APIRouter()


@shows(router, "/login", needs=Open.ANYBODY)
def login(request: Request, visit: Here, next: str = "/") -> Response:  # noqa: A002
    """The form; whoever is signed in goes on."""
    if visit.visitor is not None:
        return RedirectResponse(own_path(next), 303)
    return draw(request, "login.html", next=own_path(next), name="")


@takes(router, "/login", needs=Open.ANYBODY)
def sign_in_here(request: Request, house: House, visit: Here, form: Form) -> Response:
    """A name and a password."""
    name, onward = form.text("name"), own_path(form.text("next"))
    try:
        token = sign_in.sign_in(house.begin, name, form.text("password"), _way(request, house))
    except BroadsheetError as error:
        return draw(request, "login.html", status=422, trouble=trouble(error, "name"), next=onward, name=name)
    with house.begin() as tx:
        sessions.end(tx.session, visit.token, now=tx.now)
        is_halfway = sign_in.is_halfway(tx.session, token, now=tx.now)
    if is_halfway:
        return _go(visit, token, f"/login/code?next={quote(onward)}")
    return _known_here(request, house, visit, token, onward)


@shows(router, "/login/code", needs=Open.HALFWAY)
def code(request: Request, next: str = "/") -> Response:  # noqa: A002
    """The form for the six digits."""
    return draw(request, "login_code.html", next=own_path(next))


@takes(router, "/login/code", needs=Open.HALFWAY)
def code_here(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Six digits."""
    onward = own_path(form.text("next"))
    try:
        token = sign_in.enter_code(house.begin, visit.token, form.text("code"), _way(request, house))
    except BroadsheetError as error:
        return draw(request, "login_code.html", status=422, trouble=trouble(error, "code"), next=onward)
    return _known_here(request, house, visit, token, onward)


@takes(router, "/logout", needs=Open.ANYBODY)
def logout(house: House, visit: Here) -> Response:
    """The end of this sign-in."""
    with house.begin() as tx:
        sessions.end(tx.session, visit.token, now=tx.now)
    return RedirectResponse("/login", 303)


def _way(request: Request, house: Runtime) -> Way:
    address = request.client.host if request.client else ""
    return Way(Door.WEB, address, device_of(request), house.secret)


def _known_here(request: Request, house: Runtime, visit: Visit, token: str, path: str) -> Response:
    """From now on strangers who try this account's passwords use up none of what may be tried here."""
    answer = _go(visit, token, path)
    with house.reading() as tx:
        visitor = sign_in.visitor(tx.session, token, now=tx.now, door=Door.WEB)
    if visitor is not None:
        give_device(answer, visit, devices.remembered(house.secret, device_of(request), visitor.user_id))
    return answer


def _go(visit: Visit, token: str, path: str) -> Response:
    answer = RedirectResponse(path, 303)
    give(answer, visit, token)
    return answer
