"""Who is told how the machine is: whoever has the token, or sits at it. Everybody else is a stranger."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from fastapi import Request

from broadcaster.settings import Web
from subscribers.errors import Denied

#: a proxy writes one of these: then the caller is not on this machine
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def is_stranger(request: Request, web: Web) -> bool:
    """Whether this is neither who has the token nor, without one in the settings, a program of this machine."""
    try:
        refuse_strangers(request, web)
    except Denied:
        return True
    return False


def refuse_strangers(request: Request, web: Web) -> None:
    """Raise `Denied` for a stranger, with what would make them none."""
    if web.metrics_token:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {web.metrics_token}".encode()):
            raise Denied("The metrics are for whoever has the token.", hint="It is metrics_token under [web].")
        return
    passed_on = any(header in request.headers for header in _PASSED_ON)
    if web.public_url or passed_on or not _is_here(request.client.host if request.client else ""):
        raise Denied(
            "The metrics are told to programs of this machine only.",
            hint="Set metrics_token under [web], and give it to Prometheus.",
        )
    # a foreign page can point a name of its own at this machine
    if request.url.hostname != "localhost" and not _is_here(request.url.hostname or ""):
        raise Denied("The metrics are not told under a name.", hint="Ask for them by the number of the machine.")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
