"""What a check finds in texts, as an editor meets it: on the page, at a gateway that is set up so, of real readers."""

from __future__ import annotations

import re
from html import unescape

import pytest

from broadcaster.campaigns import profile_changes
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from subscribers.nowhere import DEFAULT_ORGANISATION
from tests.factories import make_member, make_organisation
from tests.newsroom.test_checks import begin_edition, put, sign
from tests.newsrooms import Browser

CHECK, TEXT = "/editions/7/check", "/editions/7/variants/0"


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    begin_edition(house, browser)
    sign(house)
    return browser


def found(browser: Browser) -> str:
    page = browser.get(CHECK).text
    return " ".join(unescape(re.sub("<[^>]+>", " ", page.partition('class="findings"')[2])).split())


def test_what_the_gateway_takes_no_text_with(house: Runtime, editor: Browser) -> None:
    put(editor, "供暖", sms="「通知」供暖了。")
    assert "「" not in found(editor)
    with house.begin() as tx:
        for name in house.gateways:
            profile_changes.write(tx.session, OPERATOR, name, {"forbidden": "「"}, tx.now.date(), now=tx.now)
    assert "✕ Stops it: 供暖 : Carriers do not take these characters: 「" in found(editor)


def test_whose_value_is_missing(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        make_member(tx.session, name="王强", organisation=make_organisation(tx.session, DEFAULT_ORGANISATION))
    put(editor, "开会")
    editor.post("/editions/7/variants", variants="everyone")
    editor.post(TEXT, body="〔姓名〕：〔组织〕开会", version="0")
    assert "✕ Stops it: everyone : organisation is missing for 王强." in found(editor)
    assert f'<a href="{TEXT}">Change the text' in editor.get(CHECK).text
    editor.get("/?lang=zh")
    assert "✕ 不能发： 所有人 ：这些人缺“组织”：王强。" in found(editor)
    assert "organisation" not in found(editor)


def test_a_sign_that_doubles_the_price(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        given = {"signature": "[Dawn]", "opt_out": "R stops it"}
        for name in house.gateways:
            profile_changes.write(tx.session, OPERATOR, name, given, tx.now.date(), now=tx.now)
    put(editor, "Heating")
    editor.post("/editions/7/variants", variants="everyone")
    editor.post(TEXT, body="Heating’s on. " + "Warm " * 20, version="0")
    page = editor.get("/editions/7").text
    assert "<strong>2 parts</strong>" in page
    assert "a part holds 67 characters instead of 153; parts more: 1." in page
    assert "Because of ’" in unescape(page)
    assert "Characters that look like others (1): ’" in found(editor)
    assert editor.post(f"{TEXT}/repair", variant="everyone", version="1").status_code == 303
    assert "look like others" not in found(editor)
    page = editor.get("/editions/7").text
    assert ("<strong>1 part</strong>" in page, "Chinese encoding" in page) == (True, False)
