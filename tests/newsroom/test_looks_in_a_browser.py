"""How pages lie in a window, where a picture of them was looked at and found wanting."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from broadcaster.newspaper import items
from broadcaster.runtime import Runtime
from subscribers import segments, transfers
from subscribers.actor import OPERATOR
from tests.browsers import DESKTOP, PHONE, looking
from tests.newsrooms import Signed, add_user, furnish

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def cookie(house: Runtime, address: str) -> dict[str, str]:
    add_user(house, "wang", "admin")
    add_user(house, "li", "editor")
    furnish(house)
    with house.begin() as tx:
        rule = 'status = retired and under("东城/东街分会")'
        segments.save(tx.session, OPERATOR, "东街分会的老人", rule, now=tx.now)
        transfers.ask(tx.session, OPERATOR, 5, "西城", on=tx.now.date(), now=tx.now)
    return {"name": "broadsheet", "value": Signed(house, "wang").token, "url": address}


def box(page: Page, selector: str, at: int = 0) -> dict[str, float]:
    found = page.locator(selector).nth(at).bounding_box()
    assert found is not None, selector
    return {"left": found["x"], "top": found["y"], "width": found["width"], "bottom": found["y"] + found["height"]}


def test_buttons_are_as_wide_as_their_words_on_a_desk(chrome: Browser, address: str, cookie: dict[str, str]) -> None:
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        look.context.add_cookies([cookie])
        look.page.goto("/items/1")
        for button in look.page.locator("main button:visible").all():
            size = button.bounding_box()
            assert size is not None
            assert size["width"] < 300, button.inner_text()


def test_lists_on_a_phone(chrome: Browser, address: str, cookie: dict[str, str]) -> None:
    with looking(chrome, address, "zh-CN", PHONE) as look:
        look.context.add_cookies([cookie])
        page = look.page
        page.goto("/members/transfers")
        refuse, accept = box(page, "td.act button"), box(page, "td.act button", 1)
        assert accept["top"] - refuse["bottom"] >= 8, "two buttons that do the opposite touch"
        assert page.get_by_role("button", name="同意转移").is_visible()
        page.goto("/items/columns")
        assert box(page, "tbody th", 1)["left"] == box(page, "tbody th")["left"]
        inner = "e => parseFloat(getComputedStyle(e).paddingLeft)"
        assert page.locator("th.depth-1").first.evaluate(inner) >= 16, "a column below another is drawn below it"
        page.goto("/editions/1/who")
        size = box(page, "#segment-4 ~ .size")
        assert size["bottom"] - size["top"] < 30, "a number stands in one line, however long the words before it"
        page.goto("/items/3")
        page.get_by_role("button", name="撤稿").click()
        page.get_by_text("✕ 已撤稿").wait_for()
        assert box(page, "section .act > a.button")["width"] == box(page, "section .act > form > button")["width"]
        page.goto("/items")
        weight = page.locator("tbody th .soft").first.evaluate("e => getComputedStyle(e).fontWeight")
        assert weight == "400", "the sentence is no headline"


def test_a_finding_stands_without_gaps(house: Runtime, chrome: Browser, address: str, cookie: dict[str, str]) -> None:
    with house.begin() as tx:
        items.decide(tx.session, OPERATOR, 2, items.Move.SEND_BACK, note="时间待定", now=tx.now)
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        look.context.add_cookies([cookie])
        look.page.goto("/editions/1/check")
        look.page.get_by_text("不能发：").wait_for()
        look.fits()
