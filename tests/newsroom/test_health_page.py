"""Whether all is well, for people; and pages that name nothing as the program does."""

from __future__ import annotations

import re
from html import unescape

import pytest

from broadcaster.runtime import Runtime
from broadcaster.web.doors import DECLARED
from tests.newsroom.test_doors import path_of
from tests.newsrooms import Browser, Signed, add_user, furnish

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


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_page_calls_things_as_the_program_does(admin: Browser, language: str) -> None:
    admin.client.headers["accept-language"] = language
    wrong = {}
    for method, path in DECLARED:
        if method != "GET" or path == "/login/here":
            continue
        for real in {path_of(path), path.replace("{id}", "1").replace("{name}", "wang")}:
            if "{" in real:
                continue
            text = admin.get(real).text
            seen = unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style|pre).*?</\1>", "", text, flags=re.DOTALL)))
            allowed = TYPED if language == "en" else set()
            if found := set(INTERNAL.findall(seen)) - allowed:
                wrong[real] = found
    assert not wrong
