"""What is counted and what it costs, to the part and to the cent, as it stands on the pages."""

from __future__ import annotations

import re
from html import unescape

import pytest

from broadcaster.campaigns import profile_changes
from broadcaster.runtime import Runtime
from broadcaster.tasks import counting
from subscribers.actor import OPERATOR
from tests.factories import make_member
from tests.newsroom.test_checks import put
from tests.newsroom.test_items import come
from tests.newsrooms import Browser

CHECK = "/editions/7/check"


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    """Three readers, whose names make one, two and four parts of the text; a part costs five fen."""
    with house.begin() as tx:
        for name in ("李敏", "欧阳子涵", "阿依古丽吐尔逊娜依江"):
            make_member(tx.session, name=name)
        profile_changes.write(tx.session, OPERATOR, "simulator", {"price": "0.05"}, tx.now.date(), now=tx.now)
    come(house, browser, "chief", "editor")
    browser.post("/items/columns", name="要闻")
    browser.post("/editions/new", number="7", day="2026-11-23", title="入冬")
    put(browser, "供暖")
    browser.post("/editions/7/variants", variants="everyone")
    # 40, 80 and 200 signs, and the line for opting out: 70 stand in one part, 67 in each of several
    browser.post("/editions/7/variants/0", body="〔姓名〕" * 20, version="0")
    return browser


def words(page: str) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", page)).split())


def test_counted_to_the_part_and_the_cent(house: Runtime, editor: Browser) -> None:
    editor.get(CHECK)
    editor.post("/editions/7/count")
    counting.count_waiting(house)
    for language, whole, line in (
        ("en", "3 readers · 7 parts · CNY 0.35", "everyone 3 1–4 2 7 CNY 0.35"),
        ("zh", "3 人 · 7 条 · ¥0.35", "所有人 3 1–4 2 7 ¥0.35"),
    ):
        editor.get(f"/?lang={language}")
        told = words(editor.get(CHECK).text.partition('id="counted"')[2].partition("</section>")[0])
        assert whole in told
        assert line in told


def test_the_phone_tells_parts_and_price_of_whom_it_shows(editor: Browser) -> None:
    page = editor.get("/editions/7").text
    shown = re.findall(r"<p><strong>([^<]*)</strong> · ([^<]*?) ·", page)
    assert shown == [("1–4 parts", "at most CNY 0.200 each")]
