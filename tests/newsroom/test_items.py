"""Items and columns on pages: written by two at once, handed in, accepted, shared; nothing of anybody else's."""

from __future__ import annotations

import re
from html import unescape

import httpx2
import pytest

from broadcaster.newspaper import columns, items
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.items import Move
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from tests.factories import make_organisation
from tests.newsrooms import Browser, Signed, add_user, at, troubles

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def come(house: Runtime, browser: Browser, name: str, role: str, under: str = "") -> Browser:
    if under:
        with house.begin() as tx:
            make_organisation(tx.session, under)
    add_user(house, name, role, under=under)
    browser.client.cookies["broadsheet"] = Signed(house, name).token
    browser.get("/items")
    return browser


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    return come(house, browser, "chief", "editor")


def id_of(page: str) -> int:
    found = re.search(r'action="/items/(\d+)"', page)
    assert found, page
    return int(found[1])


def written(browser: Browser, **fields: str) -> int:
    answer = browser.post("/items/new", **({"headline": "供暖了", "sms": "今天供暖。"} | fields))
    assert answer.status_code == 303, troubles(answer)
    return id_of(browser.follow(answer).text)


def handed_in(browser: Browser, item_id: int, **fields: str) -> httpx2.Response:
    form = {"headline": "供暖了", "sms": "今天供暖。", "version": version_of(browser, item_id)} | fields
    return browser.post(f"/items/{item_id}", **form, act="contribute")


def version_of(browser: Browser, item_id: int) -> str:
    found = re.search(r'name="version" value="(\d+)"', browser.get(f"/items/{item_id}").text)
    assert found
    return found[1]


def test_from_word_to_the_shelf(editor: Browser) -> None:
    pasted = "\u3000\u3000第一段\r\n\r\n\r\n\r\n\uf0b7\t第一条\v续"
    item = written(editor, sms="今天\r\n供暖。", full=pasted, source="东街分会", audience="retired")
    page = editor.get(f"/items/{item}").text
    assert "今天供暖。</textarea>" in page
    assert "第一段\n\n- 第一条\n续</textarea>" in page
    assert 'value="retired" checked' in page
    assert 'value="everyone" checked' not in page
    shelf = editor.get("/items").text
    assert "东街分会" in shelf
    assert "○ draft" in shelf
    assert "No item was found" in editor.get("/items?q=nothing").text
    assert "供暖了" in editor.get("/items?q=供暖").text


@pytest.mark.parametrize("field", ["{{ 年龄 }}", "{年龄}", "〔年龄〕"])
def test_a_field_that_nobody_has_is_told_beside_the_sentence(editor: Browser, field: str) -> None:
    item = written(editor, sms=f"您{field}岁。")
    page = editor.get(f"/items/{item}").text
    beside = re.search(r'<div id="sms-remarks">(.*?)</div>', page, re.DOTALL)
    assert beside
    assert field in unescape(beside[1])
    assert "fill" in beside[1]
    assert 'aria-describedby="sms-hint sms-remarks"' in page
    well = editor.post(f"/items/{item}", headline="供暖了", sms="今天供暖。", version=version_of(editor, item))
    assert "sms-remarks" not in editor.follow(well).text


def somebody_else_saves(house: Runtime, item: int, version: str) -> None:
    with at(house) as other:
        come(house, other, "li", "editor")
        assert other.post(f"/items/{item}", headline="李", sms="李的话。", version=version).status_code == 303


def test_two_in_one_item(house: Runtime, editor: Browser) -> None:
    item = written(editor)
    version = version_of(editor, item)
    somebody_else_saves(house, item, version)
    answer = editor.post(f"/items/{item}", headline="王", sms="王的话。", full="王的全文", version=version)
    assert answer.status_code == 422
    assert "li has changed this item" in troubles(answer)
    for words in ("李的话。", "王的话。</textarea>", "王的全文</textarea>", "Take theirs", "Take mine"):
        assert words in answer.text
    newest = re.search(r'name="version" value="(\d+)"', answer.text)
    assert newest
    editor.follow(editor.post(f"/items/{item}", headline="王", sms="李和王的话。", version=newest[1]))
    assert "李和王的话。" in editor.get(f"/items/{item}").text


def test_from_a_branch_to_the_pool(house: Runtime, editor: Browser) -> None:
    with at(house) as branch:
        come(house, branch, "zhang", "writer", "East/First")
        item = written(branch)
        page = branch.follow(handed_in(branch, item)).text
        assert "It waits for an editor" in page
        assert 'name="version"' not in page, "a writer changes it no more"
        assert page.count(f'action="/items/{item}/take-back"') == 2, "beside what was done, and further below"
        assert branch.post(f"/items/{item}", headline="x", sms="x", version="1").status_code == 403
        page = branch.follow(branch.post(f"/items/{item}/take-back")).text
        assert "It is a draft again." in page
        assert 'name="version"' in page
        assert branch.post(f"/items/{item}/take-back").status_code == 409
        handed_in(branch, item)
        assert branch.post(f"/items/{item}/decide", move="accept").status_code == 403
        assert "供暖了" in editor.get("/items/contributed").text
        editor.follow(editor.post(f"/items/{item}/decide", move="send_back", note="哪一天？"))
        assert "哪一天？" in branch.get(f"/items/{item}").text
        handed_in(branch, item)
        page = editor.follow(editor.post(f"/items/{item}/decide", move="accept")).text
        assert "Accepted: 供暖了." in page
        own = written(editor, headline="全县", full="**全县**都供暖了。")
        editor.post(f"/items/{own}/decide", move="accept")
        assert branch.get(f"/items/{own}").status_code == 404
        editor.post(f"/items/{own}/decide", move="share")
        assert "全县" in branch.get("/items/shared").text
        page = branch.get(f"/items/{own}").text
        assert "Make a copy of my own" in page
        assert "<p><strong>全县</strong>都供暖了。</p>" in page, "as readers see it"
        assert "This one is yours" in branch.follow(branch.post(f"/items/{own}/copy")).text
    assert editor.post(f"/items/{item}/decide", move="accept").status_code == 409
    for wrong in ("", "x", "delete"):
        assert editor.post(f"/items/{item}/decide", move=wrong).status_code == 400


@SQLITE
def test_what_is_accepted_is_what_was_seen(house: Runtime, editor: Browser) -> None:
    item = written(editor)
    page = editor.get(f"/items/{item}").text
    for button in re.findall(r"<button[^>]*>(?:Accept)<", page):
        assert 'form="item" name="act" value="accept"' in button
    form = {"headline": "供暖了", "sms": "明天供暖。", "version": version_of(editor, item)}
    answer = editor.post(f"/items/{item}", **form | {"sms": ""}, act="accept")
    assert answer.status_code == 422
    assert "Accept<" in editor.get(f"/items/{item}").text, "it is not accepted either"
    page = editor.follow(editor.post(f"/items/{item}", **form, act="accept")).text
    assert "Accepted: 供暖了." in page
    assert "明天供暖。</textarea>" in page
    # who has read and changed nothing is not the one who changed it
    assert version_of(editor, item) == "2"
    editor.post(f"/items/{item}/decide", move="send_back")
    editor.post(f"/items/{item}", **form | {"version": "2"}, act="accept")
    assert version_of(editor, item) == "2"
    # and nobody accepts over words that somebody else has saved meanwhile
    editor.post(f"/items/{item}/decide", move="send_back")
    editor.post(f"/items/{item}", **form | {"version": "2", "sms": "后天供暖。"})
    answer = editor.post(f"/items/{item}", **form | {"version": "2"}, act="accept")
    assert "has changed this item" in troubles(answer)
    assert "后天供暖。" in answer.text
    assert "Accepted" not in editor.get(f"/items/{item}").text.partition("<form")[0]
    for version in ("9" * 15, "-1", "x"):
        assert editor.post(f"/items/{item}", **form | {"version": version}, act="accept").status_code == 422


@SQLITE
def test_a_copy_for_a_segment_that_is_gone_is_written_anew(house: Runtime, editor: Browser) -> None:
    editor.get("/members/segments")
    editor.post("/members/segments", name="老人", rule="retired")
    editor.get("/items")
    item = written(editor, audience="老人")
    editor.get("/members/segments")
    editor.post("/members/segments/remove", name="老人", sure="yes")
    editor.get(f"/items/{item}")
    answer = editor.post(f"/items/{item}/copy")
    assert answer.status_code == 422
    assert "老人" in troubles(answer)
    assert "今天供暖。</textarea>" in answer.text
    assert 'action="/items/new"' in answer.text


def test_withdrawn_taken_back_and_corrected(editor: Browser) -> None:
    item = written(editor)
    page = editor.follow(editor.post(f"/items/{item}/decide", move="withdraw", note="日期不对")).text
    assert "Withdrawn: 供暖了." in page
    assert "日期不对" in page
    assert 'name="move" value="restore"' in page.partition('role="status"')[2][:900]
    page = editor.get(f"/items/new?corrects={item}").text
    assert "今天供暖。</textarea>" in page
    correction = written(editor, corrects=str(item))
    assert f'href="/items/{item}"' in editor.get(f"/items/{correction}").text
    assert f'Put right by: <a href="/items/{correction}">' in editor.get(f"/items/{item}").text


def test_columns(editor: Browser) -> None:
    page = editor.follow(editor.post("/items/columns", name="要闻", owner="chief")).text
    assert "The column 要闻 is there." in page
    news = re.search(r"/items/columns/(\d+)/move", page)
    assert news
    editor.follow(editor.post("/items/columns", name="街道", parent=news[1]))
    item = written(editor, column=news[1])
    handed_in(editor, item, column=news[1])
    assert "waits for chief" in editor.get("/items/contributed").text
    page = editor.follow(editor.post(f"/items/columns/{news[1]}", name="身边事", owner="")).text
    assert "Changed: 身边事." in page
    editor.follow(editor.post(f"/items/columns/{news[1]}/move", to="down"))
    assert "There are columns below" in troubles(editor.post(f"/items/columns/{news[1]}/remove"))
    for name, owner in (("", ""), ("身边事", ""), ("新", "nobody"), ("x" * 5000, "x" * 5000)):
        assert editor.post("/items/columns", name=name, owner=owner).status_code == 422
    for wrong in ("", "x", "-1", "9" * 40, "１"):
        assert editor.post("/items/columns/999999/remove", into=wrong).status_code == 404


@SQLITE
def test_a_number_that_nobody_counts_to_is_none(house: Runtime, browser: Browser) -> None:
    editor = come(house, browser, "chief", "editor")
    editor.get("/items/new")
    for number in ("9" * 5000, "٣", "9" * 20, "-1"):
        answer = editor.post("/items/new", headline="x", sms="x", corrects=number)
        assert answer.status_code == 303, number[:9]
        assert "/items/" in answer.headers["location"]


@SQLITE
def test_nothing_of_another_place(house: Runtime, browser: Browser) -> None:
    with house.begin() as tx:
        make_organisation(tx.session, "West")
        item = items.write(tx.session, OPERATOR, Words("上级的稿", "不给看。"), now=tx.now).id
        column = columns.add(tx.session, OPERATOR, "上级的栏", now=tx.now).id
    with at(house) as west:
        come(house, west, "wester", "editor", "West")
        theirs = written(west, headline="西边的稿")
    local = come(house, browser, "easter", "editor", "East")
    for hidden in (item, theirs):
        assert local.get(f"/items/{hidden}").status_code == 404
        local.get("/items")
        for path in ("", "/decide", "/copy"):
            answer = local.post(f"/items/{hidden}{path}", headline="x", sms="x", move=Move.WITHDRAW.value)
            assert answer.status_code == 404, path
        assert local.post("/items/new", headline="x", sms="x", corrects=str(hidden)).status_code == 404
    for path in ("/items", "/items/contributed", "/items/shared"):
        assert "稿</a>" not in local.get(path).text
    # a column of the place above is used there, and not changed
    assert "上级的栏" in local.get("/items/columns").text
    for path in ("", "/move", "/remove"):
        assert local.post(f"/items/columns/{column}{path}", name="x", owner="").status_code == 404


def assert_tame(page: str) -> None:
    assert "<script>alert" not in page
    assert "<img src=x" not in page


@SQLITE
def test_a_form_that_is_refused_keeps_what_was_typed(editor: Browser) -> None:
    answer = editor.post(
        "/items/new", headline="", sms="留着。", full="全文", valid_from="２月", other_audience="age >"
    )
    assert answer.status_code == 422
    assert "is no day" in troubles(answer)
    for kept in ("留着。</textarea>", "全文</textarea>", "age &gt;</textarea>"):
        assert kept in answer.text
    editor.page = answer
    both = {"headline": "供暖", "sms": "供暖了。", "whom": "everyone", "audience": "retired"}
    answer = editor.post("/items/new", **both)
    assert "It is ticked for everyone and for retired, too: everyone would get it." in troubles(answer)
    assert ticked(answer.text) == ["everyone", "retired"]


def ticked(page: str) -> list[str]:
    return re.findall(r'name="(?:whom|audience)" value="(\w+)" checked', page)


@SQLITE
def test_a_village_that_is_typed_and_one_that_is_ticked(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        make_organisation(tx.session, "东河村")
        make_organisation(tx.session, "北沟村")
    words = {"headline": "供暖", "sms": "供暖了。", "whom": "chosen"}
    editor.get("/items/new")
    answer = editor.post("/items/new", **words, other_audience="东河村")
    assert answer.status_code == 422
    assert "There is no segment 东河村." in troubles(answer)
    assert "Tick a segment or an organisation" in troubles(answer)
    assert "column" not in troubles(answer)
    assert 'href="#other_audience"' in answer.text
    assert re.findall(r'id="(\w+)"[^>]*aria-invalid', answer.text) == ["other_audience"]
    answer = editor.post("/items/new", **words, other_audience="age >")
    assert 'href="#other_audience"' in answer.text
    editor.page = answer
    box = re.search(r'name="audience" value="([^"]*东河村[^"]*)">', answer.text)
    assert box, "it can be ticked"
    page = editor.follow(editor.post("/items/new", **words, audience=unescape(box[1]))).text
    assert f'name="audience" value="{box[1]}" checked' in page
    # asked for in Chinese, it has the same box
    item = written(editor, whom="chosen", other_audience="属于(“北沟村”)")
    page = editor.get(f"/items/{item}").text
    assert re.findall(r'name="audience" value="([^"]*北沟村[^"]*)"( checked)?', page) == [
        ("属于(“北沟村”)", " checked")
    ]


def places(page: str) -> dict[str, bool]:
    """The boxes of organisations: whether they are ticked."""
    found = re.findall(r'name="audience" value="(?:under|属于)[^"]*"( checked)?> (.*?)</label>', page)
    return {unescape(words).removesuffix(" and all below"): bool(on) for on, words in found}


def test_an_organisation_is_looked_for(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        for n in range(1, 31):
            make_organisation(tx.session, f"第{n}村")
    page = editor.get("/items/new").text
    assert len(places(page)) == 12
    assert "There are more: look for them by name." in page
    first = unescape(re.search(r'name="audience" value="(under[^"]*)"', page)[1])  # type: ignore[index]
    typed = {"headline": "供暖", "sms": "留着。", "full": "全文也留着", "whom": "chosen", "draft": "", "saves": "0"}
    answer = editor.post("/items/new/places", **typed, audience=[first, "retired"], place_q="第27")
    assert answer.status_code == 200
    assert places(answer.text) == {named(first): True, "第27村": False}, "what was ticked stays in sight"
    assert ticked(answer.text) == ["chosen", "retired"]
    for kept in ('value="供暖"', "留着。</textarea>", "全文也留着</textarea>", 'value="第27"'):
        assert kept in answer.text, kept
    assert "No organisation was found." in editor.post("/items/new/places", **typed, place_q="火星").text
    # Enter while a name stands there looks, however often, and saves nothing; the button saves
    box = unescape(re.search(r'value="(under[^"]*27[^"]*)"', answer.text)[1])  # type: ignore[index]
    given = typed | {"audience": box, "act": "enter", "place_q": "第27"}
    for _ in range(2):
        looked = editor.post("/items/new", **given)
        assert (looked.status_code, places(looked.text)) == (200, {"第27村": True})
        assert not saved(house)
    page = editor.follow(editor.post("/items/new", **given | {"act": ""})).text
    assert saved(house) == [(box,)]
    assert places(page)["第27村"], "also where it is not among the first"
    assert "27" not in page.partition('id="other_audience"')[2].partition("</textarea>")[0]


def named(rule: str) -> str:
    return rule.partition('"')[2].rpartition('"')[0]


def saved(house: Runtime) -> list[tuple[str, ...]]:
    with house.reading() as tx:
        return [items.words_of(each).audience for each in items.listing(tx.session, OPERATOR, items.Shelf.ALL)]


def test_who_looks_or_errs_writes_over_nobodys_words(house: Runtime, editor: Browser) -> None:
    item = written(editor)
    version = version_of(editor, item)
    somebody_else_saves(house, item, version)
    mine = {"headline": "王", "sms": "王的话。", "whom": "everyone"}
    editor.get(f"/items/{item}")
    looked = editor.post(f"/items/{item}/places", **mine, version=version, place_q="村")
    wrong = editor.post(f"/items/{item}", **mine, version=version, valid_from="x")
    for answer in (looked, wrong):
        still = re.search(r'name="version" value="(\d+)"', answer.text)
        assert still
        assert still[1] == version, answer.status_code
        again = editor.post(f"/items/{item}", **mine, version=still[1])
        assert "li has changed this item" in troubles(again)


def test_for_everyone_or_for_some(house: Runtime, editor: Browser) -> None:
    words = {"headline": "供暖", "sms": "供暖了。"}
    assert ticked(editor.get("/items/new").text) == ["everyone"]
    answer = editor.post("/items/new", **words, whom="chosen")
    assert answer.status_code == 422
    assert "It is not said for whom it is." in troubles(answer)
    assert 'href="#whom"' in answer.text
    assert ticked(answer.text) == ["chosen"]
    editor.page = answer
    some = editor.follow(editor.post("/items/new", **words, whom="chosen", audience="retired")).text
    assert ticked(some) == ["chosen", "retired"]
    rule = {"whom": "chosen", "other_audience": "age > 60"}
    item = id_of(some)
    page = editor.follow(editor.post(f"/items/{item}", **words, **rule, version=version_of(editor, item))).text
    assert ticked(page) == ["chosen"]
    page = editor.follow(editor.post(f"/items/{item}", **words, whom="everyone", version=version_of(editor, item))).text
    assert ticked(page) == ["everyone"]
    with house.reading() as tx:
        assert items.words_of(items.get(tx.session, OPERATOR, item)).audience == ("everyone",)
