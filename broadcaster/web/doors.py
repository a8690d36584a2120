"""The doors of the newsroom: each says what it needs, and none opens without being asked.

A route is made by `shows` (it changes nothing) or `takes` (a form). Both find out who comes and hold that against the
declared right before the handler runs; a form must also have been sent from a page of ours.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect

from broadcaster.access import sessions, users
from broadcaster.language import listed
from broadcaster.runtime import Runtime
from broadcaster.web.house import House
from broadcaster.web.visits import Visit, look
from broadcaster.words import right_word
from subscribers.actor import Right
from subscribers.errors import Denied, Invalid, Unavailable

#: a form with one file: what is read by people is small, and lists are at most so large
LARGEST = 20 * 1024 * 1024
#: from strangers: a name, a password, and a form that waits for them
FROM_STRANGERS = 2 * 1024 * 1024
FIELDS = 500
FIELD = 1024 * 1024
#: bytes of a form that is kept for whoever has to sign in again first
KEPT = 256 * 1024
#: seconds in which a form has to arrive
PATIENCE = 120.0
#: the header that tells a script that its page was opened under another sign-in
ANEW = "X-Signed-In-Anew"
#: administrators who are named to whoever lacks a right
_NAMED = 3


class Open(StrEnum):
    """What opens without a right, and for whom."""

    ANYBODY = "anybody"
    #: with the password, before the code
    HALFWAY = "halfway"
    #: whoever is signed in, also while they owe another password or a second factor
    SIGNED_IN = "signed in"


class SessionOver(Exception):
    """A form of ours from somebody whose sign-in has ended: it is in `request.state.form`, and nothing was done."""


class FormOfBefore(Exception):
    """A form of a page that somebody opened under another sign-in than the one they come with: nothing was done.

    It is in `request.state.form`, and whose page it was in `request.state.owner`.
    """


Needs = Right | Open
Handler = TypeVar("Handler", bound=Callable[..., object])

#: every door by method and path -> what it needs
DECLARED: dict[tuple[str, str], Needs] = {}


def shows(router: APIRouter, path: str, *, needs: Needs) -> Callable[[Handler], Handler]:
    """A page at this path for who has the right."""
    return _door(router, "GET", path, needs, [Depends(_asking(needs))])


def takes(router: APIRouter, path: str, *, needs: Needs) -> Callable[[Handler], Handler]:
    """A form to this path from who has the right; the handler finds it as `Form`."""
    return _door(router, "POST", path, needs, [Depends(_asking(needs)), Depends(_unforged)])


def _door(router: APIRouter, method: str, path: str, needs: Needs, asked: list[object]) -> Callable[[Handler], Handler]:
    def declare(handler: Handler) -> Handler:
        assert (method, path) not in DECLARED  # noqa: S101
        DECLARED[method, path] = needs
        router.add_api_route(path, handler, methods=[method], dependencies=asked, response_model=None)  # type: ignore[arg-type]
        return handler

    return declare


def _asking(needs: Needs) -> Callable[[Request, House], None]:
    def ask(request: Request, house: House) -> None:
        if "%00" in request.url.query:
            raise _unkeepable()
        visit = request.state.visit = look(house, request)
        if needs is Open.ANYBODY:
            return
        if needs is Open.HALFWAY:
            if not visit.is_halfway:
                raise elsewhere("/login")
            return
        if visit.visitor is None:
            if "hx-request" in request.headers:
                # a part of a page: its script asks for the password, and asks for the part again
                raise HTTPException(401)
            if is_to_be_kept(request):
                request.state.is_over = True
                return
            raise elsewhere("/login" + _way_back(request))
        if isinstance(needs, Right) and (refusal := _refusal(house, visit, needs)):
            if is_to_be_kept(request):
                # it may be somebody else's form: then it is theirs, and this is no answer to it
                request.state.refusal = refusal
                return
            raise refusal

    return ask


def _refusal(house: Runtime, visit: Visit, needs: Right) -> Exception | None:
    if visit.signed_in.must_change:
        return elsewhere("/account/password")
    if visit.signed_in.owes_code:
        return elsewhere("/account/code")
    return None if needs in visit.actor.rights else _lacks(house, visit, needs)


def _lacks(house: Runtime, visit: Visit, right: Right) -> Denied:
    with house.reading() as tx:
        admins = users.admins_over(tx.session, visit.actor.under, most=_NAMED)
    hint = "Ask an administrator: {names}." if admins else "Ask the operator."
    return Denied("You do not have the right “{right}” here.", hint=hint, right=right_word(right), names=listed(admins))


def elsewhere(path: str) -> HTTPException:
    """Not here, but there: the browser goes to a path of ours."""
    return HTTPException(303, headers={"Location": path})


def own_path(text: str) -> str:
    """A path of this site as somebody gave it; the first page for whatever leads away from here."""
    if not (text.isascii() and text.isprintable() and text.startswith("/")) or "\\" in text:
        return "/"
    parts = urlsplit(text)
    return "/" if parts.netloc or parts.scheme or text.startswith("//") else text


def _way_back(request: Request) -> str:
    asked = page_of(request) if request.method != "GET" else _path(request.url.path, request.url.query)
    return f"?next={quote(asked, safe='/')}" if asked != "/" else ""


def page_of(request: Request) -> str:
    """The page of ours from which a form was sent; the first one if that is not known."""
    told = urlsplit(request.headers.get("referer", ""))
    return own_path(_path(told.path or "/", told.query)) if told.netloc == request.headers.get("host", "") else "/"


def _path(path: str, query: str) -> str:
    return path + (f"?{query}" if query else "")


def is_to_be_kept(request: Request) -> bool:
    """Whether this is a form that can be given back to be sent once more."""
    length, kind = request.headers.get("content-length", ""), request.headers.get("content-type", "")
    return (
        request.method == "POST"
        and kind.startswith("application/x-www-form-urlencoded")
        and length.isdigit()
        and int(length) <= KEPT
    )


async def _unforged(request: Request, house: House) -> AsyncIterator[None]:
    """Read the form, if it comes from a page that this browser was given; its file is there as long as the handler."""
    visit: Visit = request.state.visit
    is_over = getattr(request.state, "is_over", False)
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none") or not _is_ours(request, house.settings.web.public_url):
        raise elsewhere("/login") if is_over else _forged()
    form = await _read(request, LARGEST if visit.visitor is not None else FROM_STRANGERS)
    try:
        request.state.form = form
        _check(request, house, visit, form)
        if refusal := getattr(request.state, "refusal", None):
            raise refusal
        if is_over:
            raise SessionOver
        yield
    finally:
        await form.close()


def _check(request: Request, house: Runtime, visit: Visit, form: FormData) -> None:
    token = form.get("form_token")
    given = token if isinstance(token, str) else request.headers.get("x-form-token", "")
    if not hmac.compare_digest(given.encode(), visit.form_token.encode()):
        _refuse_unless_of_before(request, house, visit, given)
    if any("\x00" in each for name, value in form.multi_items() for each in (name, value) if isinstance(each, str)):
        raise _unkeepable()


def _refuse_unless_of_before(request: Request, house: Runtime, visit: Visit, given: str) -> None:
    """A page that was opened under another sign-in is known by what its forms carry; a foreign one has none of it."""
    with house.reading() as tx:
        owner = request.state.owner = sessions.owner_of_form(tx.session, given[:100])
    if owner is None:
        raise _forged()
    if visit.visitor is None:
        # the password is asked for first, if it is anything that asks for one
        if getattr(request.state, "is_over", False):
            return
        raise _forged()
    if "hx-request" in request.headers:
        # its script asks what the forms of this page must carry now, and asks for the part again
        raise HTTPException(403, headers={ANEW: "1"})
    raise FormOfBefore


def _is_ours(request: Request, public_url: str) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        # old browsers say nothing; the token speaks for them
        return True
    told = urlsplit(origin)
    return told.netloc == request.headers.get("host", "") or origin == "{0.scheme}://{0.netloc}".format(
        urlsplit(public_url)
    )


def _unkeepable() -> Invalid:
    return Invalid("What was typed has a sign in it that cannot be kept.", hint="Type it anew.")


def _forged() -> Denied:
    return Denied(
        "This form was not sent from a page that this browser has open.",
        hint="Go back, load the page again, and send it once more.",
    )


async def _read(request: Request, most: int) -> FormData:
    announced = request.headers.get("content-length", "")
    # in pieces, a body is as long as its sender likes, whatever else it announces
    if "transfer-encoding" in request.headers or not announced.isdigit() or int(announced) > most:
        raise HTTPException(413)
    try:
        async with asyncio.timeout(PATIENCE):
            return await request.form(max_files=1, max_fields=FIELDS, max_part_size=FIELD)
    except TimeoutError:
        raise HTTPException(408) from None
    except OSError as error:
        # a file that is large is put on the disk while it comes
        detail = error.strerror or type(error).__name__
        raise Unavailable(
            "The file cannot be put aside here: {detail}.",
            hint="Nothing was taken in. Ask the operator to make room, then send it once more.",
            detail=detail,
        ) from None
    except ClientDisconnect:
        # a button pressed twice: the browser takes the first form back, and nobody is left to read the answer
        raise HTTPException(400) from None


class Posted:
    """The fields of a form that was found to be ours."""

    def __init__(self, form: FormData) -> None:
        self._form = form

    def text(self, name: str) -> str:
        """A field as it was typed; "" if it was not sent."""
        value = self._form.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """All fields of this name."""
        return [value for value in self._form.getlist(name) if isinstance(value, str)]

    def pairs(self) -> list[tuple[str, str]]:
        """Every field that is no file, as it was sent."""
        return [(name, value) for name, value in self._form.multi_items() if isinstance(value, str)]

    def file(self, name: str) -> UploadFile | None:
        """A file, if one was chosen."""
        value = self._form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None


async def _posted(request: Request) -> Posted:
    return Posted(request.state.form)


Form = Annotated[Posted, Depends(_posted)]
