"""A sign-in that ends under one's hands, in a real browser: the password is asked for over the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select, update

from broadcaster.access.models import SignIn, User
from broadcaster.newspaper.models import ItemDraft
from broadcaster.runtime import Runtime
from tests.browsers import DESKTOP, PHONE, looking
from tests.journeys.sending import wait_until
from tests.newsrooms import PASSWORD, Signed, add_user
from tests.pictures import drawn, encoded

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_password_is_asked_for_over_the_page(
    house: Runtime, chrome: Browser, address: str, size: tuple[int, int]
) -> None:
    add_user(house, "li", "editor")
    with looking(chrome, address, "zh-CN", size) as look:
        look.context.add_cookies([{"name": "broadsheet", "value": Signed(house, "li").token, "url": address}])
        look.expected.append("401")
        page = look.page
        page.clock.install()
        page.goto("/items/columns")
        page.get_by_label("栏目名称").fill("要闻")
        with house.begin() as tx:
            tx.session.execute(update(SignIn).values(ended_at=tx.now))
            tx.session.execute(update(User).values(code_since=None))
        page.clock.fast_forward("10:00")
        page.get_by_role("button", name="加栏目").click()
        dialog = page.get_by_role("dialog", name="请再登录一次，您写的内容还在。")
        dialog.wait_for()
        look.fits()
        dialog.get_by_label("密码").fill("wrong")
        dialog.get_by_role("button", name="登录").click()
        dialog.get_by_role("alert").wait_for()
        dialog.get_by_label("密码").fill(PASSWORD)
        dialog.get_by_role("button", name="登录").click()
        page.get_by_role("status").get_by_text("要闻").wait_for()


def test_what_is_typed_is_kept_and_the_box_is_left_alone(house: Runtime, chrome: Browser, address: str) -> None:
    add_user(house, "li", "editor")
    add_user(house, "wang", "editor")
    with looking(chrome, address, "zh-CN", DESKTOP) as look, looking(chrome, address, "zh-CN", PHONE) as other:
        for window, name in ((look, "li"), (other, "wang")):
            cookie = {"name": "broadsheet", "value": Signed(house, name).token, "url": address}
            window.context.add_cookies([cookie])
        page = look.page
        page.goto("/items/new")
        headline = page.get_by_label("标题", exact=True)
        headline.press_sequentially("供暖了")
        page.get_by_text("草稿已存").wait_for()
        headline.press_sequentially("今天")
        page.locator("#kept [name=saves][value='2']").wait_for(state="attached")
        assert headline.input_value() == "供暖了今天"
        assert headline.evaluate("box => box === document.activeElement")
        look.fits()
        # who goes on at once loses nothing of what was typed last
        headline.press_sequentially("起")
        page.get_by_role("link", name="栏目").first.click()
        page.wait_for_url("**/items/columns")
        assert wait_until(lambda: "供暖了今天起" in _drafted(house), 60)
        # nothing was saved, and it is all still there
        page.goto("/items/drafts")
        look.fits()
        page.get_by_role("link", name="供暖了今天起").click()
        page.get_by_label("短信里的一句").fill("今天供暖。")
        page.get_by_role("button", name="保存").click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        item = page.url
        # a sign-in that ends: the password, and what was typed is kept by itself
        other.page.goto(item)
        page.get_by_text("wang").wait_for()
        other.page.get_by_text("li").first.wait_for()
        other.fits()
        for window in (look, other):
            # whoever is there is asked for every five seconds, until the window is closed
            window.expected.append("401")
        with house.begin() as tx:
            tx.session.execute(update(SignIn).values(ended_at=tx.now))
            tx.session.execute(update(User).values(code_since=None))
        page.get_by_label("短信里的一句").press_sequentially("真的。")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("密码").fill(PASSWORD)
        dialog.get_by_role("button", name="登录").click()
        page.get_by_text("草稿已存").wait_for()
        assert page.get_by_label("短信里的一句").input_value() == "真的。今天供暖。"


def _drafted(house: Runtime) -> str:
    with house.reading() as tx:
        return str(tx.session.scalars(select(ItemDraft.fields)).all())


def test_a_file_that_was_chosen_stays_chosen(house: Runtime, chrome: Browser, address: str, tmp_path: Path) -> None:
    photo = tmp_path / "食堂.jpg"
    photo.write_bytes(encoded(drawn()))
    add_user(house, "li", "editor")
    with looking(chrome, address, "zh-CN", DESKTOP) as look:
        look.context.add_cookies([{"name": "broadsheet", "value": Signed(house, "li").token, "url": address}])
        # a part of the page may be asked for while the password is
        look.expected += ["401", "403"]
        page = look.page
        page.goto("/items/new")
        page.get_by_label("标题", exact=True).fill("食堂开了")
        page.get_by_text("草稿已存").wait_for()
        # a moment ago the server knew them
        with house.begin() as tx:
            tx.session.execute(update(SignIn).values(ended_at=tx.now))
            tx.session.execute(update(User).values(code_since=None))
        page.get_by_label("选图").set_input_files(photo)
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("密码").fill(PASSWORD)
        dialog.get_by_role("button", name="登录").click()
        page.get_by_role("status").get_by_text("已压缩到").wait_for()
        assert page.get_by_label("标题", exact=True).input_value() == "食堂开了"


def test_somebody_signs_in_anew_in_another_tab(house: Runtime, chrome: Browser, address: str) -> None:
    add_user(house, "li", "editor")
    add_user(house, "wang", "editor")
    with looking(chrome, address, "zh-CN", DESKTOP) as look:

        def signed_in(name: str) -> None:
            look.context.add_cookies([{"name": "broadsheet", "value": Signed(house, name).token, "url": address}])

        signed_in("li")
        look.expected += ["403", "409"]
        page = look.page
        page.goto("/items/new")
        signed_in("li")
        page.get_by_label("标题", exact=True).press_sequentially("供暖了")
        page.get_by_text("草稿已存").wait_for()
        page.get_by_label("短信里的一句").fill("今天供暖。")
        page.locator("#kept [name=saves][value='2']").wait_for(state="attached")
        signed_in("wang")
        page.get_by_role("button", name="保存").click()
        page.get_by_text("提交的这一页是 li 打开的，现在登录的是 wang。").wait_for()
        look.fits()
        page.get_by_role("button", name="用 li 登录").click()
        page.get_by_label("密码").wait_for()
        with house.begin() as tx:
            tx.session.execute(update(User).values(code_since=None))
        page.get_by_label("用户名").fill("li")
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        look.fits()
        page.get_by_role("button", name="接着做").click()
        page.get_by_role("status").get_by_text("已保存").wait_for()
        assert page.get_by_label("标题", exact=True).input_value() == "供暖了"


def test_marks_and_what_is_pasted(house: Runtime, chrome: Browser, address: str) -> None:
    add_user(house, "li", "writer")
    with looking(chrome, address, "zh-CN", PHONE) as look:
        look.context.add_cookies([{"name": "broadsheet", "value": Signed(house, "li").token, "url": address}])
        page = look.page
        page.goto("/items/new")
        box = page.get_by_label("全文（放在阅读页上）")
        box.fill("供暖")
        box.select_text()
        page.get_by_role("button", name="粗体").click()
        assert box.input_value() == "**供暖**"
        page.get_by_role("button", name="小标题").click()
        assert box.input_value() == "## **供暖**"
        look.fits()
        box.fill("")
        box.evaluate(
            """box => {
                const data = new DataTransfer();
                data.setData("text/html", "<h1>甲</h1><p><b>乙</b>丙<script>x</script></p>");
                data.setData("text/plain", "甲 乙丙");
                box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, cancelable: true }));
            }"""
        )
        expect(box).to_have_value("## 甲\n\n**乙**丙", timeout=30_000)
