"""Members: found by whatever one knows of them, listed by a rule, looked at one by one."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.access import tries
from broadcaster.newsroom.counts import EVERYONE, how_many
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import place_words, standing_words
from subscribers import finding, segments
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Denied, Invalid
from subscribers.finding import FEWEST_DIGITS
from subscribers.msisdn import mask, parse

router = APIRouter()

PAGE = 50
#: whole numbers that are looked for in a quarter of an hour by who sees masked ones: whoever tries all that a masked
#: one may be needs days
NUMBERS = 30
#: no id is larger, in either database
Id = Annotated[int, Path(ge=1, lt=2**53)]
Behind = Annotated[int, Query(ge=0, lt=2**53)]


def today(house: Runtime, tx: Tx) -> date:
    """The day it is where the paper is made."""
    return tx.now.astimezone(house.settings.zone).date()


@shows(router, "/members", needs=Right.SEE)
def members(
    request: Request, house: House, visit: Here, q: str = "", rule: str = "", after: Behind = 0, count: bool = False
) -> Response:
    """Who was looked for, or whom a rule holds, fifty at a time. `?count=1` says how many these are."""
    if may_be_number(q):
        wrong = Invalid(
            "A number is not looked for by an address: addresses are kept in many places.",
            hint="Type it into the field and press the button.",
        )
        return _draw_nobody(request, wrong, "", rule)
    return _draw(request, house, visit, q, rule, after=after, count=count)


@takes(router, "/members", needs=Right.SEE)
def look_for(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The same by the form. What may be a number is answered here, and everything else has an address of its own."""
    q, rule = form.text("q"), form.text("rule")
    if may_be_number(q):
        try:
            count_number(house, visit, q)
        except Denied as error:
            return _draw_nobody(request, error, q, rule)
        return _draw(request, house, visit, q, rule)
    asked = {name: typed for name, typed in (("q", q), ("rule", rule)) if typed.strip()}
    return RedirectResponse(f"/members?{urlencode(asked)}" if asked else "/members", 303)


def may_be_number(text: str) -> bool:
    return sum(sign.isdigit() for sign in unicodedata.normalize("NFKC", text[:200])) >= FEWEST_DIGITS


def count_number(house: Runtime, visit: Visit, q: str) -> None:
    """Count that a whole number is looked for by who sees only masked ones. Raises `Denied` for too many."""
    if Right.NUMBERS in visit.actor.rights:
        return
    try:
        parse(q, house.settings.paper.region)
    except Invalid:
        return
    with house.begin() as tx:
        mine = tries.of_account(visit.signed_in.user_id, "number")
        if tries.claim(tx.session, mine, most=NUMBERS, now=tx.now) is None:
            raise tries.too_often()


def _draw_nobody(request: Request, error: BroadsheetError, q: str, rule: str) -> Response:
    wrong = trouble(error, "q" if q else "rule")
    nothing: dict[str, Any] = {"lines": (), "onward": "", "counted": None, "after": 0}
    return draw(request, "members.html", status=422, trouble=wrong, q=q, rule=rule, **nothing)


def _draw(
    request: Request, house: Runtime, visit: Visit, q: str, rule: str, *, after: int = 0, count: bool = False
) -> Response:
    try:
        with house.reading() as tx:
            lines, onward = _found(house, tx, visit, q, rule, after)
            told = None if q or after else how_many(tx, visit, rule or EVERYONE, today(house, tx), exactly=count)
    except BroadsheetError as error:
        return _draw_nobody(request, error, q, rule)
    return draw(request, "members.html", lines=lines, onward=onward, counted=told, after=after, q=q, rule=rule)


def _found(house: Runtime, tx: Tx, visit: Visit, q: str, rule: str, after: int) -> tuple[Sequence[dict[str, Any]], str]:
    """The lines of a page, and the query of the next one."""
    day = today(house, tx)
    if q.strip():
        region = house.settings.paper.region
        found = finding.find(tx.session, visit.view, q, on=day, limit=PAGE, region=region)
        return [
            _line(each.id, each.name, each.msisdn and mask(each.msisdn), each.status, each.mobile, each.organisation)
            for each in found
        ], ""
    people, behind = segments.some(tx.session, visit.view, rule or EVERYONE, on=day, after=after, limit=PAGE)
    onward = urlencode({"rule": rule, "after": behind}) if behind else ""
    return [
        _line(each.id, each.name, each.msisdn, each.status, each.mobile, each.organisation) for each in people
    ], onward


def _line(id_: int, name: str, number: str | None, status: str, away: bool, organisation: str) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "number": number or "—",
        "standing": standing_words(status, away=away),
        "organisation": place_words(organisation),
    }
