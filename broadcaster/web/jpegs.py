"""Pictures, as browsers get them."""

from __future__ import annotations

from fastapi import Response

_HEADERS = {
    # its address changes with it; who may see it now may not for ever
    "Cache-Control": "private, max-age=3600",
    # a browser that shows it alone puts it on a page of its own making
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


def jpeg(content: bytes) -> Response:
    """A JPEG for who has asked for it, and for the cache of that browser alone."""
    return Response(content, headers=_HEADERS, media_type="image/jpeg")
