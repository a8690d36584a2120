"""Hours in which nothing but an urgent notice or an answer is handed over. Pure; in the paper's own time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_until(hours: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The instant at which the quiet hours end that `now` lies in, or None when it lies in none.

    `hours` is `"21:00-08:00"` in the paper's own time, over midnight or not; empty is never.
    """
    if not hours:
        return None
    begin, end = (time.fromisoformat(part) for part in hours.split("-"))
    local = now.astimezone(zone)
    clock = local.time().replace(tzinfo=None)
    quiet = begin <= clock < end if begin <= end else (clock >= begin or clock < end)
    if not quiet:
        return None
    day = local.date() + timedelta(days=1 if clock >= end else 0)
    # in the night when the clock goes back, the second of two equal hours stays the second
    return datetime.combine(day, end.replace(fold=local.fold), tzinfo=zone).astimezone(UTC)
