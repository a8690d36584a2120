"""Numbers and times as people read them, in their language. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from broadcaster.language import language, ntr, tr

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def count(n: int) -> str:
    """1,274"""
    return f"{n:,}"


def about(n: int) -> str:
    """A number that is known to two figures: 130 万, 1.3 million."""
    rounded = float(f"{n:.1e}")
    if language() == "zh":
        return f"{rounded / 10_000:g} 万" if rounded >= 10_000 else f"{rounded:g}"
    return f"{rounded / 1_000_000:g} million" if rounded >= 1_000_000 else f"{rounded:,.0f}"


def share(part: int, whole: int) -> str:
    """A share in percent with one decimal; 100% and 0% only when it is exactly all or nothing."""
    if whole <= 0:
        return "—"
    if part in (0, whole):
        return "100%" if part else "0%"
    tenths = round(1000 * part / whole)
    if tenths < 1:
        return tr("below 0.1%")
    if tenths > 999:
        return tr("over 99.9%")
    return f"{tenths / 10:.1f}%"


def money(amount: Decimal, currency: str) -> str:
    """An amount as people write it: ¥182.35, in English CNY 182.35; what costs anything never costs 0.00."""
    told = f"{amount:,.2f}"
    return price(amount, currency) if amount and not Decimal(told.replace(",", "")) else _of(currency, told)


def price(amount: Decimal, currency: str) -> str:
    """What one of something costs, to the last place that was agreed: ¥0.048, CNY 0.0079."""
    places = -int(amount.normalize().as_tuple().exponent)
    return _of(currency, f"{amount:,.{max(places, 3)}f}")


def _of(currency: str, figure: str) -> str:
    return f"¥{figure}" if currency == "CNY" and language() == "zh" else f"{currency} {figure}"


def when(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An instant as it is told today: 3 minutes ago; 10:42; yesterday 10:42; 19 Nov, 10:42; 19 Nov 2025."""
    ago = now - instant
    if timedelta(0) <= ago < timedelta(minutes=1):
        return tr("just now")
    if timedelta(0) < ago < timedelta(hours=1):
        return ntr("{n} minute ago", "{n} minutes ago", int(ago.total_seconds() // 60))
    return since(instant, now, zone)


def since(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """An instant by the clock, to follow a word like "since": 10:42; yesterday 10:42; 19 Nov, 10:42; 19 Nov 2025."""
    local, today = instant.astimezone(zone), now.astimezone(zone).date()
    time = f"{local:%H:%M}"
    if local.date() == today:
        return time
    if local.date() == today - timedelta(days=1):
        return tr("yesterday {time}", time=time)
    if local.year == today.year or instant > now:
        return tr("{day} {month}, {time}", day=local.day, month=_month(local), time=time)
    return on_day(local)


def on_day(day: date, *, weekday: bool = False) -> str:
    """A day: 19 Nov 2026; or Thursday, 19 Nov 2026."""
    told = {"day": day.day, "month": _month(day), "year": day.year}
    if not weekday:
        return tr("{day} {month} {year}", **told)
    named = "星期" + "一二三四五六日"[day.weekday()] if language() == "zh" else _WEEKDAYS[day.weekday()]
    return tr("{weekday}, {day} {month} {year}", **told, weekday=named)


def _month(day: date) -> str:
    return str(day.month) if language() == "zh" else _MONTHS[day.month - 1]


def widths(figures: Sequence[int], whole: int, *, least: int) -> list[int]:
    """Shares of a bar `whole` wide, one for each figure, that fill it exactly; nothing above 0 is below `least`."""
    total = sum(figures)
    if not total:
        return [0] * len(figures)
    made = [max(least, whole * figure // total) if figure else 0 for figure in figures]
    # what rounding left over, or what the small ones took, is the business of the widest
    made[made.index(max(made))] += whole - sum(made)
    return made
