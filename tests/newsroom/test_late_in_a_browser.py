"""A sign-in that ends under one's hands, in a real browser: the password is asked for over the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from sqlalchemy import update

from broadcaster.access.models import SignIn, User
from broadcaster.app import make_web, serve
from broadcaster.runtime import Runtime
from tests.browsers import DESKTOP, PHONE, chromium, looking
from tests.newsrooms import PASSWORD, Signed, add_user

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def address(house: Runtime) -> Iterator[str]:
    with serve(make_web(house), "127.0.0.1", 0) as made:
        yield made


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_password_is_asked_for_over_the_page(
    house: Runtime, chrome: Browser, address: str, size: tuple[int, int]
) -> None:
    add_user(house, "li", "writer")
    with looking(chrome, address, "zh-CN", size) as look:
        look.context.add_cookies([{"name": "broadsheet", "value": Signed(house, "li").token, "url": address}])
        page = look.page
        page.clock.install()
        page.goto("/items/new")
        page.get_by_label("标题", exact=True).fill("供暖了")
        page.get_by_label("短信里的一句").fill("今天供暖。")
        with house.begin() as tx:
            tx.session.execute(update(SignIn).values(ended_at=tx.now))
            tx.session.execute(update(User).values(code_since=None))
        page.clock.fast_forward("10:00")
        page.get_by_role("button", name="保存").click()
        dialog = page.get_by_role("dialog", name="请再登录一次，您写的内容还在。")
        dialog.wait_for()
        look.fits()
        dialog.get_by_label("密码").fill("wrong")
        dialog.get_by_role("button", name="登录").click()
        dialog.get_by_role("alert").wait_for()
        dialog.get_by_label("密码").fill(PASSWORD)
        dialog.get_by_role("button", name="登录").click()
        page.get_by_role("status").get_by_text("已保存：供暖了。").wait_for()
        look.complaints = [each for each in look.complaints if "401" not in each]
