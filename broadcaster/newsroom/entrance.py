"""In and out: a name and a password, six digits for those who approve, and an end to it."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from broadcaster.access import devices, sessions, sign_in
from broadcaster.access.models import Door
from broadcaster.access.sign_in import Way
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.newsroom.errands import Errand, of_form, told_by
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Open, Posted, SessionOver, own_path, page_of, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit, device_of, give, give_device
from subscribers.errors import BroadsheetError

router = APIRouter()


@shows(router, "/login", needs=Open.ANYBODY)
def login(request: Request, visit: Here, next: str = "/", dialog: bool = False) -> Response:  # noqa: A002
    """The form; whoever is signed in goes on. `?dialog=1` is what stands over the page that one was at."""
    if visit.visitor is not None:
        return RedirectResponse(own_path(next), 303)
    return _ask_password(request, visit, Errand(own_path(next), in_dialog=dialog))


@shows(router, "/login/here", needs=Open.ANYBODY)
def here(visit: Here) -> Response:
    """Whether one is signed in, for a page that was open for long: what its forms must carry now."""
    if visit.visitor is None:
        raise HTTPException(401)
    return PlainTextResponse(visit.form_token)


@takes(router, "/login", needs=Open.ANYBODY)
def sign_in_here(request: Request, house: House, visit: Here, form: Form) -> Response:
    """A name and a password."""
    name, errand = form.text("name"), told_by(form)
    try:
        token = sign_in.sign_in(house.begin, name, form.text("password"), _way(request, house))
    except BroadsheetError as error:
        return _ask_password(request, visit, errand, name=name, error=error)
    with house.begin() as tx:
        sessions.end(tx.session, visit.token, now=tx.now)
        is_halfway = sign_in.is_halfway(tx.session, token, now=tx.now)
    if not is_halfway:
        return _known_here(request, house, visit, token, errand)
    if errand.path or errand.in_dialog:
        return _ask_code(request, replace(visit, token=token, is_new=True), errand)
    return _go(visit, token, f"/login/code?next={quote(errand.next)}")


@shows(router, "/login/code", needs=Open.HALFWAY)
def code(request: Request, visit: Here, next: str = "/") -> Response:  # noqa: A002
    """The form for the six digits."""
    return _ask_code(request, visit, Errand(own_path(next)))


@takes(router, "/login/code", needs=Open.HALFWAY)
def code_here(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Six digits."""
    errand = told_by(form)
    try:
        token = sign_in.enter_code(house.begin, visit.token, form.text("code"), _way(request, house))
    except BroadsheetError as error:
        return _ask_code(request, visit, errand, error=error)
    return _known_here(request, house, visit, token, errand)


@takes(router, "/logout", needs=Open.ANYBODY)
def logout(house: House, visit: Here) -> Response:
    """The end of this sign-in."""
    with house.begin() as tx:
        sessions.end(tx.session, visit.token, now=tx.now)
    return RedirectResponse("/login", 303)


def _way(request: Request, house: Runtime) -> Way:
    address = request.client.host if request.client else ""
    return Way(Door.WEB, address, device_of(request), house.secret)


def came_too_late(request: Request, error: Exception) -> Response:
    """The answer to a form whose sender is signed in no more: what was typed stays, and goes after the password."""
    assert isinstance(error, SessionOver)  # noqa: S101
    errand = of_form(request.url.path, Posted(request.state.form).pairs(), page_of(request))
    if errand is None:
        return RedirectResponse(f"/login?next={quote(page_of(request))}", 303)
    return _ask_password(request, request.state.visit, errand, status=401)


def _ask_password(
    request: Request,
    visit: Visit,
    errand: Errand,
    *,
    name: str = "",
    error: BroadsheetError | None = None,
    status: int = 200,
) -> Response:
    template = "sign_in_dialog.html" if errand.in_dialog else "login.html"
    return _draw(request, template, visit, errand, "name", error, status, name=name, step="password")


def _ask_code(request: Request, visit: Visit, errand: Errand, *, error: BroadsheetError | None = None) -> Response:
    template = "sign_in_dialog.html" if errand.in_dialog else "login_code.html"
    return _draw(request, template, visit, errand, "code", error, step="code")


def _draw(
    request: Request,
    template: str,
    visit: Visit,
    errand: Errand,
    field: str = "",
    error: BroadsheetError | None = None,
    status: int = 200,
    **values: str,
) -> Response:
    request.state.visit = visit
    wrong = trouble(error, field) if error else None
    return draw(request, template, status=422 if error else status, trouble=wrong, errand=errand, **values)


def _known_here(request: Request, house: Runtime, visit: Visit, token: str, errand: Errand) -> Response:
    """From now on strangers who try this account's passwords use up none of what may be tried here."""
    with house.reading() as tx:
        visitor = sign_in.visitor(tx.session, token, now=tx.now, door=Door.WEB)
    now_here = replace(visit, token=token, is_new=True, visitor=visitor)
    if errand.in_dialog:
        answer = _draw(request, "sign_in_dialog.html", now_here, errand, step="done", name="")
    elif errand.path:
        answer = _draw(request, "go_on.html", now_here, errand)
    else:
        answer = _go(visit, token, errand.next)
    if visitor is not None:
        give_device(answer, visit, devices.remembered(house.secret, device_of(request), visitor.user_id))
    return answer


def _go(visit: Visit, token: str, path: str) -> Response:
    answer = RedirectResponse(path, 303)
    give(answer, visit, token)
    return answer
