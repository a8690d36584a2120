"""Pages that hold every naughty string, in a real browser: nothing of it runs, and nothing hangs over the side."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser as Chrome

from broadcaster.runtime import Runtime
from tests.browsers import DESKTOP, PHONE, looking
from tests.newsroom.naughty import NAUGHTY
from tests.newsrooms import Browser, Signed, add_user, at, furnish

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PAGES = (
    "/items",
    "/items/columns",
    "/items/new?draft=1",
    "/items/{item}",
    "/editions",
    "/editions/1",
    "/editions/1/check",
    "/members?q=" + "%3Cscript%3Ealert(1)%3C/script%3E",
    "/members/1",
    "/members/organisations",
    "/members/segments",
    "/search?q=" + "%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
    "/settings/users",
    "/settings/words",
    "/settings/records",
    "/p",
    "/p/1",
)


def fill(browser: Browser) -> str:
    """Every string into what takes it. The path of the item that was made last."""
    item = ""
    for n, typed in enumerate(each[:60] for each in NAUGHTY):
        browser.get("/items")
        words = {"headline": typed, "sms": typed, "full": f"**{typed}**\n\n- {typed}", "source": typed}
        made = browser.post("/items/new", **words, whom="everyone")
        if made.status_code == 303:
            item = made.headers["location"].rpartition("/")[2]
            browser.get("/items")
            browser.post(f"/items/{item}/decide", move="accept", note=typed)
            browser.post("/editions/1/place", column="1", item=item, q="")
        browser.get("/items")
        browser.post("/items/columns", name=typed[:40], owner="", parent="")
        browser.post("/members/segments", name=typed[:40], rule="retired")
        browser.post("/members/organisations", under="", name=typed[:40], kind=typed)
        browser.post("/settings/users", name=typed[:40], role="viewer", under="")
        browser.post("/editions/new", number=str(100 + n), day="2026-11-23", title=typed)
        browser.post("/members/1/data", name=typed[:40], birthday="", tags=typed, external_id=typed)
    browser.get("/items")
    browser.post("/settings/words", words="\n".join(each[:60] for each in NAUGHTY))
    browser.post("/items/keep", headline=NAUGHTY[0], sms=NAUGHTY[13], full=NAUGHTY[1])
    browser.post("/editions/1/publish", readers="")
    return item


def test_nothing_runs_and_nothing_hangs_over(house: Runtime, address: str, chrome: Chrome) -> None:
    add_user(house, "li", "editor")
    add_user(house, "wang", "admin")
    furnish(house)
    cookie = Signed(house, "wang").token
    with at(house) as browser:
        browser.client.cookies["broadsheet"] = cookie
        item = fill(browser)
    assert item
    held = []
    for size in (DESKTOP, PHONE):
        with looking(chrome, address, "en", size) as look:
            look.context.add_cookies([{"name": "broadsheet", "value": cookie, "url": address}])
            for path in PAGES:
                look.page.goto(path.replace("{item}", item))
                wide = look.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
                assert wide[0] <= wide[1], f"{path} is {wide[0]} wide in {wide[1]}"
                made = look.page.evaluate("document.querySelectorAll('naughty, [naughty], img[src=x]').length")
                assert made == 0, path
                held.append("alert(1)" in look.page.content())
    assert sum(held) > 20, "the strings stand in these pages"
