"""From nothing to a first administrator, and what is left to do after that."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.access import passwords, sessions, users
from broadcaster.access.models import Door
from broadcaster.language import tr
from broadcaster.newspaper import editions, items
from broadcaster.newspaper.items import Shelf
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.newsroom.paper import signatures
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Open, elsewhere, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit, give
from subscribers import audit, segments
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Denied, Invalid

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, where to do it, and whether it is done."""

    words: str
    path: str
    is_done: bool
    #: what is missing, where the words alone do not say it
    remark: str = ""


def first_link(app: FastAPI, address: str) -> str:
    """Where the first administrator is made, as long as this process lives; "" once there is one.

    Whoever has it could read the terminal or the log of the process: a stranger cannot be faster.
    """
    house: Runtime = app.state.runtime
    with house.reading() as tx:
        if users.has_admin(tx.session):
            return ""
    return f"{address}first?key={_key(app)}"


def _key(app: FastAPI) -> str:
    if not hasattr(app.state, "first_key"):
        app.state.first_key = secrets.token_urlsafe(16)
    key: str = app.state.first_key
    return key


@shows(router, "/first", needs=Open.ANYBODY)
def first(request: Request, house: House, key: str = "") -> Response:
    """The form for the first administrator."""
    _check(request, house, key)
    return draw(request, "first.html", key=key, name="")


@takes(router, "/first", needs=Open.ANYBODY)
def make_first(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The first administrator; they are signed in, and set up their phone next."""
    key, name = form.text("key"), form.text("name")
    _check(request, house, key)
    wrong = "again"
    try:
        if form.text("new") != form.text("again"):
            raise Invalid("The two are not the same.", hint="Nothing was changed; try again.")
        wrong = "new"
        passwords.check(form.text("new"), name)
        wrong = "name"
        with house.begin() as tx:
            made = users.add_first_admin(tx.session, name, form.text("new"), now=tx.now)
            token = sessions.open_for(tx.session, made.id, door=Door.WEB, now=tx.now)
    except BroadsheetError as error:
        return draw(request, "first.html", status=422, trouble=trouble(error, wrong), key=key, name=name)
    answer = RedirectResponse("/account/code", 303)
    give(answer, visit, token)
    return answer


def _check(request: Request, house: Runtime, key: str) -> None:
    with house.reading() as tx:
        if users.has_admin(tx.session):
            raise elsewhere("/login")
    if not hmac.compare_digest(key.encode(), _key(request.app).encode()):
        raise Denied(
            "This link is not the one that was printed.",
            hint="Open the one that was printed where the program was started; each start has another.",
        )


def steps_left(house: Runtime, visit: Visit) -> list[Step]:
    """What a new installation still lacks: name, members, an edition; nothing for who cannot do all of it."""
    actor = visit.actor
    if not {Right.ADMINISTER, Right.REGISTER, Right.OPERATE} <= actor.rights:
        return []
    with house.reading() as tx:
        today = tx.now.astimezone(house.settings.zone).date()
        has_members = bool(segments.people(tx.session, actor, "everyone", on=today, limit=1))
        named = house.settings.paper.is_named
        has_edition = editions.next_number(tx.session) > 1
        if has_members and has_edition and named:
            return []
        has_items = bool(items.listing(tx.session, actor, Shelf.ALL, limit=1))
        has_accepted = bool(items.listing(tx.session, actor, Shelf.READY, limit=1))
        was_tried = bool(audit.read(tx.session, actor, deed="gateways.test", limit=1))
        is_signed = all(each["signature"] for each in signatures(house, tx))
    remark = (
        ""
        if named
        else tr(
            "The paper is still called {name}. The operator gives it its own in the configuration file.",
            name=house.settings.paper.name,
        )
    )
    return [
        Step(tr("You work here"), "/account", True),
        Step(tr("Name and signature of the paper"), "/settings/paper", is_signed and named, remark),
        Step(tr("Send a test message to your phone"), "/settings/gateways", was_tried),
        Step(tr("Take in your members"), "/members/import", has_members),
        Step(tr("Write an item"), "/items/new", has_items),
        Step(tr("Accept it: only then can it stand in an edition"), "/items", has_accepted),
        Step(tr("Make an edition"), "/editions/new", has_edition),
    ]
