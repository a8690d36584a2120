"""Segments on their page: tried out, clicked together, saved, and taken back."""

from __future__ import annotations

import random
import re
from datetime import date
from html import unescape

import httpx2
import pytest

from broadcaster.newspaper import items, making
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.items import Move
from broadcaster.runtime import Runtime
from subscribers import segments
from subscribers.actor import OPERATOR
from tests.factories import make_member, make_organisation
from tests.newsroom.naughty import NAUGHTY
from tests.newsrooms import Browser, Signed, add_user, troubles


@pytest.fixture
def admin(house: Runtime, browser: Browser) -> Browser:
    with house.begin() as tx:
        make_member(tx.session, organisation=make_organisation(tx.session, "East/First"), name="李桂英")
        make_member(tx.session, organisation=make_organisation(tx.session, "West/Second"), name="赵平")
    add_user(house, "chief", "admin")
    browser.client.cookies["broadsheet"] = Signed(house, "chief").token
    return browser


def test_a_segment_is_tried_out_saved_and_removed(admin: Browser) -> None:
    admin.get("/members/segments")
    page = admin.follow(admin.post("/members/segments/look", rule='under("East")'))
    assert "1 member " in page.text
    assert "Members are counted." in page.text
    assert "李桂英" in page.text
    assert "赵平" not in page.text
    page = admin.follow(admin.post("/members/segments", name="东边", rule='under("East")'))
    assert "Saved: 东边." in page.text
    assert "/members/segments/remove" in page.text
    page = admin.follow(admin.post("/members/segments", name="东边", rule="everyone"))
    undone = admin.follow(admin.post("/members/segments", name="东边", rule='under("East")'))
    assert "<td>East and all below</td>" in undone.text
    assert "李桂英" in admin.get("/members?rule=东边").text
    page = admin.follow(admin.post("/members/segments/remove", name="东边"))
    assert "Removed: 东边." in page.text
    assert "None is saved yet." in page.text
    for name, rule in (("x", "status ="), ("x", "nobody_called_so"), ("", "everyone"), ("retired", "everyone")):
        answer = admin.post("/members/segments", name=name, rule=rule)
        assert (answer.status_code, bool(troubles(answer))) == (422, True), (name, rule)
    for typed in NAUGHTY:
        answer = admin.client.get("/members/segments", params={"rule": typed, "name": typed})
        assert answer.status_code in (200, 422), typed
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text


def test_what_was_done_fits_into_a_cookie_however_long_it_is(admin: Browser) -> None:
    def removed(rule: str) -> tuple[int, str]:
        admin.get("/members/segments")
        assert admin.post("/members/segments", name="长", rule=rule).status_code == 303
        answer = admin.post("/members/segments/remove", name="长")
        cookies = [each for each in answer.headers.get_list("set-cookie") if each.startswith("done=")]
        return max(map(len, cookies)), admin.follow(answer).text

    rule = " or ".join(f'under("East") and age >= {age}' for age in range(20, 65))
    size, page = removed(rule)
    assert size < 4096
    back = re.search(r'name="rule" value="([^"]*)"', page)
    assert back
    assert unescape(back[1]) == rule
    chance = random.Random(7)
    names = ["".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(60)) for _ in range(90)]
    size, page = removed(" or ".join(f'external_id = "{name}"' for name in names))
    assert size < 4096
    assert "Removed: 长." in page, "it is told, if it cannot be taken back"


def test_a_rule_is_clicked_together(admin: Browser) -> None:
    page = admin.get("/members/segments").text
    assert page.count('name="field"') == 3
    token = re.search(r'form_token" value="([0-9a-f]{64})"', page)
    assert token
    rows = {"field": ["under", "status", ""], "sign": ["=", "!=", "="], "value": ["East", "retired", ""]}
    built = admin.client.post("/members/segments/build", data={"form_token": token[1], "joined": "all", **rows})
    text = admin.follow(built).text
    assert "under(&#34;East&#34;) and status != &#34;retired&#34;" in text
    assert "李桂英" in text
    assert "赵平" not in text.partition('id="saved"')[0]
    assert text.count('name="field"') == 3
    assert 'value="East"' in text
    for fields, told in (
        ({"field": ["", "", ""], "value": ["", "", ""]}, "No row says what is asked."),
        ({"field": ["king", "", ""]}, "This cannot be asked"),
        ({"sign": ["starts", "=", "="]}, "row 1: Organisation, with all below cannot be asked with"),
        ({"value": ["\"“‘'「", "", ""]}, "too many kinds of quotes"),
        ({"field": ["age", "", ""], "value": ["old", "", ""]}, "whole number"),
    ):
        answer = admin.client.post(
            "/members/segments/build", data={"form_token": token[1], "joined": "all", **rows, **fields}
        )
        assert (answer.status_code, told in troubles(answer)) == (422, True), (fields, troubles(answer))
    assert "asks more than rows can" in admin.get("/members/segments?rule=age+%3C+60").text


def test_a_column_of_the_list_is_asked_by_clicking(house: Runtime, admin: Browser) -> None:
    with house.begin() as tx:
        for name in ("孙老师", "周老师"):
            make_member(tx.session, organisation="East/First", name=name, fields={"身份": "教师"})
        make_member(tx.session, organisation="East/First", name="吴家长", fields={"身份": "家长"})
    page = admin.get("/members/segments")
    assert '<optgroup label="Columns of your own lists">\n<option value="own:身份">身份</option>' in page.text
    assert '<option value="教师">' in page.text, "what stands in it is offered"

    def asked(field: str, sign: str, value: str) -> str:
        answer = admin.post("/members/segments/build", joined="all", field=field, sign=sign, value=value)
        return unescape(admin.follow(answer).text if answer.status_code == 303 else answer.text)

    told = asked("own:身份", "=", "教师")
    assert "2 members " in told
    assert "孙老师" in told
    assert "吴家长" not in told
    assert '<option value="own:身份" selected>' in told
    told = asked("tag", "=", "教师")
    assert "0 members" in told
    assert "教师 is no tag here: it stands in the column 身份." in told
    assert "row 1: what 身份 shall be is not filled in." in asked("own:身份", "=", "")
    assert "no tag here" not in asked("tag", "=", "合唱")


def test_an_age_that_nobody_has_says_why(house: Runtime, admin: Browser) -> None:
    def told(rule: str) -> str:
        return unescape(admin.client.get("/members/segments", params={"rule": rule}).text)

    why, ask = "Nobody's date of birth is known", "Your lists have a column 年龄: ask for that."
    assert why in told("age >= 60")
    assert ask not in told("age >= 60")
    assert why in told("not mobile and birth_month = 3")
    assert why not in told("retired and mobile")
    with house.begin() as tx:
        for name, age in (("孙", "61"), ("周", "60"), ("吴", "59"), ("郑", "不详")):
            make_member(tx.session, organisation="East/First", name=name, fields={"年龄": age})
    admin.client.headers["accept-language"] = "zh"
    page = told("年龄 >= 60")
    assert "没有人登记出生日期" in page
    assert "您的名单有“年龄”一列，请选那一列。" in page
    assert '<option value="own:年龄">年龄（名单中的列）</option>' in page
    assert '<option value="age" selected>年龄（按出生日期）</option>' in page
    clicked = {"joined": "all", "field": "own:年龄", "sign": ">=", "value": "60"}
    admin.get("/members/segments")
    page = unescape(admin.follow(admin.post("/members/segments/build", **clicked)).text)
    assert "2 人" in page
    assert '<option value="own:年龄" selected>年龄（名单中的列）</option>' in page
    assert "没有人登记出生日期" not in page
    with house.begin() as tx:
        make_member(tx.session, organisation="West/Second", name="小", birthday=date(2015, 3, 1))
    assert "没有人登记出生日期" not in told("年龄 >= 60"), "one of them is known, and young"


def test_what_can_be_asked_is_told_in_the_language_of_the_rule(admin: Browser) -> None:
    told = unescape(admin.client.get("/members/segments", params={"rule": "身份 = 教师"}).text)
    assert "会龄" in told
    assert "birth_month" not in told


def test_who_uses_a_segment_is_told_before_it_is_removed_or_means_others(house: Runtime, admin: Browser) -> None:
    def asked(answer: httpx2.Response) -> dict[str, str]:
        assert answer.status_code == 200
        told = unescape(answer.text.partition('<form class="panel" method')[2].partition("</form>")[0])
        assert "No. 7" in told.partition('role="alert"')[2]
        assert "供暖了" in told
        assert "withdrawn" not in told
        assert "No. 8" not in told
        return dict(re.findall(r'name="([a-z]+)" value="([^"]*)"', told))

    admin.get("/members/segments")
    admin.post("/members/segments", name="老人", rule="retired")
    admin.post("/members/segments", name="老人们", rule="retired")
    with house.begin() as tx:
        s, now = tx.session, tx.now
        for number, variants in ((7, ["segment(老人) and mobile", "everyone"]), (8, ["老人们"])):
            making.begin(s, OPERATOR, number=number, day=date(2026, 11, 23), title="入冬", now=now)
            making.set_variants(s, OPERATOR, number, variants, now=now)
        items.write(s, OPERATOR, Words("供暖了", "今天供暖。", audience=("老人",)), now=now)
        gone = items.write(s, OPERATOR, Words("withdrawn", "x", audience=("老人",)), now=now).id
        items.decide(s, OPERATOR, gone, Move.WITHDRAW, now=now)

    fields = asked(admin.post("/members/segments", name="老人", rule="mobile"))
    assert saved(house) == {"老人": "retired", "老人们": "retired"}
    admin.post("/members/segments", **fields)
    assert saved(house)["老人"] == "mobile"
    # taking that back, and saving it once more as it is, asks nothing
    undo = admin.post("/members/segments", name="老人", rule="retired", sure="yes")
    assert undo.status_code == 303
    assert admin.post("/members/segments", name="老人", rule="retired").status_code == 303
    fields = asked(admin.post("/members/segments/remove", name="老人"))
    assert "老人" in saved(house)
    assert admin.post("/members/segments/remove", **fields).status_code == 303
    assert list(saved(house)) == ["老人们"]
    admin.get("/members/segments")
    admin.post("/members/segments", name="无人", rule="retired")
    assert admin.post("/members/segments/remove", name="无人").status_code == 303, "nobody uses it"


def test_a_name_of_the_place_above_is_asked_about_before_it_means_others_here(house: Runtime, admin: Browser) -> None:
    admin.get("/members/segments")
    admin.post("/members/segments", name="老人", rule="retired")
    add_user(house, "local", "admin", under="East")
    local = Browser(str(admin.client.base_url))
    with local.client:
        local.client.cookies["broadsheet"] = Signed(house, "local").token
        local.get("/editions/new")
        local.post("/editions/new", number="7", day="2026-11-23", title="入冬")
        local.post("/editions/7/variants", variants="老人")
        page = local.get("/members/segments").text
        read = re.search(r'name="read" value="([^"]+)"', page)
        assert read
        answer = local.post("/members/segments", name="老人", rule="mobile", read=read[1])
    assert (answer.status_code, "No. 7" in answer.text.partition('role="alert"')[2]) == (200, True)
    assert saved(house) == {"老人": "retired"}


def saved(house: Runtime) -> dict[str, str]:
    with house.reading() as tx:
        return {one.name: one.rule for one in segments.listing(tx.session, OPERATOR)}
