"""Rows in a real browser: the row that is wrong is where one goes on, and each suggests what its own field holds."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from broadcaster.newspaper import items
from broadcaster.newspaper.items import Shelf
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from tests.browsers import DESKTOP, PHONE, looking
from tests.factories import make_members
from tests.newsroom.test_desk_in_a_browser import enter
from tests.newsrooms import furnish

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])


def with_columns(house: Runtime) -> None:
    furnish(house)
    with house.begin() as tx:
        make_members(tx.session, 3, fields={"身份": "教师"})
        make_members(tx.session, 2, fields={"身份": "家长"})


def offered(page: Page, row: int) -> list[str]:
    """What a row suggests to who goes into its value."""
    box = page.locator(f"#value-{row}")
    page.locator(f"#field-{row}").focus()
    box.focus()
    return box.evaluate("box => [...(box.list ? box.list.options : [])].map(each => each.value)")  # type: ignore[no-any-return]


@SIZES
def test_the_row_that_is_half_made_has_the_focus(
    house: Runtime, chrome: Browser, address: str, size: tuple[int, int]
) -> None:
    with looking(chrome, address, "zh-CN", size) as look:
        page = enter(house, look, address)
        with_columns(house)
        page.goto("/editions/1/who")
        page.get_by_role("checkbox", name="在职").check()
        page.locator("summary", has_text="点选").click()
        page.locator("#field-1").select_option("mobile")
        page.locator("#field-2").select_option("身份")
        page.get_by_role("button", name="保存版本").click()
        page.get_by_role("alert").get_by_text("第 2 行：“身份”还没有填值").wait_for()
        expect(page.locator("#value-2")).to_be_focused()
        expect(page.locator("#value-2")).to_be_in_viewport()
        expect(page.locator("#row-wrong")).to_be_in_viewport()
        expect(page.get_by_role("checkbox", name="在职")).to_be_checked()
        look.fits()
        # with what stands in that column
        assert offered(page, 2) == ["教师", "家长"]
        page.keyboard.type("教师")
        page.get_by_role("button", name="保存版本").click()
        page.get_by_role("status").get_by_text("已保存").wait_for()


def test_each_row_suggests_the_values_of_what_is_chosen_in_it(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        page = enter(house, look, address)
        with_columns(house)
        page.goto("/members/segments")
        assert offered(page, 1) == []
        page.locator("#field-1").select_option("身份")
        page.locator("#field-2").select_option("status")
        assert offered(page, 1) == ["教师", "家长"]
        assert offered(page, 2)[:2] == ["在职", "离退休"]
        page.locator("#field-1").select_option("operator")
        assert offered(page, 1) == ["移动", "联通", "电信", "广电"]
        page.locator("#field-1").select_option("name")
        assert offered(page, 1) == []
        # and after a part of the page was drawn anew, by which nothing is closed that was open
        page.goto("/editions/1/who")
        page.locator("summary", has_text="点选").click()
        page.get_by_role("checkbox", name="在职").check()
        expect(page.locator(".phone")).to_have_count(4)
        page.locator("#field-1").select_option("身份")
        page.get_by_role("checkbox", name="在职").uncheck()
        expect(page.locator(".phone")).to_have_count(3)
        assert offered(page, 1) == ["教师", "家长"]


@SIZES
def test_an_item_for_who_is_clicked_together(
    house: Runtime, chrome: Browser, address: str, size: tuple[int, int]
) -> None:
    with looking(chrome, address, "zh-CN", size) as look:
        page = enter(house, look, address)
        with_columns(house)
        page.goto("/items/new")
        page.get_by_label("标题", exact=True).fill("家访")
        page.get_by_label("短信里的一句").fill("下周家访。")
        page.get_by_role("button", name="点选条件").click()
        expect(page.locator("#field-1")).to_be_focused()
        look.fits()
        page.locator("#field-1").select_option("身份")
        expect(page.get_by_role("radio", name="只给这些人群：")).to_be_checked()
        assert offered(page, 1) == ["教师", "家长"]
        page.keyboard.type("教师")
        page.get_by_role("button", name="加到上面的人群里").click()
        box = page.get_by_role("checkbox", name="身份是教师")
        expect(box).to_be_checked()
        expect(box).to_be_focused()
        look.fits()
        page.get_by_role("button", name="保存", exact=True).click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        expect(page.get_by_role("checkbox", name="身份是教师")).to_be_checked()
    with house.reading() as tx:
        newest = items.listing(tx.session, OPERATOR, Shelf.ALL)[0]
        assert newest.audience == ['字段("身份") = "教师"']


def test_an_item_without_scripts(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "en", DESKTOP) as look:
        enter(house, look, address)
        with_columns(house)
        page = look.without_scripts()
    page.goto("/items/new")
    page.get_by_label("Headline").fill("Visits")
    page.get_by_role("button", name="Put it together by clicking").click()
    page.locator("#field-1").select_option("身份")
    page.get_by_role("button", name="Add it to the boxes above").click()
    page.get_by_role("alert").get_by_text("row 1: what 身份 shall be is not filled in").wait_for()
    page.locator("#value-1").fill("教师")
    page.get_by_role("button", name="Add it to the boxes above").click()
    assert page.get_by_role("checkbox", name="身份 is 教师").is_checked()
    assert page.get_by_label("Headline").input_value() == "Visits"
    page.get_by_label("The sentence in the SMS").fill("We visit you.")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_text("Saved: Visits.").wait_for()
    page.context.close()
