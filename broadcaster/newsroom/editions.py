"""The editions, and a new one with the columns and segments of the last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from broadcaster.campaigns import anew
from broadcaster.language import listed, msgid, tr
from broadcaster.newspaper import editions, making, publishing
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.items import variants_words
from broadcaster.newsroom.members import Behind, today
from broadcaster.newsroom.sends import times_out
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Conflict, Invalid

router = APIRouter()

PATH = "/editions"
#: of a page; older ones are found by their number
SHOWN = 50
#: which field an error is about; any other is about the number
_WRONG = {"The day is missing.": "day", "A title has from 1 to {limit} characters.": "title"}


@shows(router, PATH, needs=Right.SEE)
def listing(request: Request, house: House, visit: Here, before: Behind = 0) -> Response:
    """All of them, the newest first."""
    with house.reading() as tx:
        found = editions.listing(tx.session, visit.view, before=before or None, limit=SHOWN + 1)
        numbers = [line.number for line in found[:SHOWN]]
        behind = anew.left_behind(tx.session, visit.actor, numbers)
        old_pages = publishing.outdated(tx.session, numbers)
        out = times_out(house, tx, visit, numbers)
    lines: list[dict[str, Any]] = [
        {
            "number": line.number,
            "date": line.date,
            "title": line.title,
            "variants": variants_words(line.variants),
            "items": line.items,
            # that it has reached phones matters more than that it was rehearsed
            "out": out[line.number][0]["brief"] if line.number in out else "",
            "older": _older([send.id for send in behind.get(line.number, [])], has_page=line.number in old_pages),
        }
        for line in found[:SHOWN]
    ]
    onward = found[SHOWN - 1].number if len(found) > SHOWN else 0
    return draw(request, "editions.html", lines=lines, onward=onward, before=before)


@shows(router, PATH + "/new", needs=Right.EDIT)
def blank(request: Request, house: House) -> Response:
    """The form, with the next number."""
    with house.reading() as tx:
        number, day = str(editions.next_number(tx.session)), today(house, tx).isoformat()
    return draw(request, "edition_new.html", number=number, day=day, title="")


@takes(router, PATH + "/new", needs=Right.EDIT)
def begin(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another edition."""
    try:
        number, day = number_of(form), day_of(form)
        with house.begin() as tx:
            making.begin(tx.session, visit.actor, number=number, day=day, title=form.text("title"), now=tx.now)
    except (Invalid, Conflict) as error:
        return _again(request, form, error)
    return done(visit, f"{PATH}/{number}", msgid("No. {number} is there. Put items into its columns."), number=number)


def _older(sends: Sequence[int], *, has_page: bool) -> str:
    """What was made of it has other words than it has by now, or goes to others."""
    named = [tr("Send {id}", id=send) for send in sends] + ([tr("Reading page")] if has_page else [])
    return tr("Older than it: {names}", names=listed(named)) if named else ""


def number_of(form: Posted) -> int:
    """The number of an edition as somebody typed it."""
    text = form.text("number").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Invalid("{text} is no number of an edition.", hint="Write digits only.", text=repr(text[:20]))
    return int(text)


def day_of(form: Posted) -> date:
    """The day of an edition."""
    try:
        return date.fromisoformat(form.text("day").strip())
    except ValueError:
        raise Invalid("The day is missing.", hint="Write it year first: 2026-11-23.") from None


def _again(request: Request, form: Posted, error: BroadsheetError) -> Response:
    number, day, title = (form.text(name) for name in ("number", "day", "title"))
    wrong = trouble(error, _WRONG.get(error.message, "number"))
    return draw(request, "edition_new.html", status=422, trouble=wrong, number=number, day=day, title=title)
