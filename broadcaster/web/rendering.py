"""Pages from templates. A page is given finished text only: it translates nothing and decides nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from broadcaster.language import language

_HERE = Path(__file__).parent
_STYLE = (_HERE / "static" / "house.css").read_bytes()
#: changes with the content, so that a browser may keep what it has
STYLE_URL = f"/static/house.css?v={hashlib.sha256(_STYLE).hexdigest()[:12]}"

_pages = Environment(
    loader=FileSystemLoader(_HERE / "html"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)

router = APIRouter()


def page(template: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any) -> Response:
    """An HTML page in the reader's language."""
    tag = "zh-CN" if language() == "zh" else "en"
    text = _pages.get_template(template).render(language=tag, style=STYLE_URL, **values)
    return Response(
        text,
        status,
        {**(headers or {}), "Content-Language": tag},
        media_type="text/html",
    )


@router.get("/static/house.css")
def style() -> Response:
    """The one style sheet."""
    return Response(_STYLE, headers={"Cache-Control": "public, max-age=86400"}, media_type="text/css")
