"""The desk in a real browser: from nothing to an edition with three variants, by mouse and by keyboard."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from broadcaster.newsroom import composer
from broadcaster.runtime import Runtime
from tests.browsers import DESKTOP, PHONE, Look, looking
from tests.factories import make_members, make_organisation
from tests.newsrooms import Signed, add_user, furnish

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def enter(house: Runtime, look: Look, address: str) -> Page:
    add_user(house, "li", "editor")
    look.context.add_cookies([{"name": "broadsheet", "value": Signed(house, "li").token, "url": address}])
    return look.page


#: whether a form is sent when its button is pressed, once more, and with other words
TWICE = """() => {
  const [form, went] = [document.querySelector("form[action='/items/new']"), []];
  const hold = (event) => (went.push(!event.defaultPrevented), event.preventDefault());
  window.addEventListener("submit", hold);
  for (const more of ["", "", "又"]) (form.elements.sms.value += more, form.requestSubmit());
  window.removeEventListener("submit", hold);
  return went;
}"""


def headlines(page: Page, column: str) -> list[str]:
    return (
        page.locator("section.column", has=page.get_by_role("heading", name=column))
        .locator(".words > a")
        .all_inner_texts()
    )


def test_a_button_that_is_pressed_twice_puts_the_items_in_once(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        page = enter(house, look, address)
        furnish(house)
        page.goto("/items/new")
        page.get_by_label("标题", exact=True).fill("双击")
        page.get_by_label("短信里的一句").fill("一句。")
        assert page.evaluate(TWICE) == [True, False, True], "the same once more is not sent, and other words are"
        page.get_by_label("短信里的一句").fill("一句。")
        page.get_by_role("button", name="保存").click()
        page.get_by_role("button", name="采用").first.click()
        page.get_by_role("status").get_by_text("已采用：双击。").wait_for()
        page.goto("/editions/1")
        page.get_by_role("link", name="加稿件").first.click()
        page.get_by_label("双击").check()
        page.get_by_role("button", name="放进“").dblclick()
        page.locator(".words > a", has_text="双击").wait_for()
        page.goto("/editions/1")
        assert page.locator(".words > a", has_text="双击").count() == 1


def test_a_draft_is_accepted_where_it_is_put_in(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "zh-CN", PHONE) as look:
        page = enter(house, look, address)
        furnish(house)
        for headline, sentence in (("甲", "短。"), ("乙", "很长的一句" * 30)):
            page.goto("/items/new")
            page.get_by_label("标题", exact=True).fill(headline)
            page.get_by_label("短信里的一句").fill(sentence)
            page.get_by_role("button", name="保存").click()
            page.get_by_role("status").get_by_text("已保存").wait_for()
        page.goto("/editions/1")
        page.get_by_role("link", name="加稿件").first.click()
        page.get_by_role("button", name="采用并放进来").wait_for()
        look.fits()
        widths = page.locator(".waits input").evaluate_all("all => all.map(each => each.offsetWidth)")
        assert len(widths) >= 2
        assert len(set(widths)) == 1, "beside words that wrap a box is as large as the others"
        page.get_by_label("乙").check()
        page.get_by_role("button", name="采用并放进来").click()
        page.locator(".words > a", has_text="乙").wait_for()


def test_an_organisation_is_looked_for_while_one_writes(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "zh-CN", PHONE) as look:
        page = enter(house, look, address)
        furnish(house)
        with house.begin() as tx:
            for n in range(1, 21):
                make_organisation(tx.session, f"第{n}村")
        page.goto("/items/new")
        page.get_by_label("标题", exact=True).fill("供暖")
        page.get_by_label("短信里的一句").fill("今天供暖。")
        page.locator("summary", has_text="组织").click()
        page.get_by_label("组织名称或拼音").fill("第19")
        box = page.get_by_role("checkbox", name="第19村（含下级）")
        box.wait_for()
        assert page.get_by_role("radio", name="所有人").is_checked(), "nobody was ticked yet"
        look.fits()
        box.check()
        assert not page.get_by_role("radio", name="所有人").is_checked()
        # Enter behind another name looks, too, and keeps what is ticked and written
        page.get_by_label("组织名称或拼音").fill("第20")
        page.get_by_label("组织名称或拼音").press("Enter")
        page.get_by_role("checkbox", name="第20村（含下级）").wait_for()
        expect(box).to_be_checked()
        expect(page.get_by_label("短信里的一句")).to_have_value("今天供暖。")
        page.get_by_role("button", name="保存").click()
        page.get_by_role("status").get_by_text("已保存：供暖").wait_for()
        expect(box).to_be_checked()


def test_throwing_away_is_no_bar_across_the_page(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        page = enter(house, look, address)
        page.goto("/items/new")
        page.get_by_label("标题", exact=True).fill("甲")
        page.get_by_text("草稿已存").wait_for()
        page.goto("/items/drafts")
        page.get_by_role("link", name="甲").first.click()
        box = page.get_by_role("button", name="丢掉它").bounding_box()
        assert box is not None
        assert box["width"] < 120


def test_from_nothing_to_three_variants(house: Runtime, chrome: Browser, address: str) -> None:
    with house.begin() as tx:
        make_members(tx.session, 9)
    with looking(chrome, address, "zh-CN", PHONE) as look:
        page = enter(house, look, address)
        page.goto("/items/columns")
        look.fits()
        page.get_by_label("栏目名称").fill("要闻")
        page.get_by_role("button", name="加栏目").click()
        page.get_by_role("status").get_by_text("要闻").wait_for()
        page.goto("/items/new")
        page.get_by_label("标题", exact=True).fill("供暖了")
        page.get_by_label("短信里的一句").fill("今天\n供暖。")
        page.get_by_role("button", name="保存").click()
        page.get_by_role("button", name="采用").first.click()
        page.get_by_role("status").get_by_text("已采用：供暖了。").wait_for()
        page.get_by_role("link", name="手机报").click()
        page.get_by_role("link", name="新建一期").click()
        look.fits()
        page.get_by_label("题目").fill("入冬")
        page.get_by_role("button", name="新建").click()
        page.get_by_role("link", name="加稿件 要闻").click()
        look.fits()
        page.get_by_label("供暖了").check()
        page.get_by_role("button", name="放进“要闻”").click()
        page.get_by_role("link", name="改版本").click()
        page.get_by_role("checkbox", name="离退休").check()
        page.get_by_role("checkbox", name="流动").check()
        look.fits()
        page.get_by_role("button", name="保存版本").click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        page.get_by_text("版本：离退休、流动、其余的人").wait_for()
        page.get_by_role("link", name="手机上的样子").click()
        assert page.locator(".phone").count() == 3
        assert "今天供暖。" in page.locator(".bubble").first.inner_text()
        look.fits()
        page.get_by_role("link", name="下一步：检查").click()
        look.fits()
        page.get_by_role("button", name="发布阅读页").click()
        page.get_by_role("status").get_by_text("阅读页已发布").wait_for()
        page.get_by_role("link", name="/p/1").click()
        page.get_by_role("heading", name="供暖了").wait_for()
        look.fits()
        page.get_by_role("link", name="特大").click()
        page.get_by_role("link", name="所有各期").click()
        look.fits()
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "28px"


def test_dragged_stepped_and_typed(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "en", DESKTOP) as look:
        page = enter(house, look, address)
        furnish(house)
        page.goto("/editions/1")
        first, second = headlines(page, "东城")
        # the keyboard alone, again and again
        page.locator(".placed .words > a").first.focus()
        page.keyboard.press("Alt+ArrowDown")
        page.wait_for_url("**#p*")
        assert headlines(page, "东城") == [second, first]
        page.keyboard.press("Alt+ArrowDown")
        page.locator("section.column", has_text="通知").get_by_role("link", name=first).wait_for()
        # the mouse
        page.locator("li", has_text=first).locator(".grip").drag_to(page.locator(".placed").first)
        page.locator("section.column", has_text="东城").get_by_role("link", name=first).wait_for()
        # the phone follows the typing, and nothing is kept before it is saved
        page.locator(".placed summary").first.click()
        box = page.locator(".placed textarea").first
        box.fill("打字看看。")
        page.locator(".bubble", has_text="打字看看。").first.wait_for()
        look.fits()
        page.reload()
        assert page.locator(".bubble", has_text="打字看看。").count() == 0


def sentence_box(page: Page) -> Locator:
    page.goto("/editions/1")
    page.locator(".placed summary").first.click()
    box = page.locator(".placed textarea").first
    box.fill("")
    return box


def test_the_phone_follows_while_answers_are_slower_than_the_typing(
    house: Runtime, chrome: Browser, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = composer.phones

    def slowly(*given, **more):
        time.sleep(0.4)
        return drawn(*given, **more)

    with looking(chrome, address, "en", DESKTOP) as look:
        page = enter(house, look, address)
        furnish(house)
        box = sentence_box(page)
        monkeypatch.setattr(composer, "phones", slowly)
        box.focus()
        typed = 0
        # one that waited for a rest in the typing would not show any of it
        while "字字" not in page.locator(".bubble").first.inner_text() and typed < 60:
            page.keyboard.insert_text("字")
            page.wait_for_timeout(60)
            typed += 1
        assert typed < 60
        page.locator(".bubble", has_text="字" * typed).first.wait_for()


def test_what_is_being_composed_waits(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "en", DESKTOP) as look:
        page = enter(house, look, address)
        furnish(house)
        box = sentence_box(page)
        box.focus()
        keys = page.context.new_cdp_session(page)
        asked: list[str] = []
        page.on("request", lambda one: asked.append(one.url))
        for letters in ("n", "ni", "nih", "niha", "nihao"):
            keys.send("Input.imeSetComposition", {"text": letters, "selectionStart": 0, "selectionEnd": 0})
            page.wait_for_timeout(120)
        assert [each for each in asked if "sms=" in each] == []
        keys.send("Input.insertText", {"text": "你好"})
        page.locator(".bubble", has_text="你好").first.wait_for()


def test_the_keyboard_finds_everything(house: Runtime, chrome: Browser, address: str) -> None:
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        page = enter(house, look, address)
        furnish(house)
        page.goto("/items")
        page.keyboard.press("Control+k")
        page.wait_for_url("**/search")
        page.keyboard.type("取暖")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="取暖季用气安全").wait_for()
        page.keyboard.press("Control+k")
        page.keyboard.type("oyzh")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="欧阳子涵").click()
        page.get_by_role("link", name="组织：全部").click()
        page.get_by_label("组织名称或拼音").fill("djfh")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="东城/东街分会").wait_for()
        look.fits()
        page.get_by_role("button", name="东城/东街分会").click()
        # back at the page that one came from
        page.get_by_role("heading", name="欧阳子涵").wait_for()
        page.get_by_text("只算“东城/东街分会”").wait_for()
        look.fits()
        page.get_by_role("button", name="看全部").click()
        page.get_by_role("link", name="组织：全部").wait_for()
