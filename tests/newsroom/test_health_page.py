"""Whether all is well, for people; and pages that name nothing as the program does."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from broadcaster.delivery import leases
from broadcaster.delivery.models import Batch, Owner
from broadcaster.gateways.smpp import road
from broadcaster.gateways.smpp.config import SmppConfig
from broadcaster.runtime import Runtime
from broadcaster.web.doors import DECLARED
from tests.newsroom.test_doors import path_of
from tests.newsrooms import Browser, Signed, add_user, furnish
from tests.reports.ledger import make_campaign

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

#: words that are written with an underscore, or that a program calls something by
INTERNAL = re.compile(r"\b[a-z]+_[a-z_]+\b|\bucs-?2\b|\b[a-z]+\.(?:accept|share|add|publish)\b|\[\w+\]")
#: what is typed so
TYPED = {"in_service"}


@pytest.fixture
def admin(house: Runtime, browser: Browser) -> Browser:
    add_user(house, "li", "editor")
    add_user(house, "wang", "admin")
    furnish(house)
    browser.client.cookies["broadsheet"] = Signed(house, "wang").token
    return browser


def test_how_it_is(admin: Browser) -> None:
    page = admin.get("/health").text
    assert "Work in the background" in page
    # nobody serves the queue of this house
    assert "2 things need somebody." in page
    assert "Nobody serves the queue in this process." in page
    assert 'href="/health"' in admin.get("/").text
    assert admin.client.get("/health/ready").headers["content-type"] == "application/json"


@pytest.mark.parametrize(("role", "sees"), [("viewer", False), ("editor", False), ("admin", True)])
def test_what_carriers_said_is_for_whoever_looks_after_gateways(
    house: Runtime, browser: Browser, role: str, *, sees: bool
) -> None:
    with house.begin() as tx:
        campaign = make_campaign(tx.session)
        campaign.state, campaign.started_at = "sending", tx.now - timedelta(minutes=1)
        tx.session.add(Batch(campaign_id=campaign.id, gateway="simulator", lane=2, low=1, high=9, cursor=1))
        owner = Owner(host="h", pid=7, started_at=tx.now)
        tx.session.add(owner)
        tx.session.flush()
        held = house.locks.take(owner.id)
        leases.take(tx.session, "simulator", owner.id, places=1, now=tx.now)
        config = SmppConfig(kind="smpp", host="smpp.carrier.example", system_id="paper")
        leases.unbound(tx.session, "simulator", owner.id, road.refused("simulator", config, 0x0E), now=tx.now)
    add_user(house, "chief", role)
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    for path, told in (("/health", "! not connected"), ("/", "Gateway simulator: nothing leaves by it now.")):
        page = unescape(browser.get(path).text)
        assert told in page
        assert ("0x0000000E" in page) is sees, path
        assert ("Technical details" in page) is sees, path
        assert ("broadsheet up" in page) is (sees and path == "/health"), path
    if sees:
        assert "0x0000000E" in browser.get("/settings/gateways").text
    assert held is not None
    held.release()
    assert "0x0000000E" not in browser.get("/health").text, "what a dead process said of its connection"


@pytest.mark.parametrize(("role", "leads"), [("viewer", "/editions"), ("editor", "/editions/new")])
def test_the_first_page_has_no_commands(house: Runtime, browser: Browser, role: str, leads: str) -> None:
    add_user(house, "chief", role)
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    page = browser.get("/").text
    assert "<pre>" not in page
    assert "broadsheet " not in unescape(re.sub("<[^>]+>", "", page))
    found = re.search(r'<a class="button" href="(/editions[^"]*)">', page)
    assert found
    assert found[1] == leads
    assert browser.get(leads).status_code == 200


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_calls_things_as_the_program_does(admin: Browser, language: str) -> None:
    admin.client.headers["accept-language"] = language
    wrong = {}
    for method, path in DECLARED:
        if method != "GET" or path == "/login/here":
            continue
        for real in {path_of(path), path.replace("{id}", "1").replace("{name}", "0").replace("{number}", "1")}:
            if "{" in real:
                continue
            text = admin.get(real).text
            seen = unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style|pre).*?</\1>", "", text, flags=re.DOTALL)))
            allowed = TYPED if language == "en" else set()
            if found := set(INTERNAL.findall(seen)) - allowed:
                wrong[real] = found
    assert not wrong
