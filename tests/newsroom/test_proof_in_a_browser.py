"""An edition to one's own phone in a real browser, followed to its receipt; and a text of one's own."""

from __future__ import annotations

from time import monotonic

import pytest
from playwright.sync_api import Browser, Page

from broadcaster.binds import holding
from broadcaster.delivery import receipts
from broadcaster.runtime import Runtime
from tests.browsers import DESKTOP, PHONE, Look, looking
from tests.newsrooms import Signed, add_user, furnish

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def furnished(house: Runtime) -> None:
    add_user(house, "li", "editor")
    furnish(house)


def enter(house: Runtime, look: Look, address: str) -> Page:
    look.context.add_cookies([{"name": "broadsheet", "value": Signed(house, "li").token, "url": address}])
    return look.page


def arrived(house: Runtime, page: Page) -> None:
    """The carrier does its part; nobody loads the page again."""
    told = page.locator("#proofs").get_by_text("送达").first
    deadline = monotonic() + 60
    while not told.is_visible() and monotonic() < deadline:
        house.send("simulator")
        with house.begin() as tx:
            receipts.apply(tx.session, now=tx.now)
        page.wait_for_timeout(300)
    assert told.is_visible()


def test_to_my_phone(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "zh-CN", PHONE) as look, holding(house):
        page = enter(house, look, address)
        page.goto("/editions/1/check")
        look.fits()
        page.get_by_role("button", name="发到我的手机").click()
        look.fits()
        page.get_by_label("您的手机号").fill("199 0000 0077")
        page.get_by_role("button", name="登记").click()
        page.get_by_role("status").get_by_text("已登记：199****0077").wait_for()
        page.get_by_role("button", name="发到我的手机").click()
        page.get_by_role("status").get_by_text("正在发往 199****0077").wait_for()
        look.fits()
        arrived(house, page)
        look.fits()
        page.locator("#proofs").get_by_role("link", name="发出的正文").first.click()
        page.get_by_role("heading", name="第 1 期的样稿").wait_for()
        assert "取暖季到了" in page.locator(".bubble").first.inner_text()
        look.fits()
        page.go_back()
        page.get_by_role("button", name="建发送任务").click()
        page.get_by_text("请有发送权的人（运维或管理员）开始发送任务 1。").wait_for()
        look.fits()


def test_a_text_of_ones_own(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "en", DESKTOP) as look:
        page = enter(house, look, address)
        page.goto("/editions/1")
        page.get_by_role("link", name="Its text retired").click()
        look.fits()
        page.get_by_label("Text of the SMS").fill("〔姓名〕，今天供暖。")
        page.locator(".bubble", has_text="欧阳子涵，今天供暖。").wait_for()
        page.get_by_label("Text of the SMS").fill("{{ name }}")
        page.get_by_text("has no meaning in a text").wait_for()
        page.get_by_label("Text of the SMS").fill("〔姓名〕，明天供暖。")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Written by hand:").wait_for()
        look.fits()
        page.get_by_role("button", name="Make it of the items again").click()
        page.get_by_text("Made of the items.").wait_for()
