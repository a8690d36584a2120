"""Editions as members read them, and the archive: for whoever has the address, or for whom it is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from broadcaster.newspaper import pictures, publishing
from broadcaster.newspaper.corrections import ties
from broadcaster.newspaper.publishing import ReadingPage
from broadcaster.pages.drawing import draw_page
from broadcaster.pages.readers import draw_known, known_readers
from broadcaster.runtime import Runtime
from broadcaster.web.house import House
from broadcaster.web.jpegs import jpeg
from broadcaster.words import STATUSES, status_word
from subscribers.db import Tx

router = APIRouter()

_SHOWN = 30
_LONGEST = 50
_Behind = Annotated[int, Query(ge=0, lt=2**31)]


@router.get("/p")
def archive(request: Request, house: House, q: str = "", before: _Behind = 0) -> Response:
    """The editions that were published, the newest first."""
    words = q.strip()[:_LONGEST]
    with house.reading() as tx:
        found = publishing.archive(tx.session, words=words, before=before or None, limit=_SHOWN + 1)
    onward = found[_SHOWN - 1].number if len(found) > _SHOWN else 0
    return draw_page(request, house, "archive.html", lines=found[:_SHOWN], q=words, onward=onward, before=before)


@router.get("/p/{number}")
def edition(request: Request, house: House, number: int) -> Response:
    """One of them, as far as it is for whoever comes."""
    with house.reading() as tx:
        found, members, is_let_in, columns, hidden = _seen(request, house, tx, number)
        tied = ties(tx.session, [item["id"] for column in columns for item in column["items"]])
    named = status_word(found.readers_named) if found.readers_named in STATUSES else found.readers_named
    if not is_let_in:
        # a rule may tell of people what strangers must not know
        named = named if found.readers_named in STATUSES else ""
        return draw_known(request, house, "closed.html", status=403, page=found, named=named, is_known=bool(members))
    return draw_known(
        request,
        house,
        "edition.html",
        page=found,
        columns=columns,
        ties=tied,
        hidden=hidden,
        is_known=bool(members),
        named=named,
    )


@router.get("/p/{number}/picture/{item}")
def picture(request: Request, house: House, number: int, item: int, larger: bool = False) -> Response:
    """The picture of one of its items, for whoever reads the item there."""
    with house.reading() as tx:
        found, _, _, columns, _ = _seen(request, house, tx, number)
        shown = {each["id"] for column in columns for each in column["items"]} - found.withdrawn
        content = pictures.of_page(tx.session, number, item, large=larger) if item in shown else None
    if content is None:
        raise HTTPException(404)
    return jpeg(content)


def _seen(
    request: Request, house: Runtime, tx: Tx, number: int
) -> tuple[ReadingPage, list[int], bool, list[dict[str, Any]], int]:
    """The edition, who reads, whether they are let in, what is theirs of it, and how many items are not."""
    found = publishing.read(tx.session, number) if 0 < number < 2**31 else None
    if found is None:
        raise HTTPException(404)
    members = known_readers(request, house, tx)
    on = tx.now.astimezone(house.settings.zone).date()
    is_let_in = not found.readers or publishing.holds(tx.session, members, found.readers, on=on)
    columns, hidden = _for_them(tx, found, members, on) if is_let_in else ([], 0)
    return found, members, is_let_in, columns, hidden


def _for_them(tx: Tx, found: ReadingPage, members: list[int], on: date) -> tuple[list[dict[str, Any]], int]:
    """The columns with what is for these readers, and how many items are for others."""
    told: dict[str, bool] = {}
    columns, hidden = [], 0
    for column in found.columns:
        shown = []
        for item in column["items"]:
            rules = item.get("for") or ()
            for rule in rules:
                if rule not in told:
                    told[rule] = publishing.holds(tx.session, members, rule, on=on)
            if not rules or any(told[rule] for rule in rules):
                shown.append(item)
            else:
                hidden += 1
        if shown:
            columns.append({"name": column["name"], "items": shown})
    return columns, hidden
