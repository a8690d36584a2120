"""Variants by boxes in a real browser: alive with scripts, the same without, and all phones within reach."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from broadcaster.newspaper import making
from broadcaster.runtime import Runtime
from subscribers import segments
from subscribers.actor import OPERATOR
from tests.browsers import DESKTOP, PHONE, looking
from tests.factories import make_members
from tests.newsroom.test_desk_in_a_browser import enter
from tests.newsrooms import furnish

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def variants(house: Runtime) -> list[str]:
    with house.reading() as tx:
        return list(making.layout(tx.session, OPERATOR, 1).variants)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_ticked_ordered_and_saved(house: Runtime, chrome: Browser, address: str, size: tuple[int, int]) -> None:
    with looking(chrome, address, "zh-CN", size) as look:
        page = enter(house, look, address)
        furnish(house)
        page.goto("/editions/1")
        page.get_by_role("link", name="改版本").click()
        page.wait_for_url("**/who")
        look.fits()
        page.get_by_role("radio", name="其余的人").check()
        page.get_by_role("checkbox", name="流动").uncheck()
        expect(page.locator(".phone")).to_have_count(2)
        expect(page.locator(".phone:visible")).to_have_count(1)
        page.get_by_role("checkbox", name="离退休").uncheck()
        expect(page.locator(".phone")).to_have_count(1)
        page.get_by_role("checkbox", name="离退休").check()
        expect(page.locator(".phone")).to_have_count(2)
        expect(page.locator(".phone:visible")).to_have_count(1)
        page.get_by_role("checkbox", name="在职").focus()
        page.keyboard.press("Space")
        expect(page.locator(".phone")).to_have_count(3)
        assert page.get_by_role("checkbox", name="在职").evaluate("box => box === document.activeElement")
        look.fits()
        page.get_by_role("button", name="在职：上移").click()
        page.get_by_text("1. 在职").wait_for()
        page.locator("summary", has_text="组织").click()
        page.get_by_label("组织名称或拼音").fill("djfh")
        page.get_by_label("组织名称或拼音").press("Enter")
        page.get_by_role("checkbox", name="东城/东街分会（含下级）").check()
        expect(page.locator(".phone")).to_have_count(4)
        look.fits()
        assert variants(house) == ["retired", "mobile", "everyone"]
        page.get_by_role("button", name="保存版本").click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        assert variants(house) == ["in_service", "retired", '属于("东城/东街分会")', "everyone"]
        page.get_by_role("button", name="撤销").click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        assert variants(house) == ["retired", "mobile", "everyone"]


def test_names_keep_their_room_beside_long_sizes(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "en", PHONE) as look:
        page = enter(house, look, address)
        furnish(house)
        with house.begin() as tx:
            make_members(tx.session, 3, msisdn=None)
        page.goto("/editions/1/who")
        size = page.locator("label", has_text="everyone").locator(".size")
        expect(size).to_contain_text("can be sent to")
        look.fits()
        name = page.locator("label", has_text="everyone").locator("span").first.bounding_box()
        assert name is not None
        assert name["width"] > 80
        assert name["height"] < 40, "one line"


def test_without_scripts(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "en", DESKTOP) as look:
        enter(house, look, address)
        furnish(house)
        page = look.without_scripts()
    page.goto("/editions/1/who")
    page.get_by_role("checkbox", name="in service").check()
    page.locator("summary", has_text="Put it together by clicking").click()
    page.get_by_label("What is asked").first.select_option("age")
    page.get_by_label("How", exact=True).first.select_option(">=")
    page.get_by_label("Value").first.fill("80")
    page.get_by_role("button", name="Make a box of it").click()
    assert page.get_by_role("checkbox", name="Age is at least 80").is_checked()
    assert page.get_by_role("checkbox", name="in service").is_checked()
    page.get_by_role("button", name="Save the variants").click()
    page.get_by_text("Saved.").wait_for()
    assert variants(house) == ["retired", "mobile", "in_service", 'age >= "80"', "everyone"]
    page.context.close()


def reached(page: Page, name: str) -> None:
    """The phone of a variant is seen from head to gauge without moving anything."""
    page.get_by_role("radio", name=name, exact=True).check()
    phone = page.get_by_role("region", name=f"手机预览，{name}")
    expect(phone).to_be_visible()
    expect(page.locator(".phone:visible")).to_have_count(1)
    gauge = phone.locator(".gauge")
    box = gauge.bounding_box() if gauge.count() else phone.bounding_box()
    assert box
    assert box["y"] + box["height"] <= DESKTOP[1], (name, box)


def test_all_phones_are_within_reach(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        page = enter(house, look, address)
        furnish(house)
        page.goto("/editions/1")
        for name in ("离退休", "流动", "其余的人"):
            reached(page, name)
        look.fits()
        # which one is shown stays while it is drawn anew
        page.locator(".placed summary").first.click()
        page.locator(".placed textarea").first.fill("打字看看。")
        page.locator(".bubble:visible", has_text="打字看看。").wait_for()
        expect(page.locator(".phone:visible h3")).to_contain_text("其余的人")


def test_the_tab_stays_after_a_form_was_sent(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        page = enter(house, look, address)
        furnish(house)
        page.goto("/editions/1")
        with page.expect_response("**/editions/1/shown**") as kept:
            page.get_by_role("radio", name="流动", exact=True).check()
        assert kept.value.status == 204
        page.locator(".placed summary").first.click()
        page.locator(".placed textarea").first.fill("存一次。")
        page.locator(".placed").get_by_role("button", name="保存").first.click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        expect(page.get_by_role("radio", name="流动", exact=True)).to_be_checked()
        expect(page.locator(".phone:visible h3")).to_contain_text("流动")
        page.get_by_role("link", name="典型").click()
        expect(page.locator(".phone:visible h3")).to_contain_text("流动")
        page.goto("/editions/1/check")
        expect(page.get_by_role("radio", name="流动", exact=True)).to_be_checked()
        page.goto("/editions/1/who")
        expect(page.get_by_role("radio", name="流动", exact=True)).to_be_checked()
        page.get_by_role("radio", name="其余的人", exact=True).check()
        page.get_by_role("button", name="保存版本").click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        expect(page.get_by_role("radio", name="其余的人", exact=True)).to_be_checked()
        page = look.without_scripts()
    page.goto("/editions/1?who=typical")
    page.get_by_role("radio", name="mobile", exact=True).check()
    page.get_by_role("button", name="Stay with this one").click()
    page.wait_for_url("**/editions/1?who=typical")
    assert page.get_by_role("radio", name="mobile", exact=True).is_checked()
    page.locator(".placed summary").first.click()
    page.locator(".placed").get_by_role("button", name="Save").first.click()
    page.get_by_text("Saved.").wait_for()
    assert page.get_by_role("radio", name="mobile", exact=True).is_checked()
    page.context.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_a_variant_for_a_column_of_the_list(
    house: Runtime, chrome: Browser, address: str, size: tuple[int, int]
) -> None:
    with looking(chrome, address, "zh-CN", size) as look:
        page = enter(house, look, address)
        furnish(house)
        with house.begin() as tx:
            make_members(tx.session, 3, fields={"身份": "教师"})
        page.goto("/editions/1/who")
        page.locator("summary", has_text="点选").click()
        page.get_by_label("条件").first.select_option("身份")
        page.get_by_label("值").first.fill("教师")
        look.fits()
        page.get_by_role("button", name="保存版本").click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        assert '字段("身份") = "教师"' in variants(house)
        page.goto("/editions/1/who")
        expect(page.locator("label", has_text="身份是教师").locator(".size")).to_contain_text("3")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_a_segment_that_a_variant_is_for_is_not_removed_without_a_question(
    house: Runtime, chrome: Browser, address: str, size: tuple[int, int]
) -> None:
    with looking(chrome, address, "zh-CN", size) as look:
        page = enter(house, look, address)
        furnish(house)
        with house.begin() as tx:
            segments.save(tx.session, OPERATOR, "老人", "retired", now=tx.now)
            making.set_variants(tx.session, OPERATOR, 1, ["老人", "everyone"], now=tx.now)
        page.goto("/members/segments")
        page.get_by_role("button", name="删除").click()
        page.get_by_role("alert").get_by_text("“老人”正在使用：第 1 期").wait_for()
        look.fits()
        page.get_by_role("link", name="不动它").click()
        page.get_by_role("button", name="删除").click()
        page.get_by_role("button", name="仍要删除").click()
        page.get_by_text("还没有保存的人群").wait_for()
