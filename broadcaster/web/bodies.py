"""Bodies of requests, of a decent size and in a decent time."""

from __future__ import annotations

import asyncio

from fastapi import HTTPException, Request
from starlette.requests import ClientDisconnect

#: no carrier needs more for a receipt or a message
MOST = 64 * 1024
#: seconds in which a body has to arrive
PATIENCE = 10.0


async def read_body(request: Request) -> bytes:
    """The body, at most `MOST` bytes of it. A longer one is refused by its announced length, before it is read."""
    announced = request.headers.get("content-length", "0")
    if not announced.isdigit() or int(announced) > MOST:
        raise HTTPException(413)
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for piece in request.stream():
                body += piece
                if len(body) > MOST:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        # nobody is left to read the answer
        raise HTTPException(400) from None
    return bytes(body)
