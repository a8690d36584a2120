"""The check of an edition on a page: what stops it, the list of words, and repairs with one button."""

from __future__ import annotations

import re

import pytest

from broadcaster.runtime import Runtime
from tests.factories import make_member, make_organisation
from tests.newsroom.test_composer import accepted, columns_of
from tests.newsroom.test_items import assert_tame, come
from tests.newsroom.test_members import NAUGHTY
from tests.newsrooms import Browser, at, troubles


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    with house.begin() as tx:
        make_member(tx.session, organisation=make_organisation(tx.session, "东街"), name="李敏")
    come(house, browser, "chief", "editor")
    browser.post("/items/columns", name="要闻")
    browser.post("/editions/new", number="7", day="2026-11-23", title="入冬")
    return browser


def put(browser: Browser, headline: str, **fields: str) -> str:
    item = accepted(browser, headline, **fields)
    browser.post("/editions/7/place", column=columns_of(browser)[0], item=item)
    return item


def test_all_is_well(editor: Browser) -> None:
    assert "1 thing must be mended" in editor.get("/editions/7/check").text
    put(editor, "供暖")
    page = editor.get("/editions/7/check").text
    assert "✓ Nothing was found" in page
    assert "供暖的一句。" in page


def test_what_is_found(house: Runtime, editor: Browser) -> None:
    put(editor, "甲", sms="{name}您好")
    put(editor, "乙", sms="免费取暖")
    put(editor, "丙", audience="retired")
    editor.post("/settings/words", words="免费\n中奖")
    editor.post("/editions/7/variants", variants="mobile\neveryone")
    page = editor.get("/editions/7/check").text
    assert "2 things must be mended" in page
    for words in (
        "Something is still to be filled in: {name}",
        "Words of your list stand in it: 免费",
        "No variant of this edition is for retired",
        "Nobody is in this segment now.",
    ):
        assert words in page, words
    assert page.index("Stops it") < page.index("Words of your list")


def test_one_button_repairs(editor: Browser) -> None:
    item = put(editor, "甲", sms="１２点供暖")
    assert "characters look like others" in editor.get("/editions/7/check").text
    page = editor.follow(editor.post("/editions/7/repair", item=item, version="1")).text
    assert "Repaired: 甲." in page
    assert "12点供暖" in page
    assert "✓ Nothing was found" in page
    assert editor.post("/editions/7/repair", item=item, version="1").status_code == 409, "it is not the same any more"
    other = accepted(editor, "别处", sms="１点")
    assert editor.post("/editions/7/repair", item=other, version="1").status_code == 409


def test_the_list_of_words(house: Runtime, editor: Browser) -> None:
    page = editor.follow(editor.post("/settings/words", words="免费\r\n\r\n中奖")).text
    assert "免费\n中奖</textarea>" in page
    back = re.search(r'name="words" value="([^"]*)"', page)
    assert back
    assert "too long for a word" in troubles(editor.post("/settings/words", words="长" * 51))
    with at(house) as branch:
        come(house, branch, "local", "editor", "东街")
        assert "免费, 中奖" not in branch.get("/editions").text
        assert "中奖" in branch.get("/settings/words").text
        branch.post("/settings/words", words="点击")
    assert "点击" not in editor.get("/settings/words").text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_naughty_strings_and_other_places(house: Runtime, editor: Browser) -> None:
    for typed in NAUGHTY:
        if not typed.isspace():
            put(editor, typed[:90] or "x", sms=typed[:400])
        assert editor.post("/settings/words", words=typed).status_code in (303, 422)
        assert editor.post("/editions/7/repair", item=typed, version=typed).status_code in (400, 404), typed
    assert_tame(editor.get("/editions/7/check").text)
    assert_tame(editor.get("/settings/words").text)
    with at(house) as west:
        come(house, west, "wester", "editor", "西街")
        west.post("/editions/new", number="8", day="2026-11-23", title="西街报")
        assert west.post("/editions/7/repair", item="1", version="1").status_code == 404
    with at(house) as east:
        come(house, east, "easter", "editor", "东城")
        assert east.get("/editions/8/check").status_code == 404
        east.get("/items")
        assert east.post("/editions/8/repair", item="1", version="1").status_code == 404
