"""Dated changes laid over one another, and over what the configuration says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import ProfileChange
from broadcaster.campaigns.profiles import (
    Profile,
    Tariff,
    carried,
    dress_at,
    has_length,
    is_closed,
    profile_on,
    standing,
    tariffs,
)
from broadcaster.gateways.contract import Capabilities
from broadcaster.sms import LATIN1
from tests.factories import NOW

ZONE = ZoneInfo("Asia/Shanghai")
MARCH, JUNE = date(2026, 3, 1), date(2026, 6, 1)


def change(id_: int, day: date, *, withdrawn: bool = False, **values: Any) -> ProfileChange:
    return ProfileChange(id=id_, gateway="carrier", day=day, values=values, withdrawn_at=NOW if withdrawn else None)


def test_each_key_has_the_value_of_the_last_day_before() -> None:
    rows = [change(1, JUNE, price="0.06"), change(2, MARCH, price="0.05", max_parts=4)]
    assert profile_on(rows, date(2026, 2, 28)) == Profile()
    assert profile_on(rows, MARCH) == Profile(price=Decimal("0.05"), max_parts=4)
    assert profile_on(rows, JUNE) == Profile(price=Decimal("0.06"), max_parts=4)


def test_of_one_day_what_was_written_later_holds_and_what_was_taken_back_does_not() -> None:
    rows = [change(2, MARCH, opt_out="T"), change(1, MARCH, opt_out="R"), change(3, MARCH, withdrawn=True, opt_out="X")]
    assert profile_on(rows, MARCH).opt_out == "T"
    assert [each.id for each in standing(rows)] == [1, 2]


def test_what_is_not_set_is_as_the_configuration_has_it() -> None:
    can = Capabilities(max_parts=7, forbidden="#", reference_bits=16)
    assert carried(can, Profile()) == can
    own = carried(can, Profile(max_parts=3, forbidden="", alphabet="latin1", reference_bits=8, bill="chars_70_67"))
    assert own == Capabilities(max_parts=3, alphabet=LATIN1, bill="chars_70_67")
    paper = Dress("【晨晖】", "R")
    assert dress_at(paper, Profile()) == paper
    # nothing at all can be demanded, too
    assert dress_at(paper, Profile(opt_out="", signature_place="tail")) == Dress("【晨晖】", "", "tail")


@pytest.mark.parametrize(
    ("window", "hour", "closed"),
    [
        ("", 3, False),
        ("08:00-21:00", 7, True),
        ("08:00-21:00", 8, False),
        ("08:00-21:00", 20, False),
        ("08:00-21:00", 21, True),
        ("20:00-06:00", 12, True),
        ("20:00-06:00", 23, False),
        ("00:00-00:00", 12, False),
    ],
)
def test_the_window_is_in_the_papers_own_time(window: str, hour: int, closed: bool) -> None:
    now = datetime(2026, 11, 22, hour, tzinfo=ZONE).astimezone(UTC)
    assert is_closed(Profile(sending_window=window), ZONE, now) is closed


def test_the_length_of_a_signature_is_without_its_brackets() -> None:
    demand = Profile(signature_length="3-8")
    assert [has_length(each, demand) for each in ("【晨晖】", "【晨晖报】", f"【{'晨' * 8}】", f"【{'晨' * 9}】")] == [
        False,
        True,
        True,
        False,
    ]
    assert has_length("", Profile())


def test_prices_since_when() -> None:
    rows = [
        change(1, MARCH, price="0.05"),
        change(2, JUNE, currency="EUR"),
        change(3, date(2026, 7, 1), opt_out="T"),
        change(4, date(2026, 8, 1), withdrawn=True, price="9"),
    ]
    assert tariffs(rows, Decimal("0.04"), "CNY") == [
        Tariff(date.min, Decimal("0.04"), "CNY"),
        Tariff(MARCH, Decimal("0.05"), "CNY"),
        Tariff(JUNE, Decimal("0.05"), "EUR"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"colour": "red"},
        {"sending_window": "25:00-26:00"},
        {"sending_window": "8-9"},
        {"signature_place": "middle"},
        {"signature_length": "three"},
        {"signature": "x" * 41},
        {"max_parts": "0"},
        {"max_parts": ""},
        {"reference_bits": "12"},
        {"price": "-1"},
        {"price": "NaN"},
        {"currency": "yuan"},
        {"alphabet": "gbk"},
    ],
)
def test_what_cannot_be_set(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Profile.model_validate(given)
