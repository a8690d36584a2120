"""Pages from templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from broadcaster.language import language, ntr, tr
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
    made.globals |= {"tr": tr, "ntr": ntr, "asset": asset}
    return made


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
    text = templates.get_template(template).render(language=tag, **values)
    return Response(
        text,
        status,
        {**(headers or {}), "Content-Language": tag},
        media_type="text/html",
    )
