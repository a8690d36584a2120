"""The words that editors of one's place are warned of."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broadcaster.language import msgid
from broadcaster.newspaper import word_lists
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from subscribers.actor import Right
from subscribers.errors import Invalid

router = APIRouter()

PATH = "/settings/words"


@shows(router, PATH, needs=Right.EDIT)
def words(request: Request, house: House, visit: Here) -> Response:
    """The list, a word in each line."""
    return _draw(request, house, visit)


@takes(router, PATH, needs=Right.EDIT)
def save(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another list."""
    try:
        with house.begin() as tx:
            before = word_lists.save(tx.session, visit.actor, form.text("words").splitlines(), now=tx.now)
    except Invalid as error:
        return _draw(request, house, visit, error, form.text("words"))
    # what is kept in a cookie has no room for a long list
    undo = {"undo": PATH, "undo_fields": {"words": "\n".join(before)}} if sum(map(len, before)) < 200 else {}
    return done(visit, PATH, msgid("Saved."), **undo)  # type: ignore[arg-type]


def _draw(
    request: Request, house: Runtime, visit: Visit, error: Invalid | None = None, typed: str | None = None
) -> Response:
    with house.reading() as tx:
        own = word_lists.own(tx.session, visit.actor)
        others = [word for word in word_lists.holding(tx.session, visit.actor) if word not in own]
    told = trouble(error, "words") if error else None
    text = "\n".join(own) if typed is None else typed
    return draw(request, "words.html", status=422 if error else 200, trouble=told, words=text, others=others)
