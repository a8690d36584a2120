"""The columns that come back in every edition: a tree with owners."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broadcaster.language import msgid, tr
from broadcaster.newspaper import columns
from broadcaster.newsroom.drawing import READ, done, draw, trouble
from broadcaster.newsroom.members import Id
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Conflict, Invalid
from subscribers.seen import stamped

router = APIRouter()

PATH = "/items/columns"


@shows(router, PATH, needs=Right.SEE)
def tree(request: Request, house: House, visit: Here) -> Response:
    """All of them."""
    return _draw(request, house, visit)


@takes(router, PATH, needs=Right.EDIT)
def add(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another one."""
    try:
        with house.begin() as tx:
            name, owner, parent = form.text("name"), form.text("owner"), _number(form, "parent")
            made = columns.add(tx.session, visit.actor, name, parent=parent, owner=owner, now=tx.now)
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, error, form.text("name"), form.text("owner"))
    return done(visit, PATH, msgid("The column {name} is there."), name=made.name)


def starters() -> list[str]:
    """Names that many papers begin with, in the reader's language."""
    return [tr("News"), tr("Notices"), tr("Around us"), tr("Care"), tr("Learning")]


@takes(router, PATH + "/starter", needs=Right.EDIT)
def begin(request: Request, house: House, visit: Here) -> Response:
    """The columns that are offered to who has none."""
    try:
        with house.begin() as tx:
            columns.begin(tx.session, visit.actor, starters(), now=tx.now)
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, error)
    return done(
        visit, PATH, msgid("Your columns are there. Rename them as you like, add others, end those you do not need.")
    )


@takes(router, PATH + "/{id}", needs=Right.EDIT)
def change(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """Another name and owner."""
    try:
        with house.begin() as tx:
            before = columns.get(tx.session, visit.actor, id)
            back = {"name": before.name, "owner": before.owner}
            name, owner, read = form.text("name"), form.text("owner"), form.text(READ)
            made = columns.change(tx.session, visit.actor, id, name=name, owner=owner, read=read, now=tx.now)
            back[READ] = stamped(columns.mark_of(made), tx.now)
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, error, at=f"name-{id}")
    return done(visit, PATH, msgid("Changed: {name}."), name=made.name, undo=f"{PATH}/{id}", undo_fields=back)


@takes(router, PATH + "/{id}/move", needs=Right.EDIT)
def move(house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """One place up or down among its neighbours."""
    down = form.text("to") == "down"
    with house.begin() as tx:
        name = columns.move(tx.session, visit.actor, id, down=down).name
    back = {"to": "up" if down else "down"}
    return done(visit, PATH, msgid("Moved: {name}."), name=name, undo=f"{PATH}/{id}/move", undo_fields=back)


@takes(router, PATH + "/{id}/remove", needs=Right.EDIT)
def remove(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """A column ends; its items go elsewhere."""
    try:
        with house.begin() as tx:
            name = columns.get(tx.session, visit.actor, id).name
            into, read = _number(form, "into"), form.text(READ)
            moved = columns.remove(tx.session, visit.actor, id, into=into, read=read, now=tx.now)
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, error, at=f"into-{id}")
    return done(visit, PATH, msgid("{name} has ended; {items} items have moved."), name=name, items=moved)


def _number(form: Posted, name: str) -> int | None:
    text = form.text(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _draw(
    request: Request,
    house: Runtime,
    visit: Visit,
    error: BroadsheetError | None = None,
    name: str = "",
    owner: str = "",
    *,
    at: str = "name",
) -> Response:
    with house.reading() as tx:
        lines = columns.tree(tx.session, visit.actor)
    wrong = trouble(error, at) if error else None
    return draw(
        request,
        "columns.html",
        status=422 if error else 200,
        trouble=wrong,
        lines=lines,
        marks={line.id: columns.mark_of(line) for line in lines},
        name=name,
        owner=owner,
        starters=starters(),
    )
