"""What every form does: try it, and say on its own page what was wrong, or go on and say what was done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from fastapi import Response

from broadcaster.runtime import Runtime
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid


def attempt(
    house: Runtime, work: Callable[[Tx], Response], otherwise: Callable[[BroadsheetError], Response]
) -> Response:
    """The answer of `work`, in a transaction of its own; what it refuses is undone, and told by `otherwise`."""
    try:
        with house.begin() as tx:
            return work(tx)
    except BroadsheetError as error:
        return otherwise(error)


def read_day(text: str, field: str = "") -> date | None:
    """A day as a browser sends it, or as somebody types it: 2026-11-25; None for nothing.

    Raises `Invalid`, which names the `field` that it was typed into.
    """
    text = text.strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(
            "{text} is no day.", hint="Write it like 2026-11-25.", text=repr(text[:20]), typed_in=field
        ) from None


def read_number(text: str, what: str) -> int:
    """The number of something, as a form of ours carries it. Raises `Invalid`."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Invalid("{number} is no {what}.", number=repr(text[:20]), what=what)
    return int(text)
