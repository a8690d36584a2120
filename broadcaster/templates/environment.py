"""The Jinja environment of SMS texts: sandboxed, strict, without any of Jinja's own filters, tests and globals."""

from __future__ import annotations

from datetime import date
from typing import Any

from jinja2 import StrictUndefined
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: what may be asked of `loop`
LOOP_ATTRIBUTES = frozenset({"index", "first", "last"})


def as_date(value: str | date) -> date | None:
    """The day a value stands for: a date, or its ISO form at the start of a text; None if it is neither."""
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def default(value: str | date, otherwise: str) -> str | date:
    """The value, or the given words where there is none."""
    return value or otherwise


def day_zh(value: str | date) -> str:
    """11月23日"""
    day = as_date(value)
    return f"{day.month}月{day.day}日" if day else ""


def date_zh(value: str | date) -> str:
    """2026年11月23日"""
    day = as_date(value)
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def day_en(value: str | date) -> str:
    """23 November"""
    day = as_date(value)
    return f"{day.day} {_MONTHS[day.month - 1]}" if day else ""


def date_en(value: str | date) -> str:
    """23 November 2026"""
    day = as_date(value)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}" if day else ""


# not strftime: its month names change with the locale of the machine
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
DATE_FORMS = {form.__name__: form for form in (day_zh, date_zh, day_en, date_en)}


class _Environment(ImmutableSandboxedEnvironment):
    """Attributes are keys: of a dict its items, of `loop` three names. No attribute of a Python object is ever read."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in LOOP_ATTRIBUTES:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Undefined:
        return self.undefined(obj=obj, name=str(argument))


def make_environment() -> _Environment:
    """An environment in which a template can do no more than the allow-list of `check` lets it say."""
    environment = _Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
    environment.globals.clear()
    environment.tests.clear()
    environment.filters.clear()
    environment.filters.update(DATE_FORMS, default=default)
    return environment


ENVIRONMENT = make_environment()
