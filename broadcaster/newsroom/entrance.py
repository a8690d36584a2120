"""In and out: a name and a password, six digits for those who approve, and an end to it."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from broadcaster.access import devices, sessions, sign_in
from broadcaster.access.models import Door
from broadcaster.access.sessions import Owner
from broadcaster.access.sign_in import Way
from broadcaster.language import msgid
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.errands import Errand, of_form, told_by
from broadcaster.runtime import Runtime
from broadcaster.web.doors import (
    Form,
    FormOfBefore,
    Open,
    Posted,
    SessionOver,
    is_to_be_kept,
    own_path,
    page_of,
    shows,
    takes,
)
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
def here(request: Request, house: House, visit: Here) -> Response:
    """Whether one is signed in, for a page that was open for long: what its forms must carry now.

    The page says what they carry, so that nothing is done in the name of somebody who came meanwhile.
    """
    if visit.visitor is None:
        raise HTTPException(401)
    carried = request.headers.get("x-form-token", visit.form_token)
    if carried != visit.form_token and not _is_of(house, carried, visit):
        raise HTTPException(409)
    return PlainTextResponse(visit.form_token)


@takes(router, "/login", needs=Open.ANYBODY)
def sign_in_here(request: Request, house: House, visit: Here, form: Form) -> Response:
    """A name and a password."""
    name, errand = form.text("name"), told_by(form)
    if errand.in_dialog and not errand.before:
        errand = replace(errand, before=visit.form_token)
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
    """Six digits, or a recovery code."""
    errand, recovery = told_by(form), form.text("recovery")
    try:
        token = sign_in.enter_code(house.begin, visit.token, recovery or form.text("code"), _way(request, house))
    except BroadsheetError as error:
        return _ask_code(request, visit, errand, error=error, field="recovery" if recovery else "code")
    return _known_here(request, house, visit, token, errand)


@takes(router, "/logout", needs=Open.ANYBODY)
def logout(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The end of this sign-in; what somebody else had typed in this browser waits for their password."""
    with house.begin() as tx:
        sessions.end(tx.session, visit.token, now=tx.now)
    errand = told_by(form)
    if errand.path:
        return _ask_password(request, replace(visit, visitor=None, place=None), errand)
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


def came_from_before(request: Request, error: Exception) -> Response:
    """The answer to a form of a page that was opened under another sign-in: it is given back to whose page it was."""
    assert isinstance(error, FormOfBefore)  # noqa: S101
    visit: Visit = request.state.visit
    page = page_of(request)
    errand = of_form(request.url.path, Posted(request.state.form).pairs(), page) if is_to_be_kept(request) else None
    if errand is None:
        told = msgid("Somebody has signed in anew since that page was opened. Nothing was done; do it once more.")
        return done(visit, page, told)
    return _give_back(request, visit, errand, request.state.owner)


def _give_back(request: Request, visit: Visit, errand: Errand, owner: Owner | None) -> Response:
    is_theirs = owner is not None and owner.user_id == visit.signed_in.user_id
    if is_theirs:
        return _draw(request, "go_on.html", visit, errand)
    return _draw(request, "of_another.html", visit, errand, status=409, owner=owner.name if owner else "")


def _is_of(house: Runtime, form_token: str, visit: Visit) -> bool:
    with house.reading() as tx:
        owner = sessions.owner_of_form(tx.session, form_token[:100])
    return owner is not None and owner.user_id == visit.signed_in.user_id


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


def _ask_code(
    request: Request, visit: Visit, errand: Errand, *, error: BroadsheetError | None = None, field: str = "code"
) -> Response:
    template = "sign_in_dialog.html" if errand.in_dialog else "login_code.html"
    return _draw(request, template, visit, errand, field, error, step="code")


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
    if visitor is not None and errand.in_dialog:
        step = "done" if _is_of(house, errand.before, now_here) else "other"
        answer = _draw(request, "sign_in_dialog.html", now_here, errand, step=step, name=visitor.actor.name)
    elif visitor is not None and errand.path:
        with house.reading() as tx:
            owner = sessions.owner_of_form(tx.session, errand.before)
        answer = _give_back(request, now_here, errand, owner)
    else:
        answer = _go(visit, token, errand.next)
    if visitor is not None:
        give_device(answer, visit, devices.remembered(house.secret, device_of(request), visitor.user_id))
    return answer


def _go(visit: Visit, token: str, path: str) -> Response:
    answer = RedirectResponse(path, 303)
    give(answer, visit, token)
    return answer
