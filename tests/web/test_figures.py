"""Numbers and times in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.language import Language, set_language
from broadcaster.web.figures import count, money, on_day, price, share, when, widths

ZONE = ZoneInfo("Asia/Shanghai")
#: noon in Shanghai
NOW = datetime(2026, 11, 21, 4, 0, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def language_is_put_back() -> Iterator[None]:
    yield
    set_language(None)


@pytest.mark.parametrize(
    ("amount", "currency", "whole", "each"),
    [
        ("1182.349", "CNY", "1,182.35", "1,182.349"),
        ("12", "CNY", "12.00", "12.000"),
        ("0.0485", "USD", "0.05", "0.0485"),
        ("0.0040", "CNY", "0.004", "0.004"),
        ("0", "CNY", "0.00", "0.000"),
    ],
)
def test_what_it_costs(amount: str, currency: str, whole: str, each: str) -> None:
    set_language("en")
    assert (money(Decimal(amount), currency), price(Decimal(amount), currency)) == (
        f"{currency} {whole}",
        f"{currency} {each}",
    )
    set_language("zh")
    sign = "¥" if currency == "CNY" else f"{currency} "
    assert (money(Decimal(amount), currency), price(Decimal(amount), currency)) == (sign + whole, sign + each)


@pytest.mark.parametrize(
    ("at", "en", "zh"),
    [
        ("2026-11-21T04:00:05", "just now", "刚刚"),
        ("2026-11-21T03:59:20", "1 minute ago", "1 分钟前"),
        ("2026-11-21T03:01:00", "59 minutes ago", "59 分钟前"),
        ("2026-11-21T03:00:00", "11:00", "11:00"),
        ("2026-11-20T16:00:00", "00:00", "00:00"),
        ("2026-11-20T15:59:00", "yesterday 23:59", "昨天 23:59"),
        ("2026-11-19T02:42:00", "19 Nov, 10:42", "11月19日 10:42"),
        ("2025-11-19T02:42:00", "19 Nov 2025", "2025年11月19日"),
        ("2026-11-21T05:00:00", "13:00", "13:00"),
        ("2027-01-02T02:00:00", "2 Jan, 10:00", "1月2日 10:00"),
    ],
)
def test_when(at: str, en: str, zh: str) -> None:
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    told: dict[Language, str] = {}
    for tongue in ("en", "zh"):
        set_language(tongue)
        told[tongue] = when(instant, NOW, ZONE)
    assert told == {"en": en, "zh": zh}


@pytest.mark.parametrize(
    ("day", "en", "zh"),
    [
        (date(2026, 11, 22), "Sunday, 22 Nov 2026", "2026年11月22日 星期日"),
        (date(2025, 2, 3), "Monday, 3 Feb 2025", "2025年2月3日 星期一"),
    ],
)
def test_on_day(day: date, en: str, zh: str) -> None:
    told: dict[Language, str] = {}
    for tongue in ("en", "zh"):
        set_language(tongue)
        told[tongue] = on_day(day, weekday=True)
        assert on_day(day) in told[tongue]
    assert told == {"en": en, "zh": zh}


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 3105, "0%"),
        (3105, 3105, "100%"),
        (3104, 3105, "over 99.9%"),
        (1, 3105, "below 0.1%"),
        (2396, 3105, "77.2%"),
        (1, 3, "33.3%"),
        (0, 0, "—"),
    ],
)
def test_share(part: int, whole: int, told: str) -> None:
    set_language("en")
    assert share(part, whole) == told


@given(st.integers(1, 2_000_000), st.integers(1, 2_000_000))
def test_only_all_is_all_and_only_nothing_is_nothing(part: int, whole: int) -> None:
    part = min(part, whole)
    assert (share(part, whole) == "100%") == (part == whole)
    assert share(part, whole) != "0%"


def test_count() -> None:
    assert count(1234567) == "1,234,567"


@given(st.lists(st.integers(0, 1_000_000), min_size=1, max_size=8))
def test_a_bar_is_filled_and_shows_everyone(figures: list[int]) -> None:
    made = widths(figures, 1000, least=6)
    assert len(made) == len(figures)
    assert sum(made) == (1000 if any(figures) else 0)
    for figure, width in zip(figures, made, strict=True):
        assert (width >= 6) if figure else (width == 0)
