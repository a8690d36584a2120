"""Journeys in a real browser, in both languages, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser

from broadcaster.app import make_web
from broadcaster.newsroom.first_run import first_link
from broadcaster.runtime import Runtime
from tests.browsers import DESKTOP, PHONE, looking
from tests.databases import Clock
from tests.newsrooms import PASSWORD, Signed, add_user
from tests.websites import hosted

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def address(house: Runtime) -> Iterator[str]:
    with hosted(make_web(house)) as made:
        yield made


@pytest.mark.parametrize(("language", "size"), [("zh-CN", PHONE)])
def test_signing_in_with_a_phone(
    house: Runtime, chrome: Browser, address: str, clock: Clock, language: str, size: tuple[int, int]
) -> None:
    add_user(house, "chief", "admin")
    words = {
        "zh-CN": ("登录", "用户名", "密码", "六位数字", "设置", "已收好，继续", "今日", "退出登录"),
        "en": (
            "Sign in",
            "User name",
            "Password",
            "Six digits",
            "Set it up",
            "I have them, go on",
            "Today",
            "Sign out",
        ),
    }
    sign_in, name, password, digits, set_up, go_on, today, sign_out = words[language]
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
        look.fits()
        page.get_by_role("link", name=go_on).click()
        page.wait_for_url("**/")
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


@pytest.mark.usefixtures("worker")
def test_from_nothing_to_a_list_of_members(house: Runtime, chrome: Browser, clock: Clock, tmp_path: Path) -> None:
    """In English, at a desk, with the keyboard where it matters."""
    file = tmp_path / "list.csv"
    file.write_text(
        "name,phone,branch\n<b>Ann</b>,19900000011,East\nBob,19900000012,East\nBad,1,East\n", encoding="utf-8"
    )
    web = make_web(house)
    with hosted(web) as address, looking(chrome, address, "en", DESKTOP) as look:
        page = look.page
        page.goto("/")
        page.get_by_text("Nobody works here yet.").wait_for()
        page.goto(first_link(web, address))
        look.fits()
        page.get_by_label("User name").fill("chief")
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        phone = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
        page.get_by_label("Six digits").fill(phone.at(clock()))
        page.keyboard.press("Enter")
        page.get_by_role("link", name="I have them, go on").click()

        page.get_by_role("link", name="Take in your members").click()
        look.fits()
        page.get_by_label("A CSV or XLSX file").set_input_files(file)
        page.get_by_label("How do you know").fill("signed on 12 March")
        page.get_by_role("button", name="Look at it").click()
        page.get_by_text("Refused rows").wait_for()
        look.fits()
        page.get_by_role("button", name="Take 2 people in").click()
        page.get_by_role("status").get_by_text("Taken in: 2 new").wait_for()
        look.fits()
        page.get_by_role("link", name="To the members").click()
        page.get_by_role("link", name="<b>Ann</b>").click()
        page.get_by_role("rowheader", name="199****0011").wait_for()
        look.fits()
        page.go_back()
        page.get_by_label("Name, pinyin").fill("Bob")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Bob").wait_for()
        assert page.get_by_role("link", name="<b>Ann</b>").count() == 0


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_menu_fits_the_narrowest_phone(house: Runtime, chrome: Browser, address: str, language: str) -> None:
    add_user(house, "chief", "admin")
    with looking(chrome, address, language, (320, 640)) as look:
        look.context.add_cookies([{"name": "broadsheet", "value": Signed(house, "chief").token, "url": address}])
        look.page.goto("/")
        look.fits()
        sides = look.page.locator(".menu a").evaluate_all(
            "links => links.map(link => link.getBoundingClientRect()).flatMap(box => [box.left, box.right])"
        )
        assert len(sides) == 10
        assert min(sides) >= 0
        assert max(sides) <= 320
