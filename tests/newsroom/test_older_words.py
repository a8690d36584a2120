"""What was made of an edition and is older than it: that is said, nobody sends it unnoticed, and it is made anew."""

from __future__ import annotations

import re

import pytest

from broadcaster.campaigns import check, compose, schedule
from broadcaster.campaigns.models import Campaign
from broadcaster.newspaper.models import EditionPage, Item
from broadcaster.runtime import Runtime
from subscribers import segments
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict
from subscribers.models import Status
from tests.databases import Clock
from tests.factories import make_member
from tests.newsroom.test_checks import begin_edition, put, sign
from tests.newsroom.test_composer import placement
from tests.newsroom.test_items import come
from tests.newsrooms import Browser, at, troubles

OLDER = "The edition was changed since: this send still has the earlier words."
OLD_PAGE = "The edition was changed since: the page still has the earlier words."


@pytest.fixture
def editor(house: Runtime, browser: Browser) -> Browser:
    begin_edition(house, browser)
    sign(house)
    return browser


def change(house: Runtime, editor: Browser, item: str, sms: str) -> None:
    """As an editor does it in the edition."""
    with house.reading() as tx:
        found = tx.session.get_one(Item, int(item))
        version, headline = found.version, found.headline
    answer = editor.post(
        "/editions/7/sentence", item=item, version=str(version), placement=placement(house, headline), sms=sms
    )
    assert answer.status_code == 303, troubles(answer)


def campaigns(house: Runtime) -> dict[int, str]:
    with house.reading() as tx:
        return {each.id: each.state for each in compose.listing(tx.session, OPERATOR)}


def text_of(house: Runtime, campaign: int) -> str:
    with house.reading() as tx:
        return str(compose.get(tx.session, OPERATOR, campaign).variants[0].context["columns"])


def start(house: Runtime, campaign: int, **more: bool) -> None:
    with house.begin() as tx:
        row = tx.session.get_one(Campaign, campaign)
        ways, zone = house.ways(tx), house.settings.zone
        schedule.start(tx.session, OPERATOR, row, 1, house.route(row), ways, zone=zone, now=tx.now, **more)


def findings(house: Runtime, campaign: int, about: str = "was changed since") -> list[str]:
    with house.reading() as tx:
        row = tx.session.get_one(Campaign, campaign)
        ways, zone = house.ways(tx), house.settings.zone
        checked = check.check(tx.session, OPERATOR, row, house.route(row), ways, zone=zone, now=tx.now)
        return [each.message for each in checked.findings if about in each.message]


def test_who_sends_an_edition_once_more_is_told(house: Runtime, editor: Browser) -> None:
    put(editor, "供暖")
    for _ in range(2):
        editor.post("/editions/7/draft")
    first, second = sorted(campaigns(house))
    assert findings(house, second, "once more") == [], "the other one waits as well"
    start(house, first)
    assert findings(house, second, "once more") == [], "it reached no phone"
    with house.begin() as tx:
        # as by a gateway to phones
        tx.session.get_one(Campaign, first).rehearsed = dict.fromkeys(house.gateways, False)
    assert len(findings(house, second, "once more")) == 1
    start(house, second)


def test_a_send_with_older_words_says_so_and_is_made_anew(house: Runtime, editor: Browser) -> None:
    item = put(editor, "供暖")
    editor.post("/editions/7/draft")
    (first,) = campaigns(house)
    for path in ("/editions/7", "/editions/7/check", "/editions"):
        page = editor.get(path).text
        assert "earlier words" not in page, path
        assert "Older than it" not in page, path
    assert findings(house, first) == []
    change(house, editor, item, "今天供暖。")
    for path in ("/editions/7", "/editions/7/check"):
        page = editor.get(path).text
        assert OLDER in page, path
        assert f"Make send {first} anew, with the words of now" in page, path
        assert "earlier words" not in editor.get(f"{path}?lang=zh").text
        editor.get("/account?lang=en")
    assert f"Older than it: Send {first}" in editor.get("/editions").text
    assert findings(house, first), "the check at the command line says it, too"

    answer = editor.post("/editions/7/draft/anew", send=str(first))
    page = editor.follow(answer).text
    second = max(campaigns(house))
    assert campaigns(house) == {first: "cancelled", second: "draft"}
    assert f"Send {second} is there, with the words of now; send {first} is cancelled." in page
    assert f"Made anew as campaign {second}." in page
    assert OLDER not in page
    assert ("供暖的一句" in text_of(house, first), "今天供暖" in text_of(house, second)) == (True, True)
    assert "Older than it" not in editor.get("/editions").text
    again = troubles(editor.post("/editions/7/draft/anew", send=str(first)))
    assert "cancelled" in again, "pressed twice, it makes no third"
    assert len(campaigns(house)) == 2
    # back to what it was: nothing is older
    change(house, editor, item, "供暖的一句。")
    assert OLDER in editor.get("/editions/7").text
    change(house, editor, item, "今天供暖。")
    assert OLDER not in editor.get("/editions/7").text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("variants", {"variants": "retired\neveryone"}),
        ("variants/0", {"variant": "everyone", "version": "0", "body": "别的话。"}),
        ("variants/0/form", {"variant": "everyone", "in_full": "1", "with_link": "0"}),
        ("", {"day": "2026-11-24", "title": "入冬"}),
    ],
)
def test_whatever_changes_the_texts_is_a_change(
    house: Runtime, editor: Browser, path: str, fields: dict[str, str]
) -> None:
    put(editor, "供暖", full="今天开始供暖，请关好门窗。")
    editor.post("/editions/7/draft")
    assert OLDER not in editor.get("/editions/7").text
    assert editor.post(f"/editions/7/{path}".rstrip("/"), **fields).status_code == 303
    assert OLDER in editor.get("/editions/7").text


def test_older_words_go_out_only_when_somebody_says_so(house: Runtime, editor: Browser) -> None:
    item = put(editor, "供暖")
    editor.post("/editions/7/draft")
    editor.post("/editions/7/draft")
    newer, older = sorted(campaigns(house), reverse=True)
    with house.begin() as tx:
        row = tx.session.get_one(Campaign, older)
        way = house.route(row), house.ways(tx)
        schedule.schedule(
            tx.session, OPERATOR, row, tx.now.replace(year=2027), *way, zone=house.settings.zone, now=tx.now
        )
    change(house, editor, item, "今天供暖。")
    for campaign in (newer, older):
        with pytest.raises(Conflict, match=f"Edition 7 was changed since campaign {campaign} was made of it"):
            start(house, campaign)
    with house.begin() as tx, pytest.raises(Conflict, match="was changed since"):
        row = tx.session.get_one(Campaign, newer)
        way = house.route(row), house.ways(tx)
        schedule.schedule(
            tx.session, OPERATOR, row, tx.now.replace(year=2027), *way, zone=house.settings.zone, now=tx.now
        )
    page = editor.get("/editions/7").text
    assert "It goes out so by itself:" in page
    assert "Whoever may send (operator, administrator) makes it anew here, or stops it." in page
    assert f"Make send {newer} anew" in page
    assert f"Make send {older} anew" not in page, "an editor takes nothing off its time"
    assert editor.post("/editions/7/draft/anew", send=str(older)).status_code == 403
    with at(house) as operator:
        come(house, operator, "wu", "operator")
        operator.get("/editions/7")
        assert operator.post("/editions/7/draft/anew", send=str(older)).status_code == 303
    assert campaigns(house)[older] == "cancelled"
    start(house, newer, as_drafted=True)
    assert campaigns(house)[newer] == "preparing"


def test_an_older_reading_page_says_so(house: Runtime, editor: Browser) -> None:
    item = put(editor, "供暖")
    editor.get("/editions/7/check")
    editor.post("/editions/7/publish", readers="")
    for path in ("/editions/7", "/editions/7/check", "/editions"):
        assert "earlier words" not in editor.get(path).text, path
    change(house, editor, item, "今天供暖。")
    assert OLD_PAGE in editor.get("/editions/7/check").text
    assert "Older than it: Reading page" in editor.get("/editions").text
    page = editor.get("/editions/7").text
    assert "members still read the earlier words there." in page
    form = re.search(r'action="/editions/7/publish">.*?name="readers" value="([^"]*)"', page)
    assert form
    assert editor.post("/editions/7/publish", readers=form[1]).status_code == 303
    assert OLD_PAGE not in editor.get("/editions/7/check").text
    other = put(editor, "晨练")
    assert OLD_PAGE in editor.get("/editions/7/check").text
    editor.post("/editions/7/publish", readers="")
    editor.post(f"/items/{other}/decide", move="withdraw")
    assert OLD_PAGE not in editor.get("/editions/7/check").text, "the page itself shows what was withdrawn"
    editor.post("/editions/7/publish", readers="")
    assert OLD_PAGE not in editor.get("/editions/7/check").text, "published without it"
    editor.post("/editions/7/move", placement=placement(house, "供暖"), to="down")
    editor.post(f"/items/{other}/decide", move="restore")
    assert OLD_PAGE in editor.get("/editions/7/check").text, "another order"


def test_a_page_of_before_is_known_by_its_time(house: Runtime, editor: Browser, clock: Clock) -> None:
    item = put(editor, "供暖")
    editor.get("/editions/7/check")
    editor.post("/editions/7/publish", readers="")
    with house.begin() as tx:
        page = tx.session.get_one(EditionPage, 1)
        page.columns = [
            column | {"items": [{key: one[key] for key in one if key != "version"} for one in column["items"]]}
            for column in page.columns
        ]
    assert OLD_PAGE not in editor.get("/editions/7/check").text
    clock.advance(seconds=1)
    change(house, editor, item, "今天供暖。")
    assert OLD_PAGE in editor.get("/editions/7/check").text


def test_a_segment_that_was_changed_is_told_and_taken_anew(house: Runtime, editor: Browser, clock: Clock) -> None:
    with house.begin() as tx:
        make_member(tx.session, name="赵平", status=Status.RETIRED)
        segments.save(tx.session, OPERATOR, "老同志", "everyone", now=tx.now)
    put(editor, "供暖")
    editor.post("/editions/7/variants", variants="老同志\neveryone", read="everyone")
    editor.post("/editions/7/draft")
    (first,) = campaigns(house)
    clock.advance(minutes=10)
    with house.begin() as tx:
        # who comes and goes is no change of it
        make_member(tx.session, name="孙丽", status=Status.RETIRED)
    for path in ("/editions/7", "/editions/7/check"):
        assert "changed the segment" not in editor.get(path).text
    with house.begin() as tx:
        segments.save(tx.session, OPERATOR, "老同志", "retired", now=tx.now)
    said = "operator changed the segment 老同志 since ("
    counts = "this send still goes to whom it held before, 3 people. Now it holds 2 people."
    for path in ("/editions/7", "/editions/7/check"):
        page = editor.get(path).text
        assert said in page, path
        assert counts in page, path
        assert OLDER not in page, "its words are those of now"
        assert f"Make send {first} anew, with the words and people of now" in page, path
    assert f"Older than it: Send {first}" in editor.get("/editions").text
    told = "operator changed the segment 老同志 on 2026-11-2., after campaign 1 was made.*: 3. Now it holds 2."
    with pytest.raises(Conflict, match=told) as refused:
        start(house, first)
    assert "--as-drafted" in refused.value.hint
    with house.begin() as tx, pytest.raises(Conflict, match=told):
        row = tx.session.get_one(Campaign, first)
        given = tx.now.replace(year=2027), house.route(row), house.ways(tx)
        schedule.schedule(tx.session, OPERATOR, row, *given, zone=house.settings.zone, now=tx.now)
    editor.post("/editions/7/draft/anew", send=str(first))
    second = max(campaigns(house))
    assert campaigns(house) == {first: "cancelled", second: "draft"}
    assert "changed the segment" not in editor.get("/editions/7/check").text
    assert rules(house, first) == ["(everyone)", "everyone"]
    assert rules(house, second) == ["(retired)", "everyone"]
    with house.begin() as tx:
        segments.save(tx.session, OPERATOR, "老同志", "retired and in_service", now=tx.now)
        segments.save(tx.session, OPERATOR, "老同志", "retired", now=tx.now)
    assert "changed the segment" not in editor.get("/editions/7/check").text, "it holds the same again"


def rules(house: Runtime, campaign: int) -> list[str]:
    with house.reading() as tx:
        return [each.rule for each in compose.get(tx.session, OPERATOR, campaign).variants]


def test_the_whole_audience_of_a_send_is_looked_at_too(house: Runtime, editor: Browser, clock: Clock) -> None:
    """A notice has no edition, and an edition may go to one segment only."""
    put(editor, "供暖")
    with house.begin() as tx:
        segments.save(tx.session, OPERATOR, "近邻", "everyone", now=tx.now)
        segments.save(tx.session, OPERATOR, "邻居", 'segment("近邻")', now=tx.now)
        given = {"rule": "邻居", "dress": house.dress, "now": tx.now}
        notice = compose.draft_notice(tx.session, OPERATOR, "您好", **given).id
        paper = {"paper": "晨晖", "language": "zh"}
        whole = compose.draft_edition(tx.session, OPERATOR, 7, **paper, **given).id
        removed = compose.draft_notice(tx.session, OPERATOR, "您好", **given).id
    clock.advance(minutes=10)
    with house.begin() as tx:
        segments.save(tx.session, OPERATOR, "近邻", "retired", now=tx.now)
    with pytest.raises(Conflict, match="changed the segment 近邻") as refused:
        start(house, notice)
    assert refused.value.hint == "`--as-drafted` sends it as it is."
    with pytest.raises(Conflict, match="changed the segment 近邻"):
        start(house, whole)
    start(house, notice, as_drafted=True)
    editor.get("/editions/7")
    editor.post("/editions/7/draft/anew", send=str(whole))
    with house.reading() as tx:
        anew = compose.get(tx.session, OPERATOR, max(campaigns(house)))
        assert (anew.rule, anew.asked) == ("((retired))", "邻居")
    with house.begin() as tx:
        segments.remove(tx.session, OPERATOR, "邻居", now=tx.now)
    start(house, removed)
