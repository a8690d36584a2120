"""The words that editors of one's place are warned of."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from broadcaster.language import msgid
from broadcaster.newspaper import word_lists
from broadcaster.newsroom.drawing import READ, done, draw, trouble
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Invalid, Outdated
from subscribers.seen import mark, stamped

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
            typed = form.text("words").splitlines()
            before = word_lists.save(tx.session, visit.actor, typed, read=form.text(READ), now=tx.now)
            after = stamped(mark(word_lists.own(tx.session, visit.actor)), tx.now)
    except (Invalid, Outdated) as error:
        return _draw(request, house, visit, error, form.text("words"))
    # what is kept in a cookie has no room for a long list
    undo = (
        {"undo": PATH, "undo_fields": {"words": "\n".join(before), READ: after}} if sum(map(len, before)) < 200 else {}
    )
    return done(visit, PATH, msgid("Saved."), **undo)  # type: ignore[arg-type]


def _draw(
    request: Request, house: Runtime, visit: Visit, error: BroadsheetError | None = None, typed: str | None = None
) -> Response:
    with house.reading() as tx:
        own = word_lists.own(tx.session, visit.actor)
        others = [word for word in word_lists.holding(tx.session, visit.actor) if word not in own]
    told = trouble(error, "words") if error else None
    text = "\n".join(own) if typed is None else typed
    mine = set(map(str.strip, text.splitlines()))
    return draw(
        request,
        "words.html",
        status=422 if error else 200,
        trouble=told,
        words=text,
        others=others,
        mark=mark(own),
        theirs=[word for word in own if word not in mine],
        lacking=[word for word in sorted(mine - {""}) if word not in own],
    )
