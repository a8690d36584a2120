"""Pages from templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from broadcaster.language import language, listed, ntr, tr
from broadcaster.program import program, typed
from broadcaster.web.assets import asset

_HERE = Path(__file__).parent / "html"


def sheets(*folders: Path) -> Environment:
    """The templates of these folders, and those that all doors share. What is put into them is text, never markup."""
    made = Environment(
        loader=FileSystemLoader([*folders, _HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"tr": tr, "ntr": ntr, "listed": listed, "asset": asset}
    made.filters["typed"] = typed
    return made


def other_language(request: Request) -> dict[str, str]:
    """The link to the same page in the other language: its query, the tag of the language, and its own name."""
    code, tag, name = ("en", "en", "English") if language() == "zh" else ("zh", "zh-CN", "中文")
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return {"query": urlencode([*kept, ("lang", code)]), "tag": tag, "name": name}


_SHARED = sheets()


def page(
    template: str,
    *,
    templates: Environment = _SHARED,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> Response:
    """An HTML page in the reader's language."""
    tag = "zh-CN" if language() == "zh" else "en"
    # Chinese has no blank between two sentences
    gap = "" if tag == "zh-CN" else " "
    text = templates.get_template(template).render(language=tag, gap=gap, program=program(), **values)
    return Response(
        text,
        status,
        {**(headers or {}), "Content-Language": tag},
        media_type="text/html",
    )
