"""Editions as members read them, and the archive: for whoever has the address."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from broadcaster.newspaper import publishing
from broadcaster.pages.markdown import as_html
from broadcaster.web.frame import SAFE
from broadcaster.web.house import House
from broadcaster.web.rendering import page, sheets

router = APIRouter()

#: the cookie with the size of type that a reader chose
SIZE = "z"
SIZES = ("1", "2", "3")
_SHOWN = 30
_LONGEST = 50
_TEMPLATES = sheets(Path(__file__).parent / "html")
_TEMPLATES.globals["as_html"] = as_html
# a search is a form, and it leads to ourselves
_POLICY = SAFE["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")
_Behind = Annotated[int, Query(ge=0, lt=2**31)]


@router.get("/p")
def archive(request: Request, house: House, q: str = "", before: _Behind = 0, z: str = "") -> Response:
    """The editions that were published, the newest first."""
    words = q.strip()[:_LONGEST]
    with house.reading() as tx:
        found = publishing.archive(tx.session, words=words, before=before or None, limit=_SHOWN + 1)
    onward = found[_SHOWN - 1].number if len(found) > _SHOWN else 0
    return _draw(request, house, "archive.html", z, lines=found[:_SHOWN], q=words, onward=onward, before=before)


@router.get("/p/{number}")
def edition(request: Request, house: House, number: int, z: str = "") -> Response:
    """One of them."""
    with house.reading() as tx:
        found = publishing.read(tx.session, number) if 0 < number < 2**31 else None
    if found is None:
        raise HTTPException(404)
    return _draw(request, house, "edition.html", z, page=found)


def _draw(request: Request, house: House, template: str, wish: str, **values: Any) -> Response:
    kept = request.cookies.get(SIZE, "")
    size = next((each for each in (wish, kept) if each in SIZES), SIZES[1])
    answer = page(
        template,
        templates=_TEMPLATES,
        headers={"Content-Security-Policy": _POLICY},
        paper=house.settings.paper.name,
        opt_out=house.settings.paper.opt_out,
        written_in="zh-CN" if house.settings.paper.language == "zh" else "en",
        size=size,
        **values,
    )
    if wish in SIZES and wish != kept:
        answer.set_cookie(SIZE, wish, max_age=31_536_000, path="/p", httponly=True, samesite="lax")
    return answer
