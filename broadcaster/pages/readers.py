"""Readers who show that a number is theirs: a code by SMS, typed on a page that an old phone can show."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.access import readers
from broadcaster.language import tell
from broadcaster.newspaper import publishing
from broadcaster.pages.drawing import draw_page
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Open, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit, give, look
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid
from subscribers.msisdn import parse

router = APIRouter()

#: the cookie of a browser whose reader is known, and of one that waits for a code
DEVICE, DEVICE_OVER_TLS = "reader", "__Host-reader"
ASKED = "reader_code"
Number = Annotated[int, Path(ge=1, lt=2**31)]
_ONE = "/p/{number}/reader"


def known_readers(request: Request, house: Runtime, tx: Tx) -> list[int]:
    """The members whose browser this is."""
    token = request.cookies.get(DEVICE_OVER_TLS, "") or request.cookies.get(DEVICE, "")
    return readers.known(tx.session, token[:100], house.secret, now=tx.now) if token else []


@shows(router, _ONE, needs=Open.ANYBODY)
def who(request: Request, house: House, visit: Here, number: Number) -> Response:
    """The form for one's number."""
    with house.reading() as tx:
        _refuse_needless(tx, number)
    return _ask_number(request, house, visit, number)


@takes(router, _ONE, needs=Open.ANYBODY)
def ask(request: Request, house: House, visit: Here, form: Form, number: Number) -> Response:
    """A code goes to this number, if it is a member's; the answer is the same for all."""
    try:
        msisdn = parse(form.text("number")[:40], house.settings.paper.region).msisdn
        address = request.client.host if request.client else ""
        with house.begin() as tx:
            _refuse_needless(tx, number)
            most = house.settings.access.reader_codes_per_hour
            token = readers.ask(tx.session, msisdn, address, house.secret, most=most, now=tx.now)
    except BroadsheetError as error:
        return _ask_number(request, house, visit, number, error, form.text("number"))
    answer = RedirectResponse(f"{_path(number)}/code", 303)
    answer.set_cookie(
        ASKED,
        token,
        max_age=int(readers.LASTS.total_seconds()),
        httponly=True,
        secure=visit.is_secure,
        samesite="lax",
        path="/p",
    )
    return answer


@shows(router, _ONE + "/code", needs=Open.ANYBODY)
def wait(request: Request, house: House, visit: Here, number: Number) -> Response:
    """The form for the code."""
    return _ask_code(request, house, visit, number)


@takes(router, _ONE + "/code", needs=Open.ANYBODY)
def confirm(request: Request, house: House, visit: Here, form: Form, number: Number) -> Response:
    """The code: this browser is known from now on."""
    asked = request.cookies.get(ASKED, "")[:100]
    with house.begin() as tx:
        token = readers.confirm(tx.session, asked, form.text("code"), house.secret, now=tx.now)
        if token is not None:
            # by another number before: nobody comes by that again
            _end(request, tx)
    if token is None:
        wrong = Invalid(
            "The code is not right, or its time is over.",
            hint="Type the six digits of the newest message, or ask for another one.",
        )
        return _ask_code(request, house, visit, number, wrong)
    answer = RedirectResponse(f"/p/{number}", 303)
    answer.delete_cookie(ASKED, path="/p")
    answer.set_cookie(
        DEVICE_OVER_TLS if visit.is_secure else DEVICE,
        token,
        max_age=int(readers.KNOWN_FOR.total_seconds()),
        httponly=True,
        secure=visit.is_secure,
        samesite="lax",
        path="/",
    )
    return answer


@takes(router, _ONE + "/forget", needs=Open.ANYBODY)
def forget(request: Request, house: House, number: Number) -> Response:
    """This browser is known no more: here, and by its cookies."""
    with house.begin() as tx:
        _end(request, tx)
    answer = RedirectResponse(f"{_path(number)}/forgotten", 303)
    for name in (DEVICE_OVER_TLS, DEVICE):
        answer.delete_cookie(name, path="/", secure=name == DEVICE_OVER_TLS, httponly=True, samesite="lax")
    answer.delete_cookie(ASKED, path="/p")
    return answer


@shows(router, _ONE + "/forgotten", needs=Open.ANYBODY)
def forgotten(request: Request, house: House, number: Number) -> Response:
    """That it is; a browser that is known is sent to the page."""
    with house.reading() as tx:
        is_known = bool(known_readers(request, house, tx))
    if is_known:
        return RedirectResponse(f"/p/{number}", 303)
    return draw_page(request, house, "reader_forgotten.html", number=number)


def _end(request: Request, tx: Tx) -> None:
    for name in (DEVICE_OVER_TLS, DEVICE):
        readers.forget_browser(tx.session, request.cookies.get(name, "")[:100])


def draw_known(request: Request, house: Runtime, template: str, *, is_known: bool, **values: Any) -> Response:
    """A page of the paper; where its reader is known, with a form that makes this browser forgotten."""
    visit = look(house, request) if is_known else None
    answer = draw_page(request, house, template, is_known=is_known, visit=visit, **values)
    if visit is not None and visit.is_new:
        give(answer, visit, visit.token)
    return answer


def _refuse_needless(tx: Tx, number: int) -> None:
    """No codes where nothing is for some of the members: each costs an SMS, and rings at somebody's."""
    page = publishing.read(tx.session, number)
    if page is None or not (page.readers or any(item.get("for") for each in page.columns for item in each["items"])):
        raise HTTPException(404)


def _path(number: int) -> str:
    return f"/p/{number}/reader"


def _ask_number(
    request: Request,
    house: Runtime,
    visit: Visit,
    number: int,
    error: BroadsheetError | None = None,
    typed: str = "",
) -> Response:
    return _form(request, house, visit, "reader_number.html", number, error, typed=typed)


def _ask_code(
    request: Request, house: Runtime, visit: Visit, number: int, error: BroadsheetError | None = None
) -> Response:
    minutes = int(readers.LASTS.total_seconds() // 60)
    return _form(request, house, visit, "reader_code.html", number, error, minutes=minutes)


def _form(
    request: Request,
    house: Runtime,
    visit: Visit,
    template: str,
    number: int,
    error: BroadsheetError | None,
    **values: Any,
) -> Response:
    told = tell(error) if error else None
    answer = draw_page(
        request, house, template, status=422 if error else 200, number=number, visit=visit, trouble=told, **values
    )
    if visit.is_new:
        give(answer, visit, visit.token)
    return answer
