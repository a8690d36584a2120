"""A picture from the disk of an editor to the phone of a member, in a real browser, with scripts and without."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from broadcaster.newspaper import items, making
from broadcaster.runtime import Runtime
from broadcaster.web.assets import asset
from subscribers.actor import OPERATOR
from tests.browsers import DESKTOP, PHONE, looking
from tests.factories import make_organisation
from tests.newsroom.test_desk_in_a_browser import enter
from tests.newsrooms import furnish
from tests.pictures import drawn, encoded

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "食堂.jpg"
    file.write_bytes(encoded(drawn(4000, 3000), quality=95))
    return file


def is_drawn(page: Page, picture: str) -> bool:
    """Whether the browser could read it."""
    told = page.locator(picture).evaluate("async img => { await img.decode(); return img.naturalWidth }")
    return bool(told)


def test_from_choosing_a_file_to_the_reading_page(house: Runtime, chrome: Browser, address: str, photo: Path) -> None:
    with looking(chrome, address, "zh-CN", PHONE) as look:
        page = enter(house, look, address)
        furnish(house)
        page.goto("/items/new")
        page.get_by_label("标题", exact=True).fill("食堂开了")
        page.get_by_label("短信里的一句").fill("食堂周一开了。")
        page.get_by_text("草稿已存").wait_for()
        page.get_by_label("选图").set_input_files(photo)
        page.get_by_role("status").get_by_text("已压缩到").wait_for()
        look.fits()
        there = page.locator("#alt").evaluate("it => it.getBoundingClientRect().top")
        assert 0 < there < PHONE[1], "what is to be filled in next is in sight"
        assert page.get_by_label("标题", exact=True).input_value() == "食堂开了"
        assert is_drawn(page, "img.picture")
        page.get_by_role("button", name="拿掉这张图").click()
        page.get_by_role("status").get_by_text("图片已拿掉").wait_for()
        assert page.locator("img.picture").count() == 0
        page.get_by_role("button", name="撤销").click()
        page.get_by_role("status").get_by_text("图片已恢复").wait_for()
        page.get_by_label("图里是什么").fill("三位老人在窗口排队")
        page.get_by_text("草稿已存").wait_for()
        # Enter saves, whatever buttons stand in the form
        page.get_by_label("标题", exact=True).press("Enter")
        page.get_by_role("status").get_by_text("已保存").wait_for()
        page.get_by_role("button", name="采用").first.click()
        page.get_by_role("status").get_by_text("已采用").wait_for()
        look.fits()
        number = int(page.url.rpartition("/")[2])
        page.goto("/items/drafts")
        assert page.get_by_text("食堂开了").count() == 0
        with house.begin() as tx:
            column = making.layout(tx.session, OPERATOR, 1).columns[0].id
            making.place(tx.session, OPERATOR, 1, column, [number])
        page.goto("/editions/1/check")
        page.get_by_role("button", name=re.compile("发布")).first.click()
        page.get_by_role("status").get_by_text("阅读页已发布").wait_for()
    with looking(chrome, address, "zh-CN", PHONE) as look:
        page, sizes = look.page, []
        page.on("response", lambda answer: sizes.append(len(answer.body())))
        page.goto("/p/1")
        page.wait_for_load_state("networkidle")
        look.fits()
        picture = page.get_by_alt_text("三位老人在窗口排队")
        assert picture.evaluate("img => img.naturalWidth") == 640
        assert picture.evaluate("img => img.getBoundingClientRect().width") <= 390 - 32
        assert len(sizes) == 4, "the page, its style and two pictures"
        assert sum(sizes) < 50_000
        assert asset("reading.css") in page.content()
        page.goto("/p/1?z=3")
        look.fits()
        page.get_by_role("link", name=re.compile(r"看大图（\d+ KB）")).last.click()
        page.wait_for_url("**larger=1")


def test_without_scripts_and_by_keyboard(house: Runtime, chrome: Browser, address: str, photo: Path) -> None:
    with looking(chrome, address, "en", DESKTOP) as look:
        enter(house, look, address)
        page = look.without_scripts()
    page.goto("/items/new")
    page.get_by_label("Headline").fill("Canteen")
    page.get_by_label("The sentence in the SMS").fill("Canteen opens.")
    page.get_by_label("Choose a picture").set_input_files(photo)
    page.get_by_role("button", name="Save").press("Enter")
    page.get_by_text("was chosen and not handed in").wait_for()
    page.get_by_label("Choose a picture").set_input_files(photo)
    page.get_by_label("Choose a picture").press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Say what is in it").wait_for()
    page.get_by_label("What is in the picture").fill("A queue")
    page.keyboard.press("Enter")
    page.get_by_text("Saved: Canteen.").wait_for()
    assert page.get_by_alt_text("A queue").count() == 1
    page.context.close()
    with house.reading() as tx:
        assert items.words_of(items.get(tx.session, OPERATOR, 1)).alt == "A queue"


@pytest.mark.parametrize("by_keyboard", [False, True])
def test_without_scripts_a_picture_outlasts_a_look_for_an_organisation(
    house: Runtime, chrome: Browser, address: str, photo: Path, tmp_path: Path, by_keyboard: bool
) -> None:
    with looking(chrome, address, "en", DESKTOP) as look:
        enter(house, look, address)
        page = look.without_scripts()
    with house.begin() as tx:
        make_organisation(tx.session, "East City/Harbour")
    page.goto("/items/new")
    page.get_by_label("Headline").fill("Canteen")
    page.get_by_label("The sentence in the SMS").fill("Canteen opens.")

    def look_for(name: str) -> None:
        if not page.locator("#place_q").is_visible():
            page.locator("summary").get_by_text("Organisations").click()
        page.locator("#place_q").fill(name)
        if by_keyboard:
            page.locator("#place_q").press("Enter")
        else:
            page.get_by_role("button", name="Look").click()

    bad = tmp_path / "drawing.svg"
    bad.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    page.get_by_label("Choose a picture").set_input_files(bad)
    look_for("harb")
    page.get_by_role("alert").get_by_text("This is no picture that can be used.").wait_for()
    page.get_by_label("Choose a picture").set_input_files(photo)
    look_for("harb")
    page.locator("img.picture").wait_for()
    page.get_by_role("checkbox", name="Harbour").check()
    page.get_by_label("Only these:").check()
    look_for("nowhere")
    assert page.locator("img.picture").count() == 1, "once it is there, another look keeps it"
    page.get_by_label("What is in the picture").fill("A queue")
    look_for("")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_text("Saved: Canteen.").wait_for()
    page.context.close()
    with house.reading() as tx:
        words = items.words_of(items.get(tx.session, OPERATOR, 1))
        assert (words.alt, words.picture_id) == ("A queue", 1)


def test_a_chosen_picture_makes_one_draft(house: Runtime, chrome: Browser, address: str, photo: Path) -> None:
    """What is typed is kept by itself, and so is the picture; they do not part."""
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        page = enter(house, look, address)
        page.goto("/items/new")
        page.get_by_label("标题", exact=True).fill("食堂开了")
        page.get_by_text("草稿已存").wait_for()
        page.get_by_label("选图").set_input_files(photo)
        page.get_by_role("status").get_by_text("已压缩到").wait_for()
        page.get_by_label("图里是什么").fill("排队")
        page.get_by_text("草稿已存").wait_for()
        page.goto("/items/drafts")
        assert page.get_by_role("link", name="食堂开了").count() == 1
        page.get_by_role("link", name="食堂开了").click()
        assert page.get_by_label("图里是什么").input_value() == "排队"
        assert is_drawn(page, "img.picture")
        look.fits()


def test_refused_with_words(house: Runtime, chrome: Browser, address: str, tmp_path: Path) -> None:
    file = tmp_path / "drawing.svg"
    file.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    with looking(chrome, address, "zh-CN", PHONE) as look:
        page = enter(house, look, address)
        page.goto("/items/new")
        page.get_by_label("短信里的一句").fill("食堂周一开了。")
        page.get_by_label("选图").set_input_files(file)
        page.get_by_role("alert").get_by_text("这不是能用的图片。").wait_for()
        assert page.get_by_label("短信里的一句").input_value() == "食堂周一开了。"
        look.fits()


def test_what_a_script_does_needs_no_second_press(
    house: Runtime, chrome: Browser, address: str, photo: Path, tmp_path: Path
) -> None:
    with looking(chrome, address, "zh-CN", PHONE) as look:
        page = enter(house, look, address)
        with house.begin() as tx:
            make_organisation(tx.session, "东河村")
        page.goto("/items/new")
        button = page.locator("#take-in")
        assert not button.is_visible()
        broken = tmp_path / "破.jpg"
        broken.write_bytes(b"no picture")
        page.get_by_label("选图").set_input_files(broken)
        page.get_by_role("alert").wait_for()
        assert not button.is_visible()
        page.get_by_label("选图").set_input_files(photo)
        page.get_by_role("status").get_by_text("已压缩到").wait_for()
        assert not button.is_visible()
        everyone, those = page.get_by_role("radio", name="所有人"), page.get_by_role("radio", name="只给这些人群")
        assert everyone.is_checked()
        box = everyone.bounding_box()
        assert box
        assert abs(box["width"] - box["height"]) < 1, "round, as wide as it is high"
        page.get_by_label("离退休", exact=True).check()
        page.locator("summary", has_text="组织").click()
        village = page.get_by_label("东河村（含下级）")
        village.check()
        assert those.is_checked()
        look.fits()
        # whoever chooses everyone after all means nobody in particular, and is not asked which is meant
        page.locator("summary", has_text="直接写规则").click()
        rule = page.get_by_label("每行一个条件")
        rule.fill("age > 60")
        everyone.check()
        assert not page.get_by_label("离退休", exact=True).is_checked()
        assert not village.is_checked()
        assert rule.is_disabled()
        page.get_by_label("标题", exact=True).fill("供暖")
        page.get_by_label("短信里的一句").fill("今天供暖。")
        page.get_by_label("图里是什么").fill("锅炉")
        page.get_by_role("button", name="保存", exact=True).click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        assert everyone.is_checked()
        those.check()
        assert rule.is_enabled()


def test_who_comes_back_finds_nothing_busy(house: Runtime, chrome: Browser, address: str, photo: Path) -> None:
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        page = enter(house, look, address)
        page.goto("/items/new")
        # it is handed in, and nothing comes of it
        page.route("**/items/new/picture", lambda route: route.fulfill(status=204))
        page.get_by_label("选图").set_input_files(photo)
        busy = page.get_by_role("button", name="正在压缩")
        busy.wait_for()
        # as a browser does that has kept the page as it was left
        page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
        assert not busy.is_visible()
        assert page.get_by_label("选图").input_value() == ""
