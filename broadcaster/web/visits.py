"""Who is at the page: the cookie they come with, and the token that a form of theirs must carry."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request, Response
from sqlalchemy import select

from broadcaster.access import sessions, sign_in
from broadcaster.access.models import Door
from broadcaster.access.sign_in import Visitor
from broadcaster.runtime import Runtime
from broadcaster.web.frame import over_tls
from subscribers.actor import Actor
from subscribers.db import Tx
from subscribers.errors import Denied
from subscribers.models import Organisation
from subscribers.organisations import names_of

COOKIE = "broadsheet"
#: in the address of what a page asks for by itself, again and again: nobody is there who uses it
LIVE = "live"
#: browsers let nobody but this very host set a cookie that is called so
COOKIE_OVER_TLS = "__Host-broadsheet"
#: what a browser keeps when its user has left
DEVICE, DEVICE_OVER_TLS = "device", "__Host-device"
#: the organisations that were chosen in the top bar
PLACES = "places"
RECENT = 5
#: seconds: half a year
_DEVICE_KEPT = 180 * 24 * 3600
_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """The part of the tree that lists and figures are narrowed to."""

    id: int
    path: str
    #: of names
    names: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody. `token` is that of a sign-in, or of a browser that is not signed in."""

    token: str
    is_new: bool
    is_secure: bool
    visitor: Visitor | None = None
    #: the password was right, the code is still to come
    is_halfway: bool = False
    #: chosen in the top bar; None: all that is theirs
    place: Place | None = None

    @property
    def view(self) -> Actor:
        """Who lists and counts: the visitor within the chosen place, with no right more than they have."""
        return replace(self.actor, under=self.place.path) if self.place else self.actor

    @property
    def actor(self) -> Actor:
        """Who it is; raises `Denied` for nobody."""
        return self.signed_in.actor

    @property
    def signed_in(self) -> Visitor:
        """Who is signed in; raises `Denied` for nobody."""
        if self.visitor is None:
            raise Denied("You are not signed in.", hint="Sign in, and try again.")
        return self.visitor

    @property
    def form_token(self) -> str:
        """What a form must carry to be of this browser: it tells nothing of the cookie."""
        return sessions.form_token(self.token)

    def signature(self, of: str) -> str:
        """What only this browser's pages can have been given."""
        return hmac.new(self.token.encode(), of.encode(), hashlib.sha256).hexdigest()


def look(house: Runtime, request: Request) -> Visit:
    """Find out who comes; that they use their sign-in is written down now and then."""
    is_secure = over_tls(request, house.settings.web.public_url)
    token = request.cookies.get(COOKIE_OVER_TLS if is_secure else COOKIE, "")
    if not _TOKEN.fullmatch(token):
        return Visit(secrets.token_urlsafe(32), is_new=True, is_secure=is_secure)
    with house.reading() as tx:
        visitor = sign_in.visitor(tx.session, token, now=tx.now, door=Door.WEB)
        is_halfway = visitor is None and sign_in.is_halfway(tx.session, token, now=tx.now)
        is_to_be_noted = visitor is not None and visitor.is_to_be_noted(tx.now)
        place = _place(tx, visitor.actor, request) if visitor is not None else None
    if visitor is not None and is_to_be_noted and LIVE not in request.query_params:
        with house.begin() as tx:
            sessions.used(tx.session, visitor.sign_in_id, now=tx.now)
    return Visit(token, is_new=False, is_secure=is_secure, visitor=visitor, is_halfway=is_halfway, place=place)


def places_of(request: Request) -> list[int]:
    """The organisations that this browser's user has narrowed to: now (0: to none), and before."""
    ids = request.cookies.get(PLACES, "").split(".")
    return [int(each) for each in ids[: 1 + RECENT] if each.isascii() and each.isdigit() and len(each) < 16] or [0]


def give_places(response: Response, visit: Visit, places: Sequence[int]) -> None:
    """Let the browser keep where its user narrows to. It opens nothing: who they are is asked for each time."""
    kept = ".".join(str(each) for each in places[: 1 + RECENT])
    response.set_cookie(PLACES, kept, httponly=True, secure=visit.is_secure, samesite="lax", path="/")


def _place(tx: Tx, actor: Actor, request: Request) -> Place | None:
    chosen = places_of(request)[0]
    if not chosen:
        return None
    path = tx.session.scalar(select(Organisation.path).where(Organisation.id == chosen))
    # gone, moved away, or of whoever used this browser before
    if not path or not path.startswith(actor.under) or path == actor.under:
        return None
    return Place(chosen, path, names_of(tx.session, [path])[path])


def give(response: Response, visit: Visit, token: str) -> None:
    """Let the browser come with this token from now on, until it is closed."""
    name = COOKIE_OVER_TLS if visit.is_secure else COOKIE
    response.set_cookie(name, token, httponly=True, secure=visit.is_secure, samesite="lax", path="/")


def device_of(request: Request) -> str:
    """What this browser keeps of those who have signed in from it; "" if nobody has."""
    return request.cookies.get(DEVICE_OVER_TLS, "") or request.cookies.get(DEVICE, "")


def give_device(response: Response, visit: Visit, kept: str) -> None:
    """Let the browser keep this: see `broadcaster.access.devices`."""
    name = DEVICE_OVER_TLS if visit.is_secure else DEVICE
    response.set_cookie(
        name, kept, max_age=_DEVICE_KEPT, httponly=True, secure=visit.is_secure, samesite="strict", path="/"
    )


async def _present(request: Request) -> Visit:
    visit: Visit = request.state.visit
    return visit


#: who is there, for the handler of a route that was declared in `doors`
Here = Annotated[Visit, Depends(_present)]
