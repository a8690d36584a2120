"""Codes for readers: sent by a worker, whatever hint was lost, and never late; and how many there are."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest

from broadcaster.access import readers
from broadcaster.runtime import Runtime
from broadcaster.tasks import make_app
from subscribers.errors import Denied
from tests.databases import Clock
from tests.factories import generated_msisdn
from tests.pages.test_readers import MINE, OTHERS, STRANGER, TOKEN, asked, house, publish, texts  # noqa: F401


def test_a_worker_knows_how_and_a_lost_hint_is_given_again(house: Runtime, site: httpx2.Client) -> None:  # noqa: F811
    publish(house, "retired")
    app = make_app(house)
    house.publish = None
    asked(site, MINE)
    hints: list[str] = []
    house.publish = lambda wakes: hints.extend(wake.queue for wake in wakes)
    app.tasks["sweep"]()
    assert readers.ASKED in hints
    app.tasks[readers.ASKED]()
    assert len(texts(house)) == 1


def test_what_waited_too_long_is_not_sent(house: Runtime, site: httpx2.Client, clock: Clock) -> None:  # noqa: F811
    publish(house, "retired")
    asked(site, MINE)
    clock.now += readers.LASTS + timedelta(seconds=1)
    assert not texts(house)


def test_a_network_is_told_when_it_asks_too_often(
    house: Runtime,  # noqa: F811
    site: httpx2.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(house, "retired")
    monkeypatch.setattr(readers, "OF_NETWORK", 2)
    asked(site, MINE)
    asked(site, STRANGER)
    answer = asked(site, OTHERS)
    assert answer.status_code == 422
    assert "That was often enough for now." in answer.text


def test_all_networks_together_have_a_ceiling_within_an_hour(
    house: Runtime,  # noqa: F811
    site: httpx2.Client,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(house, "retired")
    monkeypatch.setattr(readers, "OF_NETWORK", 2)
    networks = iter(range(100))
    for name in ("network_of", "provider_of"):
        monkeypatch.setattr(readers.tries, name, lambda address: f"{address} {next(networks)}")
    access = house.settings.access.model_copy(update={"reader_codes_per_hour": 3})
    house.settings = house.settings.model_copy(update={"access": access})
    for number in (MINE, STRANGER, STRANGER):
        assert asked(site, number).status_code == 303
        clock.advance(minutes=10)
    answer = asked(site, OTHERS)
    assert answer.status_code == 422
    assert "Try again in 30 minutes. What is for everyone opens without a code." in answer.text
    clock.advance(minutes=31)
    assert asked(site, OTHERS).status_code == 303
    assert asked(site, OTHERS).status_code == 422


def test_whoever_has_many_networks_shuts_nobody_out(house: Runtime, clock: Clock) -> None:  # noqa: F811
    def gets_one(address: str) -> bool:
        try:
            with house.begin() as tx:
                readers.ask(tx.session, STRANGER, address, house.secret, most=40, now=tx.now)
        except Denied:
            return False
        return True

    for storm in ("2001:db8:{:x}::1", "198.51.{}.7"):
        got = []
        for _ in range(4):
            got.append(sum(gets_one(storm.format(n)) for n in range(50)))
            clock.advance(minutes=15, seconds=1)
        assert got == [20, 4, 4, 4], "half of them, and then a tenth in each quarter of an hour"
        assert gets_one("2a00:1450::7")
        assert gets_one("203.0.113.9")
        clock.advance(hours=1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_village_behind_one_address_is_let_in(house: Runtime, site: httpx2.Client) -> None:  # noqa: F811
    publish(house, "retired")
    form = TOKEN.search(site.get("/p/1/reader").text)
    assert form
    for n in range(100):
        data = {"form_token": form[1], "number": generated_msisdn(200 + n)}
        assert site.post("/p/1/reader", data=data).status_code == 303
