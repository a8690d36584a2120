"""The only clock. `runtime` asks it once per transaction; everything below is given `now`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Now = Callable[[], datetime]


def utc_now() -> datetime:
    """This instant, in UTC, with its zone."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds that never jump: for rates, time-outs and liveness, where a clock set by hand must not count."""
    return time.monotonic()
