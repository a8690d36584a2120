"""Who works here: made, given another role or place, let in no more, by an administrator of their part of the tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from broadcaster.access import passwords, users
from broadcaster.access.models import Role
from broadcaster.access.users import Account
from broadcaster.language import msgid, tr
from broadcaster.newsroom.acting import attempt
from broadcaster.newsroom.drawing import READ, done, draw, trouble
from broadcaster.newsroom.members import PAGE
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import actor_word, place_words, role_word
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Outdated
from subscribers.seen import stamped

router = APIRouter()

PATH = "/settings/users"


@shows(router, PATH, needs=Right.ADMINISTER)
def listing(request: Request, house: House, visit: Here, after: str = "") -> Response:
    """The users of one's part of the tree, fifty at a time, and the form for another."""
    return _draw(request, house, visit, after=after)


@takes(router, PATH, needs=Right.ADMINISTER)
def add(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another user; their password is shown once, on the page that answers."""
    password = passwords.generate()
    name, role, under = form.text("name"), form.text("role"), form.text("under")

    def work(tx: Tx) -> Account:
        return users.add(tx.session, visit.actor, name, role, under=under, password=password, now=tx.now)

    def again(error: BroadsheetError) -> Response:
        about = error.fields.keys()
        wrong = "under" if "path" in about else "name" if "name" in about and "role" not in about else ""
        return _draw(request, house, visit, error, wrong, name=name, role=role, under=under)

    return _given(request, house, password, work, again)


@takes(router, PATH + "/change", needs=Right.ADMINISTER)
def change(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another role, another place; a disabled user is let in again."""
    name, role, under = form.text("name"), form.text("role"), form.text("under")

    def work(tx: Tx) -> Response:
        before = users.find(tx.session, visit.actor, name)
        enable = bool(form.text("enable"))
        read = form.text(READ)
        after = users.change(
            tx.session, visit.actor, name, role=role, under=under, enable=enable, read=read, now=tx.now
        )
        undo = "" if before.disabled_at else PATH + "/change"
        read = stamped(users.mark_of(after), tx.now)
        back = {"name": before.name, "role": before.role, "under": before.under, READ: read}
        told = msgid("Changed: {name}. They sign in anew.")
        return done(visit, PATH, told, name=before.name, undo=undo, undo_fields=back)

    def again(error: BroadsheetError) -> Response:
        return _draw(request, house, visit, error, "theirs" if isinstance(error, Outdated) else "")

    return attempt(house, work, again)


@takes(router, PATH + "/disable", needs=Right.ADMINISTER)
def disable(request: Request, house: House, visit: Here, form: Form) -> Response:
    """A user is let in no more."""

    def work(tx: Tx) -> Response:
        gone = users.disable(tx.session, visit.actor, form.text("name"), now=tx.now)
        read = stamped(users.mark_of(gone), tx.now)
        back = {"name": gone.name, "role": gone.role, "under": gone.under, "enable": "1", READ: read}
        told = msgid("{name} is let in no more.")
        return done(visit, PATH, told, name=gone.name, undo=PATH + "/change", undo_fields=back)

    return attempt(house, work, lambda error: _draw(request, house, visit, error))


@takes(router, PATH + "/password", needs=Right.ADMINISTER)
def give_password(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another password, shown once; they are asked to replace it."""
    password = passwords.generate()

    def work(tx: Tx) -> Account:
        return users.set_password(tx.session, visit.actor, form.text("name"), password, now=tx.now)

    return _given(request, house, password, work, lambda error: _draw(request, house, visit, error))


@takes(router, PATH + "/new-phone", needs=Right.ADMINISTER)
def new_phone(request: Request, house: House, visit: Here, form: Form) -> Response:
    """They set up the codes of another phone."""

    def work(tx: Tx) -> Response:
        account = users.drop_second_factor(tx.session, visit.actor, form.text("name"), now=tx.now)
        return done(visit, PATH, msgid("{name} sets up another phone at the next sign-in."), name=account.name)

    return attempt(house, work, lambda error: _draw(request, house, visit, error))


def _given(
    request: Request,
    house: Runtime,
    password: str,
    work: Callable[[Tx], Account],
    otherwise: Callable[[BroadsheetError], Response],
) -> Response:
    """The page with a password that is shown now and never again: only once it is committed."""
    try:
        with house.begin() as tx:
            account = work(tx)
    except BroadsheetError as error:
        return otherwise(error)
    visit: Visit = request.state.visit
    return _draw(request, house, visit, given=(account.name, password))


def _draw(
    request: Request,
    house: Runtime,
    visit: Visit,
    error: BroadsheetError | None = None,
    wrong: str = "",
    *,
    given: tuple[str, str] = ("", ""),
    name: str = "",
    role: str = Role.EDITOR,
    under: str = "",
    after: str = "",
) -> Response:
    with house.reading() as tx:
        found, now = users.listing(tx.session, visit.view, after=after, limit=PAGE + 1), tx.now
    lines: list[dict[str, Any]] = [
        _line(house, one, when(one.created_at, now, house.settings.zone)) for one in found[:PAGE]
    ]
    return draw(
        request,
        "users.html",
        status=422 if error else 200,
        trouble=trouble(error, wrong) if error else None,
        users=lines,
        onward=urlencode({"after": found[PAGE - 1].name}) if len(found) > PAGE else "",
        roles=[(each.value, role_word(each)) for each in Role],
        given=given,
        name=name,
        role=role,
        under=under,
    )


def _line(house: Runtime, one: Account, since: str) -> dict[str, Any]:
    return {
        "name": one.name,
        "role": one.role,
        "role_word": role_word(one.role),
        "under": place_words(one.under),
        "place": place_words(one.under) or tr("the whole tree"),
        "since": since,
        "made_by": actor_word(one.created_by),
        "is_disabled": one.disabled_at is not None,
        "has_second_factor": one.has_second_factor,
        "mark": users.mark_of(one),
    }
