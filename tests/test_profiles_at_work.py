"""The profile of a day where the whole installation is put together: ways, answers, hours, prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from broadcaster.campaigns import profile_changes
from broadcaster.campaigns.models import Lane
from broadcaster.runtime import Runtime, make_runtime
from broadcaster.settings import load
from subscribers.actor import OPERATOR
from subscribers.db import Tx

CONFIG = """\
[paper]
name = "晨晖"
signature = "【晨晖】"
quiet_hours = "21:00-07:00"
[store]
url = "{url}"
[gateways.carrier]
kind = "simulator"
price = "0.05"
[gateways.other]
kind = "simulator"
"""
#: in Shanghai: noon of the 1st of December, half an hour before, and half an hour after the day ends
NOON = datetime(2026, 12, 1, 4, tzinfo=UTC)
BEFORE, AFTER = datetime(2026, 12, 1, 15, 30, tzinfo=UTC), datetime(2026, 12, 1, 16, 30, tzinfo=UTC)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[Runtime]:
    file = tmp_path / "broadsheet.toml"
    file.write_text(CONFIG.format(url=database_url), encoding="utf-8")
    runtime = make_runtime(load(file, data=tmp_path), clock=lambda: NOON)
    yield runtime
    runtime.close()


def write(house: Runtime, day: date, **given: str) -> None:
    with house.begin() as tx:
        profile_changes.write(tx.session, OPERATOR, "carrier", given, day, now=tx.now)


def test_a_way_is_that_of_the_day(house: Runtime) -> None:
    write(house, date(2026, 12, 2), price="0.06", currency="EUR", max_parts="3", forbidden="★")
    with house.reading() as tx:
        now, later = house.ways(tx)["carrier"], house.ways(tx, at=AFTER)["carrier"]
        assert (now.price, now.capabilities.max_parts) == (Decimal("0.05"), 10)
        assert (later.price, later.currency) == (Decimal("0.06"), "EUR")
        assert (later.capabilities.max_parts, later.capabilities.forbidden) == (3, "★")
        # the day in the paper's own time has not turned yet
        assert house.ways(tx, at=BEFORE)["carrier"] == now
        # what was planned for a day that has passed would go out today
        assert house.ways(Tx(tx.session, AFTER), at=NOON)["carrier"] == later
        assert house.ways(tx, at=AFTER)["other"].price == 0


def test_an_answer_is_in_the_words_of_its_gateway(house: Runtime) -> None:
    write(house, date(2026, 12, 1), signature="【报】", opt_out="退订回T", signature_place="tail", reference_bits="16")
    with house.reading() as tx:
        desk = house.desk(tx)
    assert (desk.at("other").signature, desk.at("other").place) == ("【晨晖】", "front")
    own = desk.at("carrier")
    assert (own.signature, own.opt_out, own.place) == ("【报】", "退订回T", "tail")
    # a turn hands answers over in the width of the configuration
    assert own.gateways["carrier"].reference_bits == 8


@pytest.mark.parametrize(
    ("hour", "window", "up_to"),
    [
        (12, "", Lane.BULK),
        (22, "", Lane.URGENT),
        (12, "08:00-20:30", Lane.BULK),
        (20, "08:00-20:30", Lane.BULK),
        (7, "08:00-20:30", Lane.ANSWER),
        (22, "08:00-20:30", Lane.ANSWER),
        # open by the operator, and quiet by ourselves
        (22, "08:00-23:00", Lane.URGENT),
    ],
)
def test_the_stricter_of_quiet_hours_and_window(house: Runtime, hour: int, window: str, up_to: Lane) -> None:
    write(house, date(2026, 12, 1), sending_window=window)
    now = NOON + timedelta(hours=hour - 12)
    with house.reading() as tx:
        assert house.press("carrier").up_to(tx.session, now) == up_to
        # the window of one gateway is not that of another
        assert house.press("other").up_to(tx.session, now) == (Lane.URGENT if hour == 22 else Lane.BULK)
        # and it holds from its day on
        assert house.press("carrier").up_to(tx.session, now - timedelta(days=1)) in (Lane.URGENT, Lane.BULK)


def test_tariffs_are_kept(house: Runtime) -> None:
    write(house, date(2026, 12, 5), price="0.06")
    with house.reading() as tx:
        found = house.tariffs(tx.session)
    assert [(each.day, each.price) for each in found["carrier"]] == [
        (date.min, Decimal("0.05")),
        (date(2026, 12, 5), Decimal("0.06")),
    ]
    assert len(found["other"]) == 1
