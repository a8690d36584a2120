"""Journeys in a real browser, in both languages, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Browser

from broadcaster.app import make_web, serve
from broadcaster.runtime import Runtime
from tests.browsers import DESKTOP, PHONE, chromium, looking
from tests.databases import Clock
from tests.newsrooms import PASSWORD, add_user

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def address(house: Runtime) -> Iterator[str]:
    with serve(make_web(house), "127.0.0.1", 0) as made:
        yield made


@pytest.mark.parametrize(("language", "size"), [("zh-CN", PHONE), ("en", DESKTOP)])
def test_signing_in_with_a_phone(
    house: Runtime, chrome: Browser, address: str, clock: Clock, language: str, size: tuple[int, int]
) -> None:
    add_user(house, "chief", "admin")
    words = {
        "zh-CN": ("登录", "用户名", "密码", "六位数字", "设置", "今日", "退出登录"),
        "en": ("Sign in", "User name", "Password", "Six digits", "Set it up", "Today", "Sign out"),
    }
    sign_in, name, password, digits, set_up, today, sign_out = words[language]
    with looking(chrome, address, language, size) as look:
        page = look.page
        page.goto("/")
        look.fits()
        page.get_by_label(name).fill("chief")
        page.get_by_label(password).fill("wrong")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        look.fits()
        assert page.get_by_label(name).input_value() == "chief"
        page.get_by_label(password).fill(PASSWORD)
        page.get_by_role("button", name=sign_in, exact=True).click()

        page.get_by_label(digits).wait_for()
        look.fits()
        phone = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
        page.get_by_label(digits).fill(phone.at(clock()))
        page.get_by_role("button", name=set_up).click()
        page.get_by_role("status").wait_for()
        assert page.get_by_role("link", name=today).get_attribute("aria-current") == "page"
        look.fits()

        page.goto("/account")
        look.fits()
        page.get_by_role("button", name=sign_out, exact=True).click()
        page.get_by_label(name).fill("chief")
        page.get_by_label(password).fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_label(digits).wait_for()
        look.fits()
        clock.advance(minutes=1)
        page.get_by_label(digits).fill(phone.at(clock()))
        page.keyboard.press("Enter")
        page.get_by_role("link", name=today).wait_for()
