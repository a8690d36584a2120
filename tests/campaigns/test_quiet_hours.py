"""Quiet hours in every zone, over midnight and over clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.campaigns.quiet_hours import quiet_until

SHANGHAI = ZoneInfo("Asia/Shanghai")
ZONES = sorted(available_timezones() - {"localtime"})
clocks = st.times(timezones=st.none()).map(lambda t: t.replace(second=0, microsecond=0, fold=0))
instants = st.integers(0, 12 * 366 * 24 * 60).map(lambda m: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=m))


def _at(clock: str, day: int = 21) -> datetime:
    return datetime.fromisoformat(f"2026-11-{day} {clock}+08:00")


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        ("21:00-08:00", _at("20:59"), None),
        ("21:00-08:00", _at("21:00"), _at("08:00", 22)),
        ("21:00-08:00", _at("00:00"), _at("08:00")),
        ("21:00-08:00", _at("07:59:59"), _at("08:00")),
        ("21:00-08:00", _at("08:00"), None),
        ("12:00-14:00", _at("12:00"), _at("14:00")),
        ("12:00-14:00", _at("11:59"), None),
        ("12:00-14:00", _at("14:00"), None),
        ("00:00-06:00", _at("00:00"), _at("06:00")),
        ("20:00-00:00", _at("23:59"), _at("00:00", 22)),
        ("20:00-00:00", _at("00:00"), None),
        ("08:00-08:00", _at("08:00"), None),
        ("", _at("03:00"), None),
    ],
)
def test_the_hours_as_written(hours: str, now: datetime, until: datetime | None) -> None:
    assert quiet_until(hours, SHANGHAI, now.astimezone(UTC)) == until


@given(st.sampled_from(ZONES), instants, clocks, clocks)
def test_the_end_is_ahead_and_is_not_quiet(name: str, now: datetime, begin: time, end: time) -> None:
    zone, hours = ZoneInfo(name), f"{begin:%H:%M}-{end:%H:%M}"
    until = quiet_until(hours, zone, now)
    clock = now.astimezone(zone).replace(tzinfo=None).time()
    inside = begin <= clock < end if begin <= end else not end <= clock < begin
    assert (until is not None) == inside
    if until is not None:
        assert now < until <= now + timedelta(hours=27)
        assert quiet_until(hours, zone, until) is None


@pytest.mark.parametrize(
    ("hours", "now"),
    [
        # 02:30 is left out that night
        ("21:00-02:30", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)),
        # 02:30 comes twice that night; this is between the two
        ("21:00-02:30", datetime(2026, 10, 25, 1, 10, tzinfo=UTC)),
    ],
)
def test_the_nights_when_the_clock_changes(hours: str, now: datetime) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    until = quiet_until(hours, berlin, now)
    assert until is not None
    assert now < until <= now + timedelta(hours=2)
    assert quiet_until(hours, berlin, until) is None
