"""The text of a variant: made of the items, in full, or written by hand, and never lost."""

from __future__ import annotations

import re
from html import unescape

import pytest

from broadcaster.runtime import Runtime
from tests.factories import make_member, make_organisation
from tests.newsroom.test_checks import put
from tests.newsroom.test_composer import bubbles
from tests.newsroom.test_items import come
from tests.newsrooms import Browser, at, troubles

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PAGE = "/editions/7/variants/0"


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    with house.begin() as tx:
        branch = make_organisation(tx.session, "东街")
        make_member(tx.session, organisation=branch, name="欧阳子涵", status="retired")
        make_member(tx.session, organisation=branch, name="李敏")
    come(house, browser, "chief", "editor")
    browser.post("/items/columns", name="要闻")
    browser.post("/editions/new", number="7", day="2026-11-23", title="入冬")
    put(browser, "供暖", full="## 供暖\n**今天**起供暖。")
    browser.post("/editions/7/variants", variants="retired\neveryone")
    return browser


def body_of(page: str) -> str:
    found = re.search(r"<textarea id=\"body\"[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert found
    return unescape(found[1]).removeprefix("\n")


def undo_of(page: str) -> dict[str, str]:
    """The form that takes back what was just done: where it goes, and its fields."""
    found = re.search(r'<div class="done".*?<form method="post" action="([^"]*)">(.*?)</form>', page, re.DOTALL)
    assert found
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', found[2])
    return {name: unescape(value) for name, value in fields if name != "form_token"} | {"action": unescape(found[1])}


def earlier_of(page: str) -> list[str]:
    return [unescape(text) for text in re.findall(r'<p class="written">(.*?)</p>', page, re.DOTALL)]


def test_written_by_hand_kept_and_made_anew(house: Runtime, editor: Browser) -> None:
    page = editor.get(PAGE).text
    assert body_of(page) == "〔姓名〕您好！《晨晖手机报》第7期，11月23日。\n要闻：供暖的一句。"
    assert "Made of the items" in page
    answer = editor.post(PAGE, body="〔姓名〕：〔组织〕供暖\r\n了。", version="0")
    page = editor.follow(answer).text
    assert "Written by hand" in page
    assert "saved by chief" in page
    assert "The items have changed since" not in page
    retired, everyone = bubbles(editor.get("/editions/7").text)
    assert retired == "欧阳子涵：东街供暖\n了。拒收请回复R"
    assert "供暖的一句" in everyone, "the other one is made of its items"
    item = re.findall(r'href="/items/(\d+)"', editor.get("/editions/7").text)[0]
    placement = re.findall(r'data-placement="(\d+)"', editor.get("/editions/7").text)[0]
    editor.post("/editions/7/sentence", item=item, placement=placement, version="1", sms="别的一句。")
    page = editor.get(PAGE).text
    assert "The items have changed since" in page
    assert "别的一句。" in page
    assert bubbles(page) == [retired]
    page = editor.follow(editor.post(PAGE + "/anew", version="1")).text
    assert "别的一句。" in body_of(page)
    undo = undo_of(page)
    page = editor.follow(editor.post(undo.pop("action"), **undo)).text
    assert body_of(page) == "〔姓名〕：〔组织〕供暖\n了。"
    assert "The items have changed since" in page, "what they gave when it was written came back, too"


def test_what_was_written_by_hand_is_never_lost(house: Runtime, editor: Browser) -> None:
    editor.get(PAGE)
    long = "很长" * 740
    editor.post(PAGE, body=long, version="0")
    assert long not in editor.follow(editor.post(PAGE + "/anew", version="1")).headers.get("set-cookie", "")
    again = editor.post(PAGE + "/anew", version="1")
    assert again.status_code == 303, "it was pressed twice: there is nothing left to be done"
    editor.get(PAGE)
    editor.post(PAGE, body="第二份", version="2")
    editor.post(PAGE + "/anew", version="3")
    with at(house) as other:
        come(house, other, "li", "editor")
        page = other.get(PAGE).text
        assert earlier_of(page) == ["第二份", long]
        assert "saved by chief" in page
        ids = re.findall(r'name="earlier" value="(\d+)"', page)
        for _ in range(2):
            assert other.post(PAGE + "/back", earlier=ids[1], version="4").status_code == 303
        page = other.get(PAGE).text
        assert body_of(page) == long
        assert earlier_of(page) == ["第二份"]
        answer = editor.post(PAGE + "/anew", version="4")
        assert "li has changed this text" in troubles(answer)
        answer = editor.post(PAGE + "/back", earlier=ids[0], version="4")
        assert "li has changed this text" in troubles(answer)
        assert body_of(answer.text) == long
        assert other.post(PAGE + "/back", earlier=ids[0], version="5").status_code == 303
        page = other.get(PAGE).text
        assert body_of(page) == "第二份"
        assert earlier_of(page) == [long], "what stood there was put aside in its turn"
        assert other.post(PAGE + "/back", earlier="99", version="6").status_code == 404


def test_so_many_earlier_texts_are_kept(editor: Browser) -> None:
    editor.get(PAGE)
    for number in range(12):
        editor.post(PAGE, body=f"第{number}份", version=str(2 * number))
        editor.post(PAGE + "/anew", version=str(2 * number + 1))
    assert earlier_of(editor.get(PAGE).text) == [f"第{number}份" for number in range(11, 1, -1)]


def test_a_text_goes_to_the_variant_that_was_shown(editor: Browser) -> None:
    assert editor.get(PAGE).text.count('name="variant" value="retired"') == 3
    editor.post("/editions/7/variants", variants="in_service\nretired\neveryone")
    answer = editor.post(PAGE, variant="retired", body="只给老会员。", version="0")
    assert answer.headers["location"] == "/editions/7/variants/1"
    texts = bubbles(editor.get("/editions/7").text)
    assert ["只给老会员。" in text for text in texts] == [False, True]
    assert editor.post(PAGE + "/anew", variant="retired", version="1").headers["location"] == "/editions/7/variants/1"
    assert editor.post(PAGE, variant="applicant", body="甲", version="0").status_code == 404


def test_what_is_typed_is_shown_at_once(editor: Browser) -> None:
    editor.get(PAGE)
    answer = editor.post(PAGE + "/look", body="〔姓名〕" + "很长" * 40)
    assert "欧阳子涵很长" in bubbles(answer.text)[0]
    assert "end of part 2" in answer.text
    assert answer.text.count("bubble") == 1
    assert "has no meaning in a text" in editor.post(PAGE + "/look", body="{{ name }}").text
    assert "很长" not in editor.get("/editions/7").text


def test_in_full(editor: Browser) -> None:
    editor.get(PAGE)
    page = editor.follow(editor.post(PAGE + "/form", in_full="1")).text
    assert "供暖\n今天起供暖。" in body_of(page)
    retired, everyone = bubbles(editor.get("/editions/7").text)
    assert "今天起供暖。" in retired
    assert "供暖的一句" in everyone
    editor.follow(editor.post(PAGE + "/form", in_full="0"))
    assert "供暖的一句" in bubbles(editor.get("/editions/7").text)[0]


def test_two_at_one_text(house: Runtime, editor: Browser) -> None:
    editor.get(PAGE)
    with at(house) as other:
        come(house, other, "li", "editor")
        other.get(PAGE)
        assert other.post(PAGE, body="李的话", version="0").status_code == 303
    answer = editor.post(PAGE, body="王的话", version="0")
    assert "li has changed this text" in troubles(answer)
    assert body_of(answer.text) == "王的话"
    assert "李的话" in answer.text
    version = re.findall(r'name="version" value="(\d+)"', answer.text)[0]
    assert editor.post(PAGE, body="王的话", version=version).status_code == 303
    assert earlier_of(editor.get(PAGE).text) == ["李的话"], (
        "also what somebody else wrote is kept when one writes over it"
    )


def test_what_stands_in_it_is_checked_and_stops_the_send(editor: Browser) -> None:
    editor.get(PAGE)
    for body, told in (("", "The text is empty"), ("{{ name }}", "〔姓名〕"), ("长" * 1501, "1500 characters")):
        assert told in troubles(editor.post(PAGE, body=body, version="0"))
    assert editor.post(PAGE, body="〔姓名〕，时间待定", version="0").status_code == 303
    page = editor.get("/editions/7/check").text
    assert "1 thing must be mended" in page
    assert "still to be filled in: 待定" in page
    assert "The text of retired stops edition 7" in troubles(editor.post("/editions/7/draft"))
    editor.post("/editions/7/variants", variants="everyone")
    assert editor.post("/editions/7/draft").status_code == 303, "a variant that is not there stops nothing"


def test_what_stands_in_it_is_told_beside_it(editor: Browser) -> None:
    editor.get(PAGE)
    page = editor.follow(editor.post(PAGE, body="〔姓名〕，您〔年龄〕岁", version="0")).text
    assert "There is no such field: 〔年龄〕" in page.partition('id="body-remarks"')[2]
    item = re.findall(r'href="/items/(\d+)"', editor.get("/editions/7").text)[0]
    placement = re.findall(r'data-placement="(\d+)"', editor.get("/editions/7").text)[0]
    assert f"remarks-{placement}" not in editor.get("/editions/7").text
    editor.post("/editions/7/sentence", item=item, placement=placement, version="1", sms="您{{ 年龄 }}岁。")
    told = editor.get("/editions/7").text.partition(f'id="remarks-{placement}"')[2]
    assert "{{ 年龄 }}" in told.partition("</div>")[0], "also where a sentence is changed in the edition"


def test_it_is_checked_like_what_is_made_of_items_and_repaired_with_one_button(house: Runtime, editor: Browser) -> None:
    editor.get("/settings/words")
    editor.post("/settings/words", words="促销")
    editor.get(PAGE)
    body = "〔姓名〕：Ａ座【促销】，见 https://example.org/〔姓名〕 ，电话〔电话〕"
    assert editor.post(PAGE, body=body, version="0").status_code == 303
    page = editor.get("/editions/7/check").text
    for told in (
        "There is no such field: 〔电话〕",
        "A link has a field in it, and leads nowhere: https://example.org/〔…〕",
        "There are 【】 in the sentence",
        "Words of your list stand in it: 促销",
        "Characters that look like others (1): Ａ",
    ):
        assert told in page, told
    assert "2 things must be mended" in page
    assert f'href="{PAGE}"' in page
    assert "The text of retired stops edition 7: There is no such field" in troubles(editor.post("/editions/7/draft"))
    found = re.search(r'action="([^"]*/repair)">(.*?)</form>', editor.get("/editions/7/check").text, re.DOTALL)
    assert found
    fields = dict(re.findall(r'name="(variant|version)" value="([^"]*)"', found[2]))
    page = editor.follow(editor.post(found[1], **fields)).text
    assert "Repaired: retired." in page
    assert "look like others" not in page
    assert body_of(editor.get(PAGE).text) == body.replace("Ａ", "A")
    assert editor.post(found[1], **fields).status_code == 303, "it was pressed twice"
    editor.post(PAGE, body="Ｂ座", version="2")
    assert "chief has changed this text" in troubles(editor.post(found[1], **fields))
    editor.post(PAGE + "/anew", version="3")
    assert "The text is empty" in troubles(editor.post(found[1], variant="retired", version="3"))


@SQLITE
def test_other_places(house: Runtime, editor: Browser) -> None:
    for wrong in ("2", "99999", "x", "-1"):
        assert editor.client.get(f"/editions/7/variants/{wrong}").status_code == 404
    with at(house) as west:
        come(house, west, "wester", "editor", "西街")
        west.get("/items")
        for path in ("", "/anew", "/back", "/form", "/look", "/repair"):
            answer = west.client.post(PAGE + path)
            assert answer.status_code in (403, 404)
            west.get("/items")
            assert west.post(PAGE + path, body="x", version="0").status_code == 404
        assert west.get(PAGE).status_code == 404
