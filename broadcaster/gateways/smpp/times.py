"""Times as SMPP and its carriers write them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

#: the standard's absolute time: tenths, then quarters of an hour from UTC and the direction
_ABSOLUTE = re.compile(r"([0-9]{12})([0-9])([0-9]{2})([+-])")
#: year, month, day, hour, minute and perhaps seconds; the first that makes a date of these years is meant
_FORMS = (
    re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})?"),
    re.compile(r"(20[0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})?"),
    re.compile(r"((?:20)?[0-9]{2})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"),
)


@lru_cache(maxsize=1024)
def moment(written: str, zone: tzinfo) -> datetime | None:
    """The instant (in UTC) that a carrier in this zone means; None when it is no date.

    YYMMDDhhmm[ss], YYYYMMDDhhmm[ss], with or without separators, and the standard's own form with its own zone.
    Thousands of receipts have the same minute in them: the last ones are remembered.
    """
    absolute = _ABSOLUTE.fullmatch(written)
    if absolute:
        quarters = int(absolute[3]) * (1 if absolute[4] == "+" else -1)
        if abs(quarters) >= 96:
            return None
        written, zone = absolute[1], timezone(timedelta(minutes=15 * quarters))
    for form in _FORMS:
        found = form.fullmatch(written)
        if found:
            year, month, day, hour, minute, second = (int(each or 0) for each in found.groups())
            try:
                return datetime(year % 100 + 2000, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
            except ValueError:
                continue
    return None
