from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.gateways.smpp.times import moment

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("written", "second"),
    [
        ("2611221003", 0),
        ("261122100304", 4),
        ("202611221003", 0),
        ("20261122100304", 4),
        ("2026-11-22 10:03:04", 4),
        ("2026-11-22 10:03", 0),
        ("26-11-22 10:03:04", 4),
        ("2026/11/22 10:03:04", 4),
        ("2026.11.22 10:03", 0),
        ("2026-11-22T10:03:04", 4),
        # the standard's own form names its zone
        ("261122100304032+", 4),
        ("261122020304000+", 4),
        ("261121210304020-", 4),
    ],
)
def test_forms_that_carriers_write(written: str, second: int) -> None:
    assert moment(written, SHANGHAI) == datetime(2026, 11, 22, 2, 3, second, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "0",
        "000000000000",
        "0000000000",
        "261322100304",
        "2611321003",
        "2611222503",
        "26112210",
        "NA",
        "2026-11-22",
        "261122100304099+",
        "261122100304000R",
        "２６１１２２１００３",
        "1999-11-22 10:03",
    ],
)
def test_what_is_no_date(written: str) -> None:
    assert moment(written, SHANGHAI) is None


@given(st.integers(1_356_998_400, 4_102_358_400))
def test_every_second_in_each_form(second: int) -> None:
    when = datetime.fromtimestamp(second, UTC)
    assert moment(f"{when:%y%m%d%H%M%S}", UTC) == when
    assert moment(f"{when:%Y%m%d%H%M%S}", UTC) == when
    assert moment(f"{when:%Y-%m-%d %H:%M:%S}", UTC) == when
    minute = when.replace(second=0)
    assert moment(f"{minute:%y%m%d%H%M}", UTC) == minute


@given(st.text("0123456789+-:/. TR", max_size=24))
def test_nothing_raises(written: str) -> None:
    assert moment(written, SHANGHAI) is None or moment(written, SHANGHAI)


def test_an_hour_that_comes_twice_is_some_instant() -> None:
    assert moment("2610250230", ZoneInfo("Europe/Berlin")) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
