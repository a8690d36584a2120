"""Style, scripts and nothing else: files that every browser may keep, under an address that changes with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from fastapi import APIRouter, HTTPException, Response

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript"}
_FILES: Mapping[str, bytes] = {
    file.relative_to(_FOLDER).as_posix(): file.read_bytes()
    for file in sorted(_FOLDER.rglob("*"))
    if file.suffix in _TYPES
}
_MARKS = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in _FILES.items()}

router = APIRouter()


def asset(name: str) -> str:
    """The address of a file of `static`."""
    return f"/static/{name}?v={_MARKS[name]}"


@router.get("/static/{name:path}")
def static(name: str) -> Response:
    """One of the files that were there when the program began."""
    if name not in _FILES:
        raise HTTPException(404)
    content_type = _TYPES[Path(name).suffix]
    return Response(_FILES[name], headers={"Cache-Control": "public, max-age=86400"}, media_type=content_type)
