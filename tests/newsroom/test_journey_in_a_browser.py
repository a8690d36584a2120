"""The whole way by clicks: an empty installation, a list, an edition with three variants, a proof, a send."""

from __future__ import annotations

from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from broadcaster.app import make_web
from broadcaster.binds import holding
from broadcaster.newsroom.first_run import first_link
from broadcaster.runtime import Runtime
from tests.browsers import DESKTOP, PHONE, Look, looking
from tests.databases import Clock
from tests.newsroom.test_proof_in_a_browser import arrived
from tests.newsrooms import PASSWORD
from tests.websites import hosted

pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("worker"),
]

LIST = """姓名,手机号,村,人员类别
李敏,19900000011,东河村,在职
欧阳子涵,19900000012,东河村,离退休
赵平,19900000013,北沟村,流动
"""


def begun(page: Page, link: str, clock: Clock) -> None:
    """The only address that anybody types: the one that was printed."""
    page.goto(link)
    page.get_by_label("用户名").fill("主编")
    page.get_by_label("新密码").fill(PASSWORD)
    page.get_by_label("再输一遍").fill(PASSWORD)
    page.get_by_role("button", name="下一步", exact=True).click()
    page.get_by_text("所以登录时还要第二样东西").wait_for()
    phone = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.get_by_label("六位数字").fill(phone.at(clock()))
    page.get_by_role("button", name="设置").click()
    page.get_by_role("link", name="已收好，继续").click()


def taken_in(page: Page, file: Path, look: Look) -> None:
    page.get_by_role("link", name="导入会员").click()
    page.get_by_label("CSV 或 XLSX 文件").set_input_files(file)
    page.get_by_label("怎么知道他们同意").fill("大会上签字")
    page.get_by_role("button", name="看结果").click()
    page.get_by_role("button", name="导入 3 人").wait_for()
    look.fits()
    page.get_by_role("button", name="导入 3 人").click()
    page.get_by_role("status").get_by_text("新增 3").wait_for()


def written(page: Page, headline: str, sentence: str, whom: str = "") -> None:
    page.get_by_role("link", name="稿件", exact=True).first.click()
    page.get_by_role("link", name="写稿件").first.click()
    page.get_by_label("标题", exact=True).fill(headline)
    page.get_by_label("短信里的一句").fill(sentence)
    if whom:
        page.get_by_role("checkbox", name=whom).check()
    page.get_by_role("button", name="保存").click()
    page.get_by_role("status").get_by_text("已保存").wait_for()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_from_an_empty_installation_to_a_proof(
    house: Runtime, chrome: Browser, clock: Clock, tmp_path: Path, size: tuple[int, int]
) -> None:
    file = tmp_path / "名册.csv"
    file.write_text(LIST, encoding="utf-8")
    web = make_web(house)
    with hosted(web) as address, holding(house), looking(chrome, address, "zh-CN", size) as look:
        page = look.page
        begun(page, first_link(web, address), clock)
        look.fits()
        taken_in(page, file, look)
        written(page, "供暖", "今天起供暖。")
        written(page, "座谈会", "周五下午三点座谈。", "离退休")
        page.get_by_role("link", name="手机报", exact=True).first.click()
        page.get_by_role("link", name="新建一期").first.click()
        page.get_by_label("题目").fill("入冬")
        page.get_by_role("button", name="新建").click()
        page.get_by_role("button", name="用这些栏目").click()
        page.get_by_role("link", name="加稿件").first.click()
        page.get_by_label("供暖").check()
        page.get_by_label("座谈会").check()
        page.get_by_role("button", name="采用并放进来").click()
        page.locator(".words > a", has_text="座谈会").wait_for()
        page.get_by_role("link", name="改版本").click()
        page.get_by_role("checkbox", name="离退休").check()
        page.get_by_role("checkbox", name="流动").check()
        expect(page.locator(".phone")).to_have_count(3)
        look.fits()
        page.get_by_role("button", name="保存版本").click()
        page.get_by_text("版本：离退休、流动、其余的人").wait_for()
        for name, words in (("离退休", "周五下午三点座谈。"), ("流动", "赵平您好"), ("其余的人", "李敏您好")):
            page.get_by_role("radio", name=name, exact=True).check()
            expect(page.locator(".bubble:visible")).to_contain_text(words)
        page.get_by_role("link", name="下一步：检查").click()
        look.fits()
        page.get_by_role("button", name="发到我的手机").click()
        page.get_by_label("您的手机号").fill("199 0999 0077")
        page.get_by_role("button", name="登记").click()
        page.get_by_role("button", name="发到我的手机").click()
        page.get_by_role("status").get_by_text("正在发往 199****0077").wait_for()
        arrived(house, page)
        look.fits()
        # a send is made of it, and made anew after a word was changed
        page.get_by_role("button", name="建发送任务").click()
        page.get_by_role("status").get_by_text("发送任务 1 建好了").wait_for()
        page.get_by_role("link", name="‹ 第 1 期").click()
        page.locator(".placed summary", has_text="今天起供暖。").click()
        page.locator(".placed textarea:visible").fill("明天起供暖。")
        page.locator(".placed").get_by_role("button", name="保存").locator("visible=true").click()
        page.get_by_role("button", name="按现在的文字重新生成发送任务 1").click()
        page.get_by_role("status").get_by_text("发送任务 2 建好了").wait_for()
        look.fits()
