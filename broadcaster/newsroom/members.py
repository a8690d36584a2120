"""Members: found by whatever one knows of them, listed by a rule, looked at one by one."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.newsroom.member_page import told_record
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import standing_words
from subscribers import finding, organisations, records, segments
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid
from subscribers.finding import FEWEST_DIGITS
from subscribers.msisdn import mask

router = APIRouter()

PAGE = 50
EVERYONE = "everyone"
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
    if _may_be_number(q):
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
    if _may_be_number(q):
        return _draw(request, house, visit, q, rule)
    asked = {name: typed for name, typed in (("q", q), ("rule", rule)) if typed.strip()}
    return RedirectResponse(f"/members?{urlencode(asked)}" if asked else "/members", 303)


def _may_be_number(text: str) -> bool:
    return sum(sign.isdigit() for sign in unicodedata.normalize("NFKC", text[:200])) >= FEWEST_DIGITS


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
            told = segments.count(tx.session, visit.actor, rule or EVERYONE, on=today(house, tx)) if count else None
    except BroadsheetError as error:
        return _draw_nobody(request, error, q, rule)
    return draw(request, "members.html", lines=lines, onward=onward, counted=told, after=after, q=q, rule=rule)


def _found(house: Runtime, tx: Tx, visit: Visit, q: str, rule: str, after: int) -> tuple[Sequence[dict[str, Any]], str]:
    """The lines of a page, and the query of the next one."""
    day = today(house, tx)
    if q.strip():
        region = house.settings.paper.region
        found = finding.find(tx.session, visit.actor, q, on=day, limit=PAGE, region=region)
        return [
            _line(each.id, each.name, each.msisdn and mask(each.msisdn), each.status, each.mobile, each.organisation)
            for each in found
        ], ""
    people = segments.people(tx.session, visit.actor, rule or EVERYONE, on=day, after=after, limit=PAGE + 1)
    onward = urlencode({"rule": rule, "after": people[PAGE - 1].id}) if len(people) > PAGE else ""
    return [
        _line(each.id, each.name, each.msisdn, each.status, each.mobile, each.organisation) for each in people[:PAGE]
    ], onward


def _line(id_: int, name: str, number: str | None, status: str, away: bool, organisation: str) -> dict[str, Any]:
    return {
        "id": id_,
        "name": name,
        "number": number or "—",
        "standing": standing_words(status, away=away),
        "organisation": organisation,
    }


@shows(router, "/members/organisations", needs=Right.SEE)
def tree(request: Request, house: House, visit: Here, under: str = "", after: Behind = 0) -> Response:
    """One level of the tree, with how many members each has; `under` is a path of names."""
    with house.reading() as tx:
        actor, day = visit.actor, today(house, tx)
        top = organisations.find_by_path(tx.session, actor, under) if under else None
        nodes = organisations.tree(tx.session, actor, top.path if top else None, depth=2 if top or actor.under else 1)
        here = top or next((node for node in nodes if node.path == actor.under), None)
        below = [node for node in nodes if node is not here and node.id != (here.id if here else 0)]
        shown = [node for node in below if node.id > after][: PAGE + 1]
        counts = organisations.count_members(tx.session, actor, shown[:PAGE], on=day)
    lines = [
        {"name": node.name, "names": node.names, "members": counts[node.id], "closed_on": node.closed_on}
        for node in shown[:PAGE]
    ]
    onward = urlencode({"under": under, "after": shown[PAGE - 1].id}) if len(shown) > PAGE else ""
    above = _above(here.names, visit) if here else []
    return draw(request, "organisations.html", here=here, above=above, lines=lines, onward=onward)


def _above(names: str, visit: Visit) -> list[dict[str, str]]:
    """The way to here, as far as it is the visitor's."""
    steps = names.split("/")
    first = max(visit.actor.under.count("/") - 1, 0)
    return [{"name": step, "names": "/".join(steps[: n + 1])} for n, step in enumerate(steps)][first:]


@shows(router, "/members/{id}", needs=Right.SEE)
def member(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """One member, with numbers masked."""
    with house.reading() as tx:
        day = today(house, tx)
        record = records.show(tx.session, visit.actor, id, zone=house.settings.zone, on=day, now=tx.now)
    return draw(request, "member.html", member=told_record(record, day), is_full=False)


@takes(router, "/members/{id}", needs=Right.NUMBERS)
def member_in_full(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """The same with numbers in full; that they were seen is written down."""
    with house.begin() as tx:
        day = today(house, tx)
        record = records.show(
            tx.session, visit.actor, id, full_numbers=True, zone=house.settings.zone, on=day, now=tx.now
        )
    return draw(request, "member.html", member=told_record(record, day), is_full=True)
