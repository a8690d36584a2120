"""Browsers that somebody has signed in from before: what is tried there is counted for itself.

So strangers who try an account's passwords use up the tries of strangers, and not its owner's (OWASP's device cookies).
What such a browser keeps says whose it is to nobody but us, lets nobody in, and is nowhere written down here.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

#: who takes turns at one browser
_PEOPLE = 5
_COOKIE = re.compile(r"[\w-]{22}(\.[0-9a-f]{32}){1,5}", re.ASCII)


def mark_of(secret: bytes, cookie: str, user_id: int) -> str:
    """What the tries of this user at this browser are counted under; "" where they have not signed in before."""
    if not _COOKIE.fullmatch(cookie):
        return ""
    browser, *marks = cookie.split(".")
    mine = _mark(secret, browser, user_id)
    return mine if any(hmac.compare_digest(mine, each) for each in marks) else ""


def remembered(secret: bytes, cookie: str, user_id: int) -> str:
    """What a browser keeps from now on, so that this user is known there."""
    browser, *marks = cookie.split(".") if _COOKIE.fullmatch(cookie) else [secrets.token_urlsafe(16)]
    mine = _mark(secret, browser, user_id)
    return ".".join([browser, mine, *(each for each in marks if each != mine)][: 1 + _PEOPLE])


def _mark(secret: bytes, browser: str, user_id: int) -> str:
    return hmac.new(secret, f"device {browser} {user_id}".encode(), hashlib.sha256).hexdigest()[:32]
