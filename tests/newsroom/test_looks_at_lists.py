"""What a list would come to is said before it is taken in; and what is taken in is what was looked at."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser as Chrome
from playwright.sync_api import Locator, Page
from sqlalchemy import select

from broadcaster.runtime import Runtime
from subscribers.models import Member
from tests.browsers import DESKTOP, PHONE, looking
from tests.newsroom.test_members import hand_in, settled, token_of
from tests.newsrooms import Browser, Signed, add_user, troubles

pytestmark = pytest.mark.usefixtures("worker")

LIST = """姓名,手机,村,人员类别,订阅,班组
李敏,19900000011,东河村,在职,是,木工
欧阳子涵,010-12345678,东河村,离退休,是,瓦工
赵平,19900000013,北沟村,在职,否,木工
孙丽,,北沟村,在职,是,
周静,19900000015,北沟村,在职,,瓦工
"""
HEADINGS = LIST.split("\n", 1)[0].split(",")
AS_READ = ["name", "msisdn", "organisation", "status", "subscribed", ""]


@pytest.fixture
def admin(house: Runtime, browser: Browser) -> Browser:
    add_user(house, "chief", "admin")
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    return browser


def words(answer: httpx2.Response) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", answer.text)).split())


def choose(browser: Browser, look: httpx2.Response, act: str, fields: list[str], **more: str) -> httpx2.Response:
    """A button of the page with its columns so."""
    browser.page = look
    given = {"heading": HEADINGS, "field": fields, **more}
    return settled(browser, browser.post(f"/members/import/{token_of(look.text)}/{act}", **given))


def names(house: Runtime) -> list[str]:
    with house.reading() as tx:
        return sorted(tx.session.scalars(select(Member.name)))


def test_whom_nothing_can_be_sent_to_is_said_before(admin: Browser) -> None:
    for language, told in (
        (
            "en",
            (
                "People who can be sent to: 1 of 5.",
                "no number 1 5 ",
                "landline 1 3 ",
                "opted out 1 4 ",
                "never agreed to receive the paper 1 6 ",
            ),
        ),
        ("zh", ("可以发给 1 人，共 5 人。", "没有手机号 1 5 ", "座机 1 3 ", "已退订 1 4 ", "未同意接收 1 6 ")),
    ):
        admin.get(f"/?lang={language}")
        look = hand_in(admin, LIST.encode())
        for each in told:
            assert each in words(look)
    agreed = choose(admin, look, "look", AS_READ, agreed="大会上签字")
    assert "可以发给 2 人，共 5 人。" in words(agreed)
    taken = choose(admin, agreed, "take", AS_READ, agreed="大会上签字")
    assert "✓ 已导入" in words(taken)
    assert "可以发给 2 人，共 5 人。" in words(taken), "and afterwards"
    past = re.findall(r'href="(/members/imports/\d+)"', admin.get("/members/imports").text)[0]
    for page in ("/members/import", "/members/imports", past):
        assert re.findall(r'href="([^"]*)" aria-current="page"', admin.get(page).text)[1:] == ["/members/import"], page


def test_what_was_chosen_otherwise_is_looked_at_before_it_is_taken_in(house: Runtime, admin: Browser) -> None:
    look = hand_in(admin, LIST.encode())
    other = ["name", "msisdn", "", "status", "subscribed", "organisation"]
    again = choose(admin, look, "take", other)
    assert "Something was chosen otherwise since you looked." in again.text
    assert "木工, 瓦工" in words(again)
    assert names(house) == [], "nobody was taken in who was not shown"
    chosen = re.findall(r'<option value="(\w*)" selected>', again.text)
    assert chosen == ["name", "msisdn", "status", "subscribed", "organisation"], "what was chosen is still chosen"
    agreed = choose(admin, again, "take", other, agreed="signed")
    assert "People who can be sent to: 2 of 5." in agreed.text, "how it is known that they agreed is a choice as well"
    assert names(house) == []
    taken = choose(admin, agreed, "take", other, agreed="signed")
    assert "Taken in: 5 new" in taken.text
    assert "木工" in admin.get("/members/organisations").text


def test_a_choice_that_cannot_be_read_leaves_the_others(admin: Browser) -> None:
    look = hand_in(admin, LIST.encode())
    twice = choose(admin, look, "take", ["name", "msisdn", "organisation", "status", "", "organisation"], agreed="so")
    assert "The columns 村 and 班组 cannot both be read as the same thing." in troubles(twice)
    assert 'value="so"' in twice.text
    assert len(re.findall(r'<option value="organisation" selected>', twice.text)) == 2
    nobody = choose(admin, twice, "look", ["", *AS_READ[1:]])
    assert "has no column of names" in troubles(nobody)
    well = choose(admin, nobody, "look", AS_READ)
    assert "Take 5 people in" in well.text, "the file was handed in once"


def test_those_shown_of_a_list_stand_there_with_their_birthdays(admin: Browser) -> None:
    admin.get("/?lang=zh")
    look = hand_in(admin, "姓名,手机,出生年月日,订阅\n李敏,19900000011,1980-05-06,是\n赵平,19900000013,,是\n".encode())
    assert look.status_code == 200
    assert "1980年5月6日" in words(look)


def test_faults_are_counted_by_what_is_wrong_in_each_row(admin: Browser) -> None:
    rows = [f"李{n},1990000{n:04},{'退居二线' if n % 3 else '积极分子'},是" for n in range(15)]
    rows += [f"王{n},1990000{n:04}/0535-62233{n:02},在职,是" for n in range(10, 18)]
    admin.get("/?lang=zh")
    look = words(hand_in(admin, "\n".join(["姓名,手机,人员类别,订阅", *rows]).encode()))
    assert "10 × 没有“退居二线”这种状态。" in look
    assert "5 × 没有“积极分子”这种状态。" in look
    assert re.search(r"8 ×，例如：199.{0,40} 有 \d+ 位", look)


def test_a_heading_of_two_lines_is_no_other_choice(admin: Browser) -> None:
    look = hand_in(admin, '"姓\n名",手机\n李敏,19900000011\n'.encode())
    assert "Take 1 person in" in look.text
    admin.page = look
    given = {"heading": ["姓\r\n名", "手机"], "field": ["name", "msisdn"]}
    taken = settled(admin, admin.post(f"/members/import/{token_of(look.text)}/take", **given))
    assert "Taken in: 1 new" in taken.text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "名册.csv"
    path.write_text(LIST, encoding="utf-8")
    return path


def look_at(page: Page, file: Path) -> None:
    page.goto("/members/import")
    page.locator("#file").set_input_files(file)
    page.locator("form.panel button[type=submit]").click()
    page.locator("#reach").wait_for()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_it_fits(
    house: Runtime, chrome: Chrome, address: str, file: Path, size: tuple[int, int], language: str
) -> None:
    add_user(house, "chief", "admin")
    with looking(chrome, address, language, size) as look:
        look.context.add_cookies([{"name": "broadsheet", "value": Signed(house, "chief").token, "url": address}])
        page = look.page
        look_at(page, file)
        look.fits()
        page.locator("#column-3").select_option("")
        page.locator("#column-6").select_option("organisation")
        page.locator("#columns ~ .act button").last.click()
        page.locator("p.note", has_text="木工").wait_for()
        look.fits()
        page.locator("#column-1").select_option("")
        page.locator("#columns ~ .act button.second").click()
        page.locator("div.trouble").wait_for()
        look.fits()
        plain = look.without_scripts()
        look_at_plainly(plain, file)
        plain.context.close()


def look_again_until(page: Page, there: Locator) -> None:
    """A page without scripts waits for nothing: whoever looks at it asks again, once the next one has come."""
    again = page.get_by_role("link", name="Look again")
    while True:
        again.or_(there).first.wait_for()
        if there.count():
            return
        again.click()


def look_at_plainly(page: Page, file: Path) -> None:
    page.goto("/members/import")
    page.locator("#file").set_input_files(file)
    page.locator("form.panel button[type=submit]").click()
    look_again_until(page, page.get_by_text("People who can be sent to: 1 of 5."))
    page.locator("#column-6").select_option("tags")
    page.get_by_role("button", name="Take 5 people in").click()
    look_again_until(page, page.get_by_text("Something was chosen otherwise since you looked."))
    assert page.locator("#column-6").input_value() == "tags"
