"""Every page there is: it has its picture, is where it says, and speaks one language."""

from __future__ import annotations

import re
from html import unescape

import pytest

from broadcaster.runtime import Runtime
from broadcaster.web.doors import DECLARED
from subscribers import segments, transfers
from subscribers.actor import OPERATOR
from tests.newsrooms import Browser, Signed, add_user, furnish
from tests.screenshots import APART, EMPTY, NO_PAGES, hand_in, inside

#: one database will do: what is looked at are the pages
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
#: names that people gave, and what is called so in Chinese, too
SAID = {
    "wang",
    "li",
    "carrier",
    "calling",
    "simulator",
    "list.csv",
    "csv",
    "xlsx",
    "jpeg",
    "png",
    "webp",
    "gif",
    "kb",
    "mb",
    "word",
    "ctrl",
    "alt",
}
SAID |= {"english", "utc", "cny", "broadsheet", "broadsheet.toml", "asia", "shanghai", "zw"}
#: what is no words of ours: commands, technical details, a picture's drawing, scripts
_OTHERS = re.compile(r"<(pre|svg|script|style|head)\b.*?</\1>|<summary>技术细节</summary>.*?</details>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_TOLD = re.compile(r'(?:aria-label|alt|title|placeholder|data-label)="([^"]*)"')


@pytest.fixture
def cookie(house: Runtime) -> str:
    """Of an administrator of a house in which something stands on every page."""
    add_user(house, "wang", "admin")
    add_user(house, "li", "editor")
    furnish(house)
    with house.begin() as tx:
        segments.save(tx.session, OPERATOR, "老人", "retired", now=tx.now)
        transfers.ask(tx.session, OPERATOR, 5, "西城", on=tx.now.date(), now=tx.now)
    return Signed(house, "wang").token


def english(page: str) -> set[str]:
    """The words of a page that are not Chinese."""
    body = _OTHERS.sub(" ", page)
    told = " ".join(unescape(text) for text in (_TAG.sub(" ", body), *_TOLD.findall(body)))
    return {word for word in re.findall(r"[A-Za-z][A-Za-z.]*[A-Za-z]", told) if word.lower() not in SAID}


def test_pictures_are_left_out_or_taken_apart_of_pages_that_there_are() -> None:
    assert {*NO_PAGES, *APART} <= {path for (method, path) in DECLARED if method == "GET"}


@SQLITE
def test_pages_are_where_they_say_and_chinese_ones_have_no_english(house: Runtime, address: str, cookie: str) -> None:
    hand_in(house, address, cookie, taken=True)
    token = hand_in(house, address, cookie)
    browser = Browser(address)
    found: dict[str, set[str]] = {}
    with browser.client:
        browser.client.cookies["broadsheet"] = cookie
        browser.client.headers["accept-language"] = "zh-CN"
        for path in (*inside(), "/members/5"):
            at = path.replace("{token}", token).replace("{name}", "0")
            answer = browser.get(re.sub(r"\{\w+\}", "1", at))
            assert answer.status_code == 200, f"{path}: {answer.status_code}"
            found[path] = english(answer.text)
    told = {path: words for path, words in found.items() if words}
    assert not told, told


@SQLITE
def test_an_empty_page_says_what_will_stand_there(house: Runtime, address: str) -> None:
    add_user(house, "wang", "admin")
    browser = Browser(address)
    with browser.client:
        browser.client.cookies["broadsheet"] = Signed(house, "wang").token
        browser.client.headers["accept-language"] = "zh-CN"
        for path in (*EMPTY, "/items/drafts", "/members/transfers"):
            main = browser.get(path).text.partition("<main")[2].partition("</main>")[0]
            assert re.search(r"(没有|空的)[^<]*。", main), path
