"""The check of an edition on a page: what stops it, the list of words, and repairs with one button."""

from __future__ import annotations

import re
from html import unescape

import pytest

from broadcaster.campaigns import profile_changes, schedule
from broadcaster.newspaper.models import Item
from broadcaster.newsroom import proofs
from broadcaster.runtime import Runtime
from subscribers import lists
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict
from tests.factories import make_member, make_members, make_organisation
from tests.newsroom.test_composer import accepted, columns_of
from tests.newsroom.test_items import come
from tests.newsrooms import Browser, at, troubles


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    begin_edition(house, browser)
    return browser


def begin_edition(house: Runtime, browser: Browser) -> None:
    """An editor with a member, a column and edition 7, which is empty."""
    with house.begin() as tx:
        make_member(tx.session, organisation=make_organisation(tx.session, "东街"), name="李敏")
    come(house, browser, "chief", "editor")
    browser.post("/items/columns", name="要闻")
    browser.post("/editions/new", number="7", day="2026-11-23", title="入冬")


def sign(house: Runtime) -> None:
    with house.begin() as tx:
        for name in house.gateways:
            given = {"signature": "【晨晖】"}
            profile_changes.write(tx.session, OPERATOR, name, given, tx.now.date(), now=tx.now)


def put(browser: Browser, headline: str, **fields: str) -> str:
    item = accepted(browser, headline, **fields)
    browser.post("/editions/7/place", column=columns_of(browser)[0], item=item)
    return item


def test_all_is_well(house: Runtime, editor: Browser) -> None:
    sign(house)
    assert "1 thing must be mended" in editor.get("/editions/7/check").text
    put(editor, "供暖")
    page = editor.get("/editions/7/check").text
    assert "✓ Nothing was found" in page
    assert "供暖的一句。" in page


def test_without_a_signature_it_is_not_well_before_anything_is_counted(house: Runtime, editor: Browser) -> None:
    put(editor, "供暖")
    page = editor.get("/editions/7/check").text
    assert "Nothing was found" not in page
    found = page.partition('class="findings"')[2]
    told = found.partition("There is no signature: readers cannot see who writes.")[2].partition("</li>")[0]
    assert '<a href="/settings/paper">Settings › Name and signature</a>' in told
    assert "broadsheet.toml" not in page
    sign(house)
    page = editor.get("/editions/7/check").text
    assert "✓ Nothing was found" in page
    assert "There is no signature" not in page


def test_what_is_found(house: Runtime, editor: Browser) -> None:
    put(editor, "甲", sms="{name}您好")
    put(editor, "乙", sms="免费取暖")
    put(editor, "丙", audience="retired")
    editor.post("/settings/words", words="免费\n中奖")
    editor.post("/editions/7/variants", variants="mobile\neveryone")
    page = editor.get("/editions/7/check").text
    assert "2 things must be mended" in page
    for words in (
        "Nobody fills in a field in an item: {name}",
        "Words of your list stand in it: 免费",
        "No variant of this edition is for retired",
        "Nobody is in this segment now.",
    ):
        assert words in page, words
    assert page.index("Stops it") < page.index("Words of your list")
    order = "mobile\nretired\neveryone"
    assert order in orders_in(page)
    assert "Add a variant for retired" in page
    answer = editor.post("/editions/7/variants", variants=order, **{"from": "check"})
    assert answer.headers["location"] == "/editions/7/check"
    page = editor.follow(answer).text
    assert "1 thing must be mended" in page
    assert "No variant of this edition is for" not in page


def test_the_editor_is_told_when_nobody_can_read_the_page_any_more(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        member = make_member(tx.session, organisation="西街", name="赵平").id
        for name in ("代表", "骨干"):
            lists.save_list(tx.session, OPERATOR, name, ids=[member], now=tx.now)
    put(editor, "供暖")
    editor.get("/editions/7/check")
    answer = editor.post("/editions/7/publish", readers=" or ".join(["retired"] * 60))
    assert "656 characters; 500 are the most" in troubles(answer)
    assert 'value="retired or retired or' in answer.text, "what was typed stays"
    assert editor.post("/editions/7/publish", readers='list("代表")').status_code == 303
    words = "Nobody can read it any more: a list or an organisation that it is for was removed."
    assert words not in editor.get("/editions/7/check").text
    assert "can be read by nobody" not in editor.get("/editions/7").text
    with house.begin() as tx:
        lists.remove_list(tx.session, OPERATOR, "代表", now=tx.now)
    assert words in editor.get("/editions/7/check").text
    assert "can be read by nobody" in editor.get("/editions/7").text
    assert "There is no list 代表" in troubles(editor.post("/editions/7/publish", readers='list("代表")'))
    assert '<option value="in service">' in editor.get("/editions/7/check").text
    assert editor.post("/editions/7/publish", readers="in service").status_code == 303
    assert 'name="readers" type="text" value="in service"' in editor.get("/editions/7/check").text
    assert editor.post("/editions/7/publish", readers="").status_code == 303
    assert words not in editor.get("/editions/7/check").text


def test_who_gets_what_is_told_before_anything_goes(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        make_members(tx.session, 3, organisation="东街", status="retired")
        make_members(tx.session, 2, organisation="东街", status="retired", mobile=True)
        make_members(tx.session, 4, organisation="东街", mobile=True, subscribed=None)
    put(editor, "供暖")
    editor.post("/editions/7/variants", variants="retired\nmobile")
    page = editor.get("/editions/7/check").text
    assert "9 people; it can be sent to 5." in page
    assert "never agreed to receive the paper 4" in page
    assert "2 people are in retired and in mobile, and get retired only." in page
    assert "Nobody in it can be sent to" in page
    assert "1 person is in none of the variants, and get" in page
    assert "4 people · 0 can be sent to" in page.partition('id="phones"')[2]
    orders = [unescape(each) for each in re.findall(r'name="variants" value="([^"]*)"', page)][-2:]
    assert orders == ["mobile\nretired", "retired\nmobile\neveryone"]
    page = editor.follow(editor.post("/editions/7/variants", variants=orders[0])).text
    assert "Undo" in page
    page = editor.get("/editions/7/check").text
    assert "2 people are in mobile and in retired, and get mobile only." in page
    editor.post("/editions/7/variants", variants="mobile\nretired\neveryone")
    assert "in none of the variants" not in editor.get("/editions/7/check").text


def orders_in(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r'name="variants" value="([^"]*)"', page)]


def test_no_button_takes_the_last_person_from_a_variant(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        make_members(tx.session, 9, organisation="东街", status="in_service", mobile=True)
        make_members(tx.session, 3, organisation="东街", status="in_service")
    put(editor, "供暖")
    editor.follow(editor.post("/editions/7/variants", variants="mobile\nin_service\neveryone"))
    page = editor.get("/editions/7/check").text
    assert "in it as well, but get an earlier one: mobile 9" in " ".join(page.split())
    assert "people are in mobile and in in service" not in page, "it is the only order in which both have people"
    assert orders_in(page) == []
    editor.follow(editor.post("/editions/7/variants", variants="in_service\nmobile\neveryone"))
    words = "9 people are in it, but in service comes before it and has them all."
    for path in ("/editions/7", "/editions/7/check"):
        page = editor.get(path).text
        assert words in page
        assert "Nobody is in this segment now." not in page
        assert set(orders_in(page)) == {"mobile\nin_service\neveryone"}
        assert "Put mobile before in service" in page
    assert words in editor.get("/editions/7/variants/1").text
    page = editor.follow(editor.post("/editions/7/variants", variants=orders_in(page)[0])).text
    assert words not in page
    assert "9 people" in page


def test_an_item_whose_readers_all_get_another_variant_is_not_sent_so(house: Runtime, editor: Browser) -> None:
    sign(house)
    with house.begin() as tx:
        make_members(tx.session, 2, organisation="东街", status="retired", mobile=True)
    put(editor, "供暖")
    editor.follow(editor.post("/editions/7/variants", variants="retired\nmobile"))
    page = editor.get("/editions/7/check").text
    assert "retired comes before it and has them all." in page
    assert "must be mended" not in page
    put(editor, "流动的人", audience="mobile")
    page = editor.get("/editions/7/check").text
    assert "1 thing must be mended" in page
    assert "retired comes before it and has them all." in page.partition("Stops it")[2].partition("</li>")[0]


def test_of_two_with_the_same_people_none_is_put_first(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        make_members(tx.session, 2, organisation="东街", status="retired", mobile=True)
    editor.follow(editor.post("/editions/7/variants", variants="retired\nmobile"))
    for path in ("/editions/7", "/editions/7/check"):
        page = editor.get(path).text
        assert "2 people are in it, but retired comes before it and has them all." in page
        assert "If it stood before, nobody would be left there." in page
        assert "mobile\nretired" not in orders_in(page)


def test_a_variant_between_two_keeps_its_people(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        make_members(tx.session, 2, organisation="东街", status="retired", mobile=True)
        make_members(tx.session, 3, organisation="东街", status="retired")
        make_members(tx.session, 1, organisation="东街", status="probationary", mobile=True)
    editor.follow(editor.post("/editions/7/variants", variants="retired\nstatus = probationary\nmobile\neveryone"))
    page = editor.get("/editions/7/variants/2").text
    assert "3 people are in it, but these come before it and have them all: retired, probationary." in page
    assert orders_in(editor.get("/editions/7").text) == [], "each order would leave one of them without people"


def test_everyone_beside_somebody_is_decided(house: Runtime, editor: Browser) -> None:
    editor.post("/editions/7/variants", variants="retired\neveryone")
    item = accepted(editor, "供暖")
    with house.begin() as tx:
        # as it comes with a file
        tx.session.get_one(Item, int(item)).audience = ["everyone", "retired"]
    editor.post("/editions/7/place", column=columns_of(editor)[0], item=item)
    put(editor, "别的")
    page = editor.get("/editions/7/check").text
    assert "It is for everyone and for retired as well: everyone would get it." in page
    assert "stops edition 7" in troubles(editor.post("/editions/7/draft"))
    for wrong in ("", "mobile"):
        answer = editor.post("/editions/7/audience", item=item, version="1", audience=wrong)
        assert answer.status_code == 400
    page = editor.follow(editor.post("/editions/7/audience", item=item, version="1", audience="retired")).text
    assert "供暖 is for retired now." in page
    assert "as well: everyone would get it" not in page
    assert editor.post("/editions/7/audience", item=item, version="2", audience="everyone").status_code == 400
    assert editor.post("/editions/7/draft").status_code == 303


def test_what_stops_an_edition_stops_its_send(house: Runtime, editor: Browser) -> None:
    put(editor, "甲", sms="时间待定")
    assert "“甲” stops edition 7: Something is still to be filled in: 待定" in troubles(
        editor.post("/editions/7/draft")
    )
    with house.begin() as tx:
        # as a draft that was made before such things were looked at
        campaign = proofs.unsaved(house, tx, OPERATOR, 7)
        campaign.content_hash = "x"
        tx.session.add(campaign)
        tx.session.flush()
        with pytest.raises(Conflict, match="still to be filled in: 待定"):
            schedule.start(
                tx.session,
                OPERATOR,
                campaign,
                1,
                house.route(campaign),
                house.ways(tx),
                zone=house.settings.zone,
                now=tx.now,
            )


def test_one_button_repairs(house: Runtime, editor: Browser) -> None:
    sign(house)
    item = put(editor, "甲", sms="１２点供暖")
    assert "Characters that look like others (" in editor.get("/editions/7/check").text
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
def test_other_places(house: Runtime, editor: Browser) -> None:
    with at(house) as west:
        come(house, west, "wester", "editor", "西街")
        west.post("/editions/new", number="8", day="2026-11-23", title="西街报")
        assert west.post("/editions/7/repair", item="1", version="1").status_code == 404
    with at(house) as east:
        come(house, east, "easter", "editor", "东城")
        assert east.get("/editions/8/check").status_code == 404
        east.get("/items")
        assert east.post("/editions/8/repair", item="1", version="1").status_code == 404


def test_an_item_whose_readers_are_gone_is_named_when_the_page_is_published(house: Runtime, editor: Browser) -> None:
    with house.begin() as tx:
        lists.save_list(tx.session, OPERATOR, "骨干", ids=[1], now=tx.now)
    put(editor, "供暖")
    item = put(editor, "骨干开会", whom="chosen", other_audience='list("骨干")')
    editor.get("/editions/7/check")
    page = editor.follow(editor.post("/editions/7/publish", readers="")).text
    assert "Items on it: 2, of which for some members only: 1." in page
    with house.begin() as tx:
        lists.remove_list(tx.session, OPERATOR, "骨干", now=tx.now)
    for tongue, told in (
        ("en", "“骨干开会” is for: on the list 骨干. That cannot be found any more. Say on its page for whom it is"),
        ("zh", "“骨干开会”给这些人：在名单“骨干”里。现在找不到他们了"),
    ):
        editor.client.headers["accept-language"] = tongue
        editor.get("/editions/7/check")
        answer = editor.post("/editions/7/publish", readers="")
        assert answer.status_code == 422
        assert told in troubles(answer)
        assert f'<strong><a href="/items/{item}">' in answer.text
    editor.client.headers["accept-language"] = "en"
    assert "There is no list" in troubles(editor.post("/editions/7/publish", readers='list("骨干")'))


def test_a_finding_and_what_to_do_are_two_sentences(editor: Browser) -> None:
    put(editor, "甲", sms="时间待定")
    for language, told in (("zh", "待定。会员会照样看到。"), ("en", "待定. Members would read it as it stands.")):
        page = editor.get(f"/editions/7/check?lang={language}").text
        assert told in unescape(re.sub("<[^>]+>", "", page))
