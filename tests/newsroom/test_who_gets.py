"""Variants by boxes: ticked, put in order, looked for, clicked together; and rules that are typed."""

from __future__ import annotations

import re
from html import unescape

import httpx2
import pytest

from broadcaster.newspaper import making
from broadcaster.runtime import Runtime
from subscribers.actor import OPERATOR
from tests.factories import make_member, make_organisation
from tests.newsroom.test_composer import accepted, bubbles, columns_of
from tests.newsroom.test_items import come
from tests.newsrooms import Browser, at, troubles

EAST = 'under("城区/东街")'
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    with house.begin() as tx:
        east, west = (make_organisation(tx.session, f"城区/{name}") for name in ("东街", "西街"))
        make_member(tx.session, organisation=east, name="李敏", status="in_service")
        make_member(tx.session, organisation=east, name="欧阳子涵", status="retired")
        make_member(tx.session, organisation=west, name="赵平", status="retired", mobile=True)
    come(house, browser, "chief", "editor")
    browser.post("/items/columns", name="要闻")
    browser.post("/editions/new", number="7", day="2026-11-23", title="入冬")
    browser.post("/editions/7/place", column=columns_of(browser)[0], item=accepted(browser, "供暖"))
    browser.get("/editions/7/who")
    return browser


def variants(house: Runtime) -> list[str]:
    with house.reading() as tx:
        return list(making.layout(tx.session, OPERATOR, 7).variants)


def sent(editor: Browser, path: str = "", **fields: str | list[str]) -> httpx2.Response:
    """The form of the page, with these boxes ticked."""
    assert editor.page is not None
    token = re.search(r'form_token" value="([0-9a-f]{64})"', editor.page.text)
    assert token
    editor.page = editor.client.post(f"/editions/7/who{path}", data={"form_token": token[1], **fields})
    return editor.page


def boxes(page: str) -> dict[str, tuple[bool, str]]:
    """By what stands beside it: whether it is ticked, and how many are in it."""
    found = re.findall(r'name="who" value="[^"]*"( checked)?> <span>(.*?)</span> <span class="soft size">(.*?)<', page)
    return {unescape(re.sub("<[^>]+>", "", words)): (bool(is_on), size) for is_on, words, size in found}


def test_boxes_are_ticked_seen_and_kept(house: Runtime, editor: Browser) -> None:
    assert "/editions/7/who" in editor.get("/editions/7").text
    page = editor.get("/editions/7/who").text
    assert boxes(page) == {
        "in service": (False, "1 person"),
        "retired": (False, "2 people"),
        "mobile": (False, "1 person"),
        "城区 and all below": (False, "3 people"),
        "城区/东街 and all below": (False, "2 people"),
        "城区/西街 and all below": (False, "1 person"),
        "everyone": (True, "3 people"),
    }
    looked = sent(editor, "/look", act="tick", who=["retired", "mobile", "everyone"]).text
    assert [each for each, (is_on, _) in boxes(looked).items() if is_on] == ["retired", "mobile", "everyone"]
    assert [text.partition("您好")[0] for text in bubbles(looked)] == ["欧阳子涵", "李敏"]
    assert "retired comes before it and has them all" in looked
    assert boxes(looked)["everyone"][1].startswith("3 people · the rest: 1 person"), boxes(looked)["everyone"]
    assert variants(house) == ["everyone"], "nothing is kept before it is saved"
    page = editor.follow(sent(editor, who=["retired", "everyone"])).text
    assert variants(house) == ["retired", "everyone"]
    assert "Saved." in page
    editor.post("/editions/7/variants", variants="everyone")
    assert variants(house) == ["everyone"]
    editor.get("/editions/7/who")
    assert "Nobody is ticked." in troubles(sent(editor, who=[]))
    assert variants(house) == ["everyone"]


def test_who_is_in_two_gets_the_first(house: Runtime, editor: Browser) -> None:
    ticked = {"who": ["retired", "mobile", "everyone"], "order": ["retired", "mobile"]}
    page = sent(editor, "/look", act="up mobile", **ticked).text
    assert re.findall(r'name="order" value="(\w+)"', page) == ["mobile", "retired"]
    assert [text.partition("您好")[0] for text in bubbles(page)] == ["赵平", "欧阳子涵", "李敏"]
    for act in ("down mobile", "up retired"):
        again = sent(editor, "/look", act=act, **(ticked | {"order": ["mobile", "retired"]})).text
        assert re.findall(r'name="order" value="(\w+)"', again) == ["retired", "mobile"]
    for act in ("up retired", "down mobile", "up nobody", "up", ""):
        same = sent(editor, "/look", act=act, **ticked).text
        assert re.findall(r'name="order" value="(\w+)"', same) == ["retired", "mobile"], act
    # whoever is ticked later comes later, and everybody else is always last
    sent(editor, who=["everyone", "in_service", "mobile", "retired"], order=["mobile", "retired"])
    assert variants(house) == ["mobile", "retired", "in_service", "everyone"]


def test_organisations_are_looked_for_and_ticked(house: Runtime, editor: Browser) -> None:
    page = sent(editor, "/look", q="dj", who=["retired", "everyone"]).text
    assert boxes(page)["城区/东街 and all below"] == (False, "2 people")
    assert boxes(page)["retired"][0]
    assert "城区 and all below" not in boxes(page)
    assert "No organisation was found." in sent(editor, "/look", q="nowhere", who=["everyone"]).text
    editor.follow(sent(editor, who=[EAST, "everyone"]))
    assert variants(house) == [EAST, "everyone"]
    page = editor.get("/editions/7").text
    assert "城区/东街 and all below" in page
    assert "under(" not in page.partition('id="phones"')[2].partition("</div>")[0]
    assert "城区/东街（含下级）" in editor.get("/editions?lang=zh").text
    # found in another language it is the same box
    page = sent(editor, "/look", q="东街", who=[EAST, "everyone"]).text
    assert list(boxes(page).values()).count((True, "2 人")) == 1
    assert EAST in [unescape(each) for each in re.findall(r'name="who" value="([^"]*)" checked', page)]


def test_what_is_clicked_together_is_a_box(house: Runtime, editor: Browser) -> None:
    rows = {"field": ["under", "status", ""], "sign": ["=", "=", "="], "value": ["东街", "retired", ""]}
    page = sent(editor, "/look", who=["everyone"], joined="all", **rows).text
    assert boxes(page)["东街 and all below, and retired"] == (True, "1 person")
    assert re.findall(r'id="value-\d" name="value" value="([^"]*)"', page) == ["", "", ""]
    wrong = sent(editor, "/look", who=["everyone"], joined="all", **(rows | {"value": ["nowhere", "x", ""]}))
    assert (wrong.status_code, bool(troubles(wrong))) == (422, True)
    assert 'value="nowhere"' in wrong.text
    # what stands in the rows when the form is saved belongs to it
    away = {"field": ["mobile"], "sign": ["="], "value": [""]}
    editor.follow(sent(editor, who=["retired", "everyone"], joined="all", **away))
    assert variants(house) == ["retired", "mobile", "everyone"], "it had a box already"
    young = {"field": ["age"], "sign": ["<="], "value": ["40"]}
    editor.get("/editions/7/who")
    editor.follow(sent(editor, who=["everyone"], joined="all", **young))
    item = editor.get("/items/new").text
    assert 'name="audience" value="age &lt;= &#34;40&#34;"' in item, "an item can be for a variant that was made so"
    assert "> Age is at most 40</label>" in item


def test_saved_segments_tell_their_rule_and_broken_ones_no_number(house: Runtime, editor: Browser) -> None:
    editor.post("/members/segments", name="东街老人", rule=f"{EAST} and status = retired")
    page = editor.get("/editions/7/who").text
    assert boxes(page)["东街老人 城区/东街 and all below, and retired"] == (False, "1 person")
    editor.follow(sent(editor, who=["东街老人", "everyone"]))
    editor.post("/editions/7/variants", variants="东街老人\neveryone")
    editor.post("/members/segments/remove", name="东街老人", sure="yes")
    answer = editor.get("/editions/7/who")
    assert answer.status_code == 200
    assert "There is no segment 东街老人." in troubles(answer), "and no column of a rule that nobody has typed"
    assert boxes(answer.text)["东街老人"] == (True, "—")
    stops = unescape(editor.get("/editions/7/check").text.partition("Stops it:")[2].partition("</li>")[0])
    assert "There is no segment 东街老人." in stops
    assert "There is no segment 东街老人." in troubles(editor.get("/editions/7"))
    assert "^" not in stops, "a mark below the place stands under another one here"
    editor.follow(sent(editor, who=["everyone"]))
    assert variants(house) == ["everyone"]


def read_by(page: str) -> str:
    """What the form says that its sender has read."""
    found = re.search(r'name="read" value="([^"]*)"', page)
    assert found
    return unescape(found[1])


def test_two_who_change_the_variants_see_each_others(house: Runtime, editor: Browser) -> None:
    editor.follow(sent(editor, who=["retired", "in_service", "everyone"], order=["retired", "in_service"]))
    mine = editor.get("/editions/7/who").text
    with at(house) as other:
        come(house, other, "fang", "editor")
        theirs = read_by(other.get("/editions/7/who").text)
        other.get("/editions/7/who")
        sent(other, who=["in_service", "mobile", "everyone"], read=theirs)
    taken = ["in_service", "mobile", "everyone"]
    assert variants(house) == taken
    # what is only looked at is told of at the end
    look = sent(editor, "/look", act="tick", who=["retired", "everyone"], read=read_by(mine))
    assert (look.status_code, read_by(look.text)) == (200, "retired\nin_service\neveryone")
    answer = sent(editor, who=["retired", EAST, "everyone"], read=read_by(mine), q="东街")
    assert (answer.status_code, variants(house)) == (422, taken)
    assert "fang has changed the variants since you opened them." in troubles(answer)
    told = answer.text.partition('class="theirs"')[2].partition("</section>")[0]
    assert re.findall("<li>(.*?)</li>", told) == ["in service", "mobile", "everyone"]
    assert "New since you opened the page: Added: mobile. Taken out: retired." in told
    ticked = [each for each, (is_on, _) in boxes(answer.text).items() if is_on]
    assert ticked == ["retired", "城区/东街 and all below", "everyone"], "nothing of one's own is lost"
    assert ">Take mine</button>" in answer.text
    assert sent(editor, who=["retired", EAST, "everyone"], read=read_by(answer.text)).status_code == 303
    assert variants(house) == ["retired", EAST, "everyone"]


def test_the_order_counts_and_typed_rules_and_undo_do_not_win_unheard(house: Runtime, editor: Browser) -> None:
    editor.post("/editions/7/variants", variants="retired\nmobile\neveryone")
    page = editor.follow(editor.post("/editions/7/variants", variants="retired\neveryone", read="")).text
    undo = dict(re.findall(r'name="(variants|read)" value="([^"]*)"', page.partition('class="done"')[2])[:2])
    assert undo == {"variants": "retired\nmobile\neveryone", "read": "retired\neveryone"}
    editor.post("/editions/7/variants", variants="mobile\nretired\neveryone")
    answer = editor.post("/editions/7/variants", **undo)
    assert (answer.status_code, variants(house)) == (422, ["mobile", "retired", "everyone"])
    assert "has changed the variants" in troubles(answer)
    typed = editor.post("/editions/7/variants", variants="in service\neveryone", read="retired\nmobile\neveryone")
    assert "New since you opened the page: Put into another order." in typed.text
    assert ">in service\neveryone</textarea>" in typed.text
    assert "<details open><summary>Type rules instead" in typed.text
    assert variants(house) == ["mobile", "retired", "everyone"]
    # one button for another order says what it was made for
    assert read_by(editor.get("/editions/7/who").text) == "mobile\nretired\neveryone"
    mended = editor.get("/editions/7").text
    order = re.search(r'name="variants" value="[^"]*"><input type="hidden" name="read" value="([^"]*)"', mended)
    assert order is None or unescape(order[1]) == "mobile\nretired\neveryone"


def test_rules_are_typed_in_the_words_of_the_page(house: Runtime, editor: Browser) -> None:
    assert "There are: everyone, in service, retired, mobile." in editor.get("/editions/7/who").text
    refused = editor.post("/editions/7/variants", variants="retired\npensioners")
    assert refused.status_code == 422
    assert ">retired\npensioners</textarea>" in refused.text
    assert "<details open><summary>Type rules instead" in refused.text
    editor.follow(editor.post("/editions/7/variants", variants="in service\neveryone"))
    page = editor.get("/editions/7/who").text
    assert ">in service\neveryone</textarea>" in page
    assert "<details open>" not in page
    assert ">在职\n所有人</textarea>" in editor.get("/editions/7/who?lang=zh").text


@SQLITE
def test_nothing_of_another_place(house: Runtime, editor: Browser) -> None:
    with at(house) as west:
        come(house, west, "wester", "editor", "城区/西街")
        west.post("/editions/new", number="8", day="2026-11-23", title="西街报")
        # a paper from above is read by those below, and by them it is not changed
        for path, fields in (("/who", {"who": "everyone"}), ("/who/look", {}), ("/variants", {"variants": "everyone"})):
            assert west.post(f"/editions/7{path}", **fields).status_code == 404, path
        assert west.get("/editions/7/who").status_code == 404
        page = west.get("/editions/8/who").text
        assert boxes(page)["everyone"] == (True, "1 person")
        assert "东街" not in page
        found = west.post("/editions/8/who/look", q="东街", who=EAST)
        assert boxes(found.text).get("城区/东街 and all below", (True, "—"))[1] == "—"
    assert variants(house) == ["everyone"]


def test_names_stand_side_by_side_as_chinese_has_them(editor: Browser) -> None:
    page = editor.get("/editions/7/who?lang=zh").text
    assert "所有人、在职、离退休、流动" in page
    looked = sent(editor, "/look", act="tick", who=["retired", "in_service", "everyone"]).text
    assert "离退休、在职" in looked
    assert "离退休, " not in looked


@SQLITE
def test_which_phone_is_shown_is_the_browsers(editor: Browser) -> None:
    editor.post("/editions/7/variants", variants="retired\nmobile\neveryone")

    def shown(path: str) -> list[str]:
        return re.findall(r'id="shown-(\d)-of-3"[^>]* checked', editor.get(path).text)

    assert shown("/editions/7") == ["1"]
    answer = editor.get("/editions/7/shown?shown=3")
    assert (answer.status_code, answer.headers["location"]) == (303, "/editions/7")
    assert shown("/editions/7") == shown("/editions/7/check") == shown("/editions/7/who") == ["3"]
    for wrong in ("0", "6", "x", ""):
        assert editor.get(f"/editions/7/shown?shown={wrong}").status_code == 404
    # of another edition, and of a tab that there is no more
    editor.get("/editions/8/shown?shown=2")
    assert shown("/editions/7") == ["1"]
    editor.get("/editions/7/shown?shown=4")
    assert shown("/editions/7") == ["1"]
