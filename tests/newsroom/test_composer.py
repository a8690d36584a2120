"""Editions on pages: begun, filled, put in order, shown as they will stand on a phone."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest

from broadcaster.newspaper import editions, making
from broadcaster.runtime import Runtime
from subscribers import audit
from subscribers.actor import OPERATOR
from tests.factories import make_member, make_organisation
from tests.newsroom.test_items import come, written
from tests.newsrooms import Browser, at, framed, troubles

FORMS = ("place", "move", "out", "variants", "columns", "columns/remove", "sentence")
FIELDS = ["number", "day", "title", "item", "column", "placement", "position", "to", "variants", "name", "sms"]
DAY = date(2026, 11, 23)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    with house.begin() as tx:
        branch = make_organisation(tx.session, "东街")
        make_member(tx.session, organisation=branch, name="李敏", status="in_service")
        make_member(tx.session, organisation=branch, name="欧阳子涵", status="retired")
    come(house, browser, "chief", "editor")
    for name in ("要闻", "关怀"):
        browser.post("/items/columns", name=name)
    page = browser.follow(browser.post("/editions/new", number="7", day="2026-11-23", title="入冬"))
    assert "No. 7 is there." in page.text
    return browser


def accepted(browser: Browser, headline: str, **fields: str) -> str:
    item = written(browser, headline=headline, **({"sms": f"{headline}的一句。"} | fields))
    assert browser.post(f"/items/{item}/decide", move="accept").status_code == 303
    return str(item)


def columns_of(browser: Browser) -> list[str]:
    return re.findall(r'data-column="(\d+)"', browser.get("/editions/7").text)


def laid(house: Runtime) -> dict[str, list[str]]:
    with house.reading() as tx:
        found = making.layout(tx.session, OPERATOR, 7)
        return {column.name: [placed.item.headline for placed in column.items] for column in found.columns}


def deeds(house: Runtime, deed: str) -> list[str]:
    with house.reading() as tx:
        return sorted(line.thing for line in audit.read(tx.session, OPERATOR, deed=deed))


def placement(house: Runtime, headline: str) -> str:
    with house.reading() as tx:
        columns = making.layout(tx.session, OPERATOR, 7).columns
        return str(next(each.id for column in columns for each in column.items if each.item.headline == headline))


def bubbles(page: str) -> list[str]:
    found = re.findall(r'<div class="bubble".*?</div>', page, re.DOTALL)
    return [unescape("".join(re.findall(r"<span[^>]*>([^<]*)</span>", each))) for each in found]


def test_from_columns_to_phones(house: Runtime, editor: Browser) -> None:
    news, care = columns_of(editor)
    heating, walk = accepted(editor, "供暖"), accepted(editor, "晨练", audience="retired")
    draft = written(editor, headline="草稿")
    offered = editor.get(f"/editions/7?add={news}").text
    assert "供暖" in offered
    assert f'type="checkbox" name="item" value="{draft}"' not in offered.partition("Not accepted yet")[0]
    assert "No accepted item" in editor.get(f"/editions/7?add={news}&q=nothing").text
    assert editor.post("/editions/7/place", column=news, item=heating).status_code == 303
    editor.post("/editions/7/place", column=care, item=walk)
    editor.follow(editor.post("/editions/7/variants", variants="retired\neveryone\n"))
    page = editor.get("/editions/7").text
    retired, everyone = bubbles(page)
    assert retired == "欧阳子涵您好！《晨晖手机报》第7期，11月23日。\n要闻：供暖的一句。\n关怀：晨练的一句。拒收请回复R"
    assert everyone == "李敏您好！《晨晖手机报》第7期，11月23日。\n要闻：供暖的一句。拒收请回复R"
    assert f'type="checkbox" name="item" value="{heating}"' not in editor.get(f"/editions/7?add={care}").text
    assert re.search(r'<a href="/editions/7">No. 7 <span>入冬</span></a>', editor.get("/editions").text)
    assert editor.get("/editions?before=7").status_code == 200
    assert "7" in editor.get(f"/items/{heating}").text.partition("Stands in:")[2][:40]


def test_moved_taken_out_and_put_back(house: Runtime, editor: Browser) -> None:
    news, care = columns_of(editor)
    for name in ("甲", "乙"):
        editor.post("/editions/7/place", column=news, item=accepted(editor, name))
    answer = editor.post("/editions/7/move", placement=placement(house, "乙"), to="up")
    assert answer.headers["location"].endswith(f"#p{placement(house, '乙')}")
    assert laid(house) == {"要闻": ["乙", "甲"], "关怀": []}
    editor.post("/editions/7/move", placement=placement(house, "乙"), column=care, position="0")
    assert laid(house) == {"要闻": ["甲"], "关怀": ["乙"]}
    page = editor.follow(editor.post("/editions/7/out", placement=placement(house, "甲"))).text
    assert "Taken out: 甲." in page
    back = dict(re.findall(r'name="(column|item)" value="(\d+)"', page.partition('role="status"')[2][:900]))
    editor.post("/editions/7/place", **back)
    assert laid(house) == {"要闻": ["甲"], "关怀": ["乙"]}
    page = editor.follow(editor.post("/editions/7/columns", name="特刊")).text
    assert laid(house) == {"要闻": ["甲"], "关怀": ["乙"], "特刊": []}
    column = re.findall(r'data-column="(\d+)"', page)[-1]
    editor.follow(editor.post("/editions/7/columns/remove", column=column))
    assert laid(house) == {"要闻": ["甲"], "关怀": ["乙"]}
    assert "There are items in" in troubles(editor.post("/editions/7/columns/remove", column=news))
    page = editor.follow(editor.post("/editions/7", day="2026-11-30", title="又一期")).text
    assert "又一期" in page
    assert "30 Nov 2026" in page


def test_a_sentence_is_tried_and_kept(house: Runtime, editor: Browser) -> None:
    news, _ = columns_of(editor)
    item = accepted(editor, "供暖")
    editor.post("/editions/7/place", column=news, item=item)
    live = editor.client.get("/editions/7", params={"item": item, "sms": "周一\n供暖，" + "很长" * 40})
    assert "周一供暖，很长很长" in bubbles(live.text)[0]
    assert "end of part 2" in live.text
    assert "周一" not in editor.get("/editions/7").text, "what is only typed is not kept"
    fields = {"item": item, "placement": placement(house, "供暖"), "version": "1"}
    assert editor.post("/editions/7/sentence", sms="周二供暖。", **fields).status_code == 303
    assert "周二供暖。" in bubbles(editor.get("/editions/7").text)[0]
    answer = editor.post("/editions/7/sentence", sms="周三供暖。", **fields)
    assert answer.status_code == 422
    assert "has changed this item" in troubles(answer)
    assert "周三供暖。</textarea>" in answer.text


def test_nothing_ticked_is_told(house: Runtime, editor: Browser) -> None:
    news, _ = columns_of(editor)
    item = accepted(editor, "供暖")
    answer = editor.post("/editions/7/place", column=news, q="供")
    assert (answer.status_code, "Nothing was ticked." in troubles(answer)) == (422, True)
    assert f'type="checkbox" name="item" value="{item}"' in answer.text
    assert 'type="search" value="供"' in answer.text
    for _ in range(2):
        assert editor.post("/editions/7/place", column=news, item=item).status_code == 303
    assert laid(house) == {"要闻": ["供暖"], "关怀": []}


def test_what_waits_is_accepted_and_put_in_at_once(house: Runtime, editor: Browser) -> None:
    news, _ = columns_of(editor)
    ready = accepted(editor, "供暖")
    assert "Not accepted yet" not in editor.get(f"/editions/7?add={news}").text
    drafts = [str(written(editor, headline=headline)) for headline in ("甲", "乙", "丙")]
    page = editor.get(f"/editions/7?add={news}").text
    offered, _, waiting = page.partition("Not accepted yet")
    assert f'name="item" value="{ready}"' in offered
    assert all(f'name="item" value="{each}"' in waiting for each in drafts)
    assert "丙" not in editor.get(f"/editions/7?add={news}&q=甲").text
    for _ in range(2):
        answer = editor.post("/editions/7/place", column=news, accept="1", item=drafts[:2])
        assert answer.status_code == 303, "pressed twice, nothing goes wrong"
    assert laid(house) == {"要闻": ["甲", "乙"], "关怀": []}
    assert deeds(house, "items.accept") == [ready, *drafts[:2]]


def test_nothing_is_accepted_where_one_cannot_be_put_in(house: Runtime, editor: Browser) -> None:
    news, _ = columns_of(editor)
    draft, gone = (str(written(editor, headline=headline)) for headline in ("甲", "乙"))
    editor.post(f"/items/{gone}/decide", move="withdraw")
    answer = editor.post("/editions/7/place", column=news, accept="1", item=[draft, gone])
    assert "not in a state for that" in troubles(answer)
    assert "is not accepted" in troubles(editor.post("/editions/7/place", column=news, item=draft))
    assert laid(house) == {"要闻": [], "关怀": []}
    assert deeds(house, "items.accept") == []


def test_only_who_may_accept_does_it_on_the_page_of_an_edition(house: Runtime, editor: Browser) -> None:
    news, _ = columns_of(editor)
    draft = str(written(editor, headline="甲"))
    assert 'value="accept">Accept<' in editor.get(f"/items/{draft}").text.partition("<form id=")[0]
    come(house, editor, "writer", "writer")
    assert "Accept and put in" not in editor.get(f"/editions/7?add={news}").text
    assert editor.post("/editions/7/place", column=news, accept="1", item=draft).status_code == 403
    assert deeds(house, "items.accept") == []


def test_who_is_shown(house: Runtime, editor: Browser) -> None:
    news, _ = columns_of(editor)
    editor.post("/editions/7/place", column=news, item=accepted(editor, "供暖"))
    assert "欧阳子涵您好" in bubbles(editor.get("/editions/7").text)[0]
    with house.begin() as tx:
        make_member(tx.session, organisation="东街", name="王\U0002000b\U0002000b")
    editor.post("/editions/7/variants", variants="status = in_service or status = retired\nmobile\neveryone")
    page = editor.get("/editions/7?who=odd").text
    assert "王\U0002000b\U0002000b您好" in bubbles(page)[0]
    assert "Nobody is in this segment now." in page


def test_what_is_refused_is_told(editor: Browser) -> None:
    for wrong, fields in (
        ("number", {"number": "7", "day": "2026-11-23", "title": "x"}),
        ("number", {"number": "x", "day": "2026-11-23", "title": "x"}),
        ("day", {"number": "8", "day": "", "title": "x"}),
        ("title", {"number": "8", "day": "2026-11-23", "title": ""}),
    ):
        answer = editor.post("/editions/new", **fields)
        assert (answer.status_code, bool(troubles(answer))) == (422, True), fields
        assert framed(answer) == [wrong], fields
        assert f'href="#{wrong}"' in answer.text, fields
    assert "The next free one is 8." in troubles(editor.post("/editions/new", number="7", day="2026-11-23", title="x"))
    for path, fields in (
        ("/variants", {"variants": "no_such"}),
        ("/variants", {"variants": "everyone\nretired"}),
        ("/columns", {"name": ""}),
        ("", {"day": "x", "title": "x"}),
    ):
        answer = editor.post(f"/editions/7{path}", **fields)
        assert (answer.status_code, bool(troubles(answer))) == (422, True), path
    for path in ("/move", "/out", "/place", "/sentence", "/columns/remove"):
        assert editor.post(f"/editions/7{path}").status_code == 404, path


def test_a_segment_that_is_gone_does_not_shut_the_page(house: Runtime, editor: Browser) -> None:
    editor.post("/members/segments", name="老人", rule="retired")
    editor.follow(editor.post("/editions/7/variants", variants="老人\neveryone"))
    editor.follow(editor.post("/members/segments/remove", name="老人", sure="yes"))
    answer = editor.get("/editions/7")
    assert (answer.status_code, "老人" in troubles(answer)) == (200, True)
    editor.follow(editor.post("/editions/7/variants", variants="everyone"))
    assert not troubles(editor.get("/editions/7"))


def test_an_edition_from_a_file_is_composed_as_well(house: Runtime, editor: Browser) -> None:
    file = 'number = 9\ndate = 2026-11-23\ntitle = "x"\nvariants = ["everyone"]\n[[columns]]\nname = "a"\n'
    file += '[[columns.items]]\nheadline = "文件里的"\nsms = "来自文件。"\n'
    with house.begin() as tx:
        editions.import_edition(tx.session, OPERATOR, file, now=tx.now)
    assert "来自文件。" in bubbles(editor.get("/editions/9").text)[0]
    page = editor.get("/editions/new").text
    assert 'value="10"' in page


@SQLITE
def test_nothing_of_another_place(house: Runtime, editor: Browser) -> None:
    news, _ = columns_of(editor)
    editor.post("/editions/7/place", column=news, item=accepted(editor, "供暖"))
    placed = placement(house, "供暖")
    with at(house) as west:
        come(house, west, "wester", "editor", "西街")
        west.post("/editions/new", number="8", day="2026-11-23", title="西街报")
        # a paper from above is read by those below, and by them it is not changed
        assert "Take out" not in west.get("/editions/7").text
        for path in ("", "/move", "/out", "/place", "/variants", "/columns", "/columns/remove", "/sentence"):
            answer = west.post(
                f"/editions/7{path}",
                day="2026-11-23",
                title="x",
                name="x",
                variants="everyone",
                placement=placed,
                to="up",
            )
            assert answer.status_code == 404, path
        assert laid(house)["要闻"] == ["供暖"]
        with at(house) as east:
            come(house, east, "easter", "editor", "东城")
            for asked in ("", "?item=1&sms=x"):
                assert east.get(f"/editions/8{asked}").status_code == 404
            assert "西街报" not in east.get("/editions").text


@SQLITE
def test_what_the_place_above_shares_no_longer_can_be_taken_out(house: Runtime, editor: Browser) -> None:
    item = accepted(editor, "供暖")
    editor.post(f"/items/{item}/decide", move="share")
    with at(house) as west:
        come(house, west, "wester", "editor", "西街")
        west.post("/editions/new", number="8", day="2026-11-23", title="西街报")
        column = re.findall(r'data-column="(\d+)"', west.get("/editions/8").text)[0]
        west.post("/editions/8/place", column=column, item=item)
        editor.post(f"/items/{item}/decide", move="unshare")
        placed = re.findall(r'data-placement="(\d+)"', west.get("/editions/8").text)
        page = west.follow(west.post("/editions/8/out", placement=placed[0])).text
        assert "Taken out: 供暖." in page
        # it is nothing any more that they could put in
        assert "/editions/8/place" not in page.partition('role="status"')[2][:900]
        assert "data-placement" not in west.get("/editions/8").text


def test_whoever_has_no_column_begins_with_those_that_are_offered(house: Runtime, browser: Browser) -> None:
    come(house, browser, "chief", "editor")
    assert "There are no columns yet." in browser.get("/items/new").text
    browser.post("/editions/new", number="7", day="2026-11-23", title="入冬")
    page = browser.get("/editions/7").text
    assert "This edition has no column yet" in page
    assert "News · Notices" in page
    browser.follow(browser.post("/editions/7/columns/standing"))
    assert list(laid(house)) == ["News", "Notices", "Around us", "Care", "Learning"]
    assert "has columns already" in troubles(browser.post("/editions/7/columns/standing"))
    assert "There are columns already" in troubles(browser.post("/items/columns/starter"))
    page = browser.get("/items/new").text
    assert "There are no columns yet." not in page
    assert ">Notices</option>" in page
    browser.post("/editions/new", number="8", day="2026-11-24", title="又一期")
    assert 'id="column-' in browser.get("/editions/8").text, "the next one has them by itself"


def test_columns_are_offered_in_ones_own_language(house: Runtime, browser: Browser) -> None:
    come(house, browser, "chief", "editor")
    assert "要闻 · 通知" in browser.get("/items/columns?lang=zh").text
    page = browser.follow(browser.post("/items/columns/starter")).text
    assert "要闻" in page


def test_many_editions_by_pages(house: Runtime, browser: Browser) -> None:
    come(house, browser, "chief", "editor")
    with house.begin() as tx:
        for number in range(1, 103):
            editions.enter(tx.session, number, DAY, f"第{number}期", under="", by="x", now=tx.now)
    seen: list[int] = []
    path = "/editions"
    for _ in range(3):
        page = browser.get(path).text
        seen += map(int, re.findall(r'href="/editions/(\d+)"', page))
        onward = re.search(r'href="(\?before=\d+)"', page)
        path = f"/editions{onward[1]}" if onward else ""
    assert seen == list(range(102, 0, -1))
    assert path == ""


def test_many_variants_are_a_list(house: Runtime, editor: Browser) -> None:
    rules = ["retired", "mobile", *(f"age > {n}" for n in range(60, 77)), "everyone"]
    editor.follow(editor.post("/editions/7/variants", variants="\n".join(rules)))
    page = editor.get("/editions/7").text.partition('id="phones"')[2]
    assert page.count("<summary>") == 20
    assert page.count("<details open>") == 1
