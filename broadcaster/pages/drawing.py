"""What all reading pages have around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fastapi import Request, Response

from broadcaster.runtime import Runtime
from broadcaster.web.figures import on_day
from broadcaster.web.frame import SAFE
from broadcaster.web.markdown import as_html
from broadcaster.web.rendering import other_language, page, sheets

#: the cookie with the size of type that a reader chose
SIZE = "z"
SIZES = ("1", "2", "3")
_TEMPLATES = sheets(Path(__file__).parent / "html")
_TEMPLATES.globals |= {"as_html": as_html, "on_day": on_day}
# a search is a form, and it leads to ourselves
_POLICY = SAFE["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")


def draw_page(
    request: Request,
    house: Runtime,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] = MappingProxyType({}),
    **values: Any,
) -> Response:
    """A page in the size of type that was asked for, or kept."""
    wish, kept = request.query_params.get("z", ""), request.cookies.get(SIZE, "")
    size = next((each for each in (wish, kept) if each in SIZES), SIZES[1])
    answer = page(
        template,
        templates=_TEMPLATES,
        status=status,
        headers={**headers, "Content-Security-Policy": _POLICY},
        paper=house.settings.paper.name,
        opt_out=house.settings.paper.opt_out,
        written_in="zh-CN" if house.settings.paper.language == "zh" else "en",
        size=size,
        **values,
    )
    if wish in SIZES and wish != kept:
        answer.set_cookie(SIZE, wish, max_age=31_536_000, path="/p", httponly=True, samesite="lax")
    return answer


def draw_trouble(request: Request, status: int, what: str, then: str, headers: dict[str, str]) -> Response:
    """What went wrong, as large and as plain as what members read."""
    house: Runtime = request.app.state.runtime
    told = {"what": what, "then": then, "other": other_language(request)}
    here = "" if request.method == "GET" else "/p"
    return draw_page(request, house, "reader_trouble.html", status=status, headers=headers, here=here, **told)
