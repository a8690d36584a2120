"""One field for members, numbers, items, editions and organisations."""

from __future__ import annotations

import re
import unicodedata
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.newspaper import editions, items
from broadcaster.newspaper.items import Shelf
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.newsroom.items import state_words
from broadcaster.newsroom.members import count_number, may_be_number, today
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.figures import on_day
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import place_words, standing_words
from subscribers import finding, tree_search
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Denied, Invalid
from subscribers.msisdn import mask

router = APIRouter()

#: of each kind; the list of the kind has the others
SHOWN = 10
LONGEST = 100
#: the number of an edition, as people write it
_EDITION = re.compile(r"(?:第|no\.?|#)?\s*(\d{1,8})\s*期?", re.IGNORECASE)


@shows(router, "/search", needs=Right.SEE)
def search(request: Request, house: House, visit: Here, q: str = "") -> Response:
    """What was looked for, where it is no number of a telephone."""
    if may_be_number(q):
        wrong = Invalid(
            "A number is not looked for by an address: addresses are kept in many places.",
            hint="Type it into the field and press the button.",
        )
        return _draw_nothing(request, wrong)
    return _draw(request, house, visit, q)


@takes(router, "/search", needs=Right.SEE)
def look_for(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The same by the form: what may be a number is answered here, everything else has an address."""
    q = form.text("q").strip()[:LONGEST]
    if may_be_number(q):
        try:
            count_number(house, visit, q)
        except Denied as error:
            return _draw_nothing(request, error)
        return _draw(request, house, visit, q)
    return RedirectResponse(f"/search?q={quote(q)}" if q else "/search", 303)


def _draw_nothing(request: Request, wrong: BroadsheetError) -> Response:
    return draw(request, "search.html", status=422, trouble=trouble(wrong, "seek"), q="", kinds=[], is_asked=False)


def _draw(request: Request, house: Runtime, visit: Visit, q: str) -> Response:
    q = q.strip()[:LONGEST]
    kinds: list[dict[str, Any]] = []
    if q:
        with house.reading() as tx:
            kinds = [
                {"kind": "editions", "lines": _editions(tx, visit, q), "all": ""},
                {"kind": "members", "lines": _members(house, tx, visit, q), "all": _all("/members", q)},
                {"kind": "items", "lines": _items(tx, visit, q), "all": _all("/items", q)},
                {"kind": "organisations", "lines": _organisations(tx, visit, q), "all": ""},
            ]
    return draw(request, "search.html", q=q, kinds=[kind for kind in kinds if kind["lines"]], is_asked=bool(q))


def _all(path: str, q: str) -> str:
    return "" if may_be_number(q) else f"{path}?q={quote(q)}"


def _members(house: Runtime, tx: Tx, visit: Visit, q: str) -> list[dict[str, str]]:
    try:
        found = finding.find(
            tx.session, visit.view, q, on=today(house, tx), limit=SHOWN, region=house.settings.paper.region
        )
    except BroadsheetError:
        # a text that is nobody's may be in an item
        return []
    return [
        {
            "path": f"/members/{each.id}",
            "name": each.name,
            "more": " · ".join(
                (
                    mask(each.msisdn) if each.msisdn else "—",
                    standing_words(each.status, away=each.mobile),
                    place_words(each.organisation),
                )
            ),
        }
        for each in found
    ]


def _items(tx: Tx, visit: Visit, q: str) -> list[dict[str, str]]:
    found = items.listing(tx.session, visit.view, Shelf.ALL, words=q, limit=SHOWN)
    return [
        {"path": f"/items/{each.id}", "name": each.headline, "more": f"{state_words(each)} · {each.sms}"}
        for each in found
    ]


def _editions(tx: Tx, visit: Visit, q: str) -> list[dict[str, str]]:
    match = _EDITION.fullmatch(unicodedata.normalize("NFKC", q))
    number, title = int(match[1]) if match else -1, q.casefold()
    found = [
        line
        for line in editions.listing(tx.session, visit.view)
        if line.number == number or title in line.title.casefold()
    ]
    return [
        {
            "path": f"/editions/{line.number}",
            "number": str(line.number),
            "name": line.title,
            "more": on_day(line.date),
        }
        for line in found[:SHOWN]
    ]


def _organisations(tx: Tx, visit: Visit, q: str) -> list[dict[str, str]]:
    return [
        {"path": f"/members/organisations?under={quote(names)}", "name": place_words(names), "more": ""}
        for _, names in tree_search.find(tx.session, visit.view, q, limit=SHOWN)
    ]
