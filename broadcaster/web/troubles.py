"""What went wrong, in words: a page for people, plain lines for programs, the right number for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from broadcaster.language import msgid, tell, tr, translated
from broadcaster.logs import Seldom, get
from broadcaster.web.frame import SAFE
from broadcaster.web.rendering import other_language, page
from broadcaster.web.strangers import is_stranger
from broadcaster.web.told import told
from subscribers.clock import monotonic
from subscribers.errors import BroadsheetError, Conflict, Denied, Invalid, NotFound, Unavailable

log = get(__name__)

_STATUS: dict[type[BroadsheetError], int] = {
    Invalid: 400,
    Denied: 403,
    NotFound: 404,
    Conflict: 409,
    Unavailable: 503,
}
_WORDS = {
    400: msgid("This request cannot be understood."),
    401: msgid("You are not signed in."),
    404: msgid("There is nothing at this address."),
    405: msgid("This address is asked for in another way."),
    408: msgid("The request took too long to arrive."),
    413: msgid("The request is too large."),
}
#: seconds after which it is worth trying again
_LATER = {"Retry-After": "5"}
#: told once a minute
_faults = Seldom(60)


#: draws a page for people: status, what happened, what to do about it, headers
Look = Callable[[Request, int, str, str, dict[str, str]], Response]


def install(app: FastAPI, looks: Mapping[str, Look]) -> None:
    """Answer every error of this application in words. `looks`: what is below a path has pages of another look."""
    app.state.looks_of_troubles = looks
    app.add_exception_handler(BroadsheetError, _ours)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _not_an_address)
    app.add_exception_handler(Exception, _unforeseen)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, BroadsheetError)  # noqa: S101
    status = next((number for kind, number in _STATUS.items() if isinstance(error, kind)), 500)
    words = told(error) if status < 500 and "text/html" in request.headers.get("accept", "") else tell(error)
    if isinstance(error, Unavailable) and "detail" in error.fields:
        # what a server said may name hosts and users
        if times := _faults.again(error.message, monotonic()):
            log.warning("something does not answer", reason=str(error), times=times)
        if is_stranger(request, request.app.state.runtime.settings.web):
            words = tr("A part of this program does not answer just now."), tr("Try again in a minute.")
    return _told(request, status, *words, headers=_LATER if status == 503 else {})


def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    words = translated(_WORDS.get(error.status_code, error.detail))
    return _told(request, error.status_code, words, headers=dict(error.headers or {}))


def _not_an_address(request: Request, _error: Exception) -> Response:
    # a number in it is none, or larger than there can be
    return _told(request, 404, translated(_WORDS[404]), headers={})


def _unforeseen(request: Request, _error: Exception) -> Response:
    # it is logged, with its traceback, by the server
    what, then = tr("Something went wrong here."), tr("It is written in the log of the program.")
    return _told(request, 500, what, then, headers=dict(SAFE))


def _told(request: Request, status: int, what: str, then: str = "", *, headers: dict[str, str]) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        looks: Mapping[str, Look] = request.app.state.looks_of_troubles
        for path, look in looks.items():
            if f"{request.url.path}/".startswith(f"{path}/"):
                return look(request, status, what, then, headers)
        return page(
            "trouble.html",
            status=status,
            headers=headers,
            paper=request.app.state.runtime.settings.paper.name,
            other=other_language(request),
            # of a form there is no page to come back to
            here="" if request.method == "GET" else "/",
            what=what,
            then=then,
            back=tr("To the first page"),
        )
    return Response("\n".join(filter(None, (what, then))) + "\n", status, headers, media_type="text/plain")
