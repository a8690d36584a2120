"""Reading pages: published, read by anybody, searched; small, without script, and with nothing for some only."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from urllib.parse import quote

import httpx2
import pytest
from sqlalchemy.orm import Session

from broadcaster.newspaper import items, making, publishing
from broadcaster.newspaper.item_words import Words
from broadcaster.newspaper.items import Move
from broadcaster.newspaper.models import Item
from broadcaster.newspaper.publishing import Published
from broadcaster.runtime import Runtime
from broadcaster.web.assets import asset
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict, Invalid, NotFound
from tests.factories import make_organisation
from tests.newsroom.naughty import NAUGHTY

DAY = date(2026, 11, 23)
FULL = "**今天**供暖。\n\n- 带会员证"


def put(session: Session, now, headline: str, *audience: str, number: int = 1, full: str = FULL) -> int:  # type: ignore[no-untyped-def]
    words = Words(headline, f"{headline}的一句。", full, audience or ("everyone",), "东街分会")
    item = items.write(session, OPERATOR, words, now=now).id
    items.decide(session, OPERATOR, item, Move.ACCEPT, now=now)
    making.place(session, OPERATOR, number, making.layout(session, OPERATOR, number).columns[0].id, [item])
    return item


def begin(session: Session, now, number: int = 1) -> None:  # type: ignore[no-untyped-def]
    making.begin(session, OPERATOR, number=number, day=DAY, title=f"第{number}周", now=now)
    if number == 1:
        making.add_column(session, OPERATOR, 1, "要闻")


def test_what_is_not_there_looks_like_the_paper_to_its_readers(site: httpx2.Client) -> None:
    for path in ("/p/99", "/p/99/reader", "/p/x", "/p/1/nothing"):
        answer = site.get(path)
        assert answer.status_code == 404
        assert asset("reading.css") in answer.text, path
        assert asset("house.css") not in answer.text, path
        assert "There is nothing at this address." in answer.text
        assert '<a href="/p">All editions</a>' in answer.text
    assert 'class="size-3"' in site.get("/p/99?z=3").text
    assert '<a href="?z=3&amp;lang=zh" lang="zh-CN"' in site.get("/p/99?z=3").text
    assert "这个地址没有内容。" in site.get("/p/99?lang=zh").text
    assert asset("house.css") in site.get("/paper").text, "that is no page of readers"


def test_published_read_and_taken_down(house: Runtime, site: httpx2.Client) -> None:
    assert site.get("/p/1").status_code == 404
    with house.begin() as tx:
        begin(tx.session, tx.now)
        item = put(tx.session, tx.now, "供暖")
        put(tx.session, tx.now, "只给离退休", "retired")
        making.set_variants(tx.session, OPERATOR, 1, ["retired", "everyone"], now=tx.now)
        assert publishing.publish(tx.session, OPERATOR, 1, now=tx.now) == Published(1, 1)
    answer = site.get("/p/1")
    assert answer.status_code == 200
    assert "<strong>今天</strong>供暖。" in answer.text
    assert "<li>带会员证</li>" in answer.text
    assert "只给离退休" not in answer.text
    assert "<script" not in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    with house.begin() as tx:
        words = replace(items.words_of(items.get(tx.session, OPERATOR, item)), full="改过了。")
        items.change(tx.session, OPERATOR, item, words, version=1, now=tx.now)
    assert "改过了" not in site.get("/p/1").text, "it changes when it is published anew"
    with house.begin() as tx:
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now)
    assert "改过了" in site.get("/p/1").text
    with house.begin() as tx:
        items.decide(tx.session, OPERATOR, item, Move.WITHDRAW, now=tx.now)
    page = site.get("/p/1").text
    assert "This was withdrawn." in page
    assert "改过了" not in page
    with house.begin() as tx:
        publishing.take_down(tx.session, OPERATOR, 1, now=tx.now)
    assert site.get("/p/1").status_code == 404


def test_from_what_was_wrong_to_what_is_right_and_back(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        begin(tx.session, tx.now)
        begin(tx.session, tx.now, 2)
        wrong, right = put(tx.session, tx.now, "供暖"), put(tx.session, tx.now, "更正：供暖", number=2)
        put(tx.session, tx.now, "停水")
        tx.session.get_one(Item, right).corrects_id = wrong
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now)
    assert "put right" not in site.get("/p/1").text, "nobody has published what is right"
    with house.begin() as tx:
        publishing.publish(tx.session, OPERATOR, 2, now=tx.now)
    assert f'<a class="step" href="/p/2#i{right}">The correction, in No. 2</a>' in site.get("/p/1").text
    assert f'<a class="step" href="/p/1#i{wrong}">What it puts right, in No. 1</a>' in site.get("/p/2").text
    with house.begin() as tx:
        items.decide(tx.session, OPERATOR, wrong, Move.WITHDRAW, now=tx.now)
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now)
        assert publishing.outdated(tx.session, [1, 2]) == set()
    page = site.get("/p/1").text
    assert ("供暖" in page, "供暖的一句" in page, "带会员证" in page.partition("停水")[0]) == (True, False, False)
    assert "This was withdrawn." in page
    assert f'href="/p/2#i{right}"' in page
    with house.begin() as tx:
        items.decide(tx.session, OPERATOR, right, Move.WITHDRAW, now=tx.now)
    assert "put right" not in site.get("/p/1").text, "what is right was withdrawn as well"


def test_the_place_below_does_not_say_what_is_right(house: Runtime, site: httpx2.Client) -> None:
    """It may use an item of the pool, and say that it corrects it; the page of the place above does not lead there."""
    with house.begin() as tx:
        begin(tx.session, tx.now)
        begin(tx.session, tx.now, 2)
        theirs, ours = put(tx.session, tx.now, "供暖"), put(tx.session, tx.now, "不供暖", number=2)
        below = tx.session.get_one(Item, ours)
        below.corrects_id, below.under = theirs, make_organisation(tx.session, "东城").path
        for number in (1, 2):
            publishing.publish(tx.session, OPERATOR, number, now=tx.now)
    assert "/p/2#" not in site.get("/p/1").text


def test_what_was_withdrawn_before_it_was_published(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        begin(tx.session, tx.now)
        item = put(tx.session, tx.now, "供暖")
        put(tx.session, tx.now, "停水")
        items.decide(tx.session, OPERATOR, item, Move.WITHDRAW, now=tx.now)
        assert publishing.publish(tx.session, OPERATOR, 1, now=tx.now) == Published(1, 0)
    assert "供暖的一句" not in site.get("/p/1").text
    assert f"i{item}" not in site.get("/p/1").text


def test_what_nobody_has_accepted_is_not_read(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        begin(tx.session, tx.now)
        item = put(tx.session, tx.now, "供暖")
        put(tx.session, tx.now, "停水")
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now)
        items.decide(tx.session, OPERATOR, item, Move.SEND_BACK, now=tx.now)
        words = replace(items.words_of(items.get(tx.session, OPERATOR, item)), full="没有人看过。")
        items.change(tx.session, OPERATOR, item, words, version=1, now=tx.now)
        with pytest.raises(Conflict, match="not accepted") as refused:
            publishing.publish(tx.session, OPERATOR, 1, now=tx.now)
        assert refused.value.fields["headline"] == "供暖"
    assert "没有人看过" not in site.get("/p/1").text
    with house.begin() as tx:
        items.decide(tx.session, OPERATOR, item, Move.ACCEPT, now=tx.now)
        assert publishing.publish(tx.session, OPERATOR, 1, now=tx.now) == Published(2, 0)
    assert "没有人看过" in site.get("/p/1").text


def test_what_is_not_published(house: Runtime) -> None:
    with house.begin() as tx:
        begin(tx.session, tx.now)
        with pytest.raises(Conflict, match="is for everyone"):
            publishing.publish(tx.session, OPERATOR, 1, now=tx.now)
        with pytest.raises(NotFound):
            publishing.take_down(tx.session, OPERATOR, 1, now=tx.now)
        put(tx.session, tx.now, "长", full="长" * 16_000)
        with pytest.raises(Invalid, match="46000 are the most"):
            publishing.publish(tx.session, OPERATOR, 1, now=tx.now)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_largest_page_loads_on_an_old_phone(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        begin(tx.session, tx.now)
        # until no more is taken
        with pytest.raises(Invalid, match="bytes"):
            for number, full in enumerate(["段落。\n\n" * 90, "& [a](https://b) " * 80, '"<>' * 300, "长" * 2000] * 9):
                put(tx.session, tx.now, f"第{number}条", full=full)
                publishing.publish(tx.session, OPERATOR, 1, now=tx.now)
        assert number > 6
    page, style = site.get("/p/1"), site.get(asset("reading.css"))
    assert len(page.content) + len(style.content) < 50_000
    assert len(site.get("/p").content) + len(style.content) < 14_000


def test_the_archive(house: Runtime, site: httpx2.Client) -> None:
    assert "No edition was published yet." in site.get("/p").text
    with house.begin() as tx:
        for number in range(1, 33):
            begin(tx.session, tx.now, number)
            put(tx.session, tx.now, f"头条{number}号", number=number, full="Gas 100%_ok" if number == 5 else "")
            publishing.publish(tx.session, OPERATOR, number, now=tx.now)
    page = site.get("/p").text
    assert re.findall(r'href="/p/(\d+)"', page) == [str(number) for number in range(32, 2, -1)]
    older = re.search(r'href="(/p\?q=&amp;before=3)"', page)
    assert older
    assert re.findall(r'href="/p/(\d+)"', site.get("/p?q=&before=3").text) == ["2", "1"]
    for words, numbers in (("头条7号", ["7"]), ("gas 100%_OK", ["5"]), ("%%", []), ("第9周", ["9"])):
        assert re.findall(r'href="/p/(\d+)"', site.get("/p", params={"q": words}).text) == numbers, words
    page = site.get("/p/5").text
    assert (">The one before</a>" in page, 'href="/p/6"' in page) == (True, True)
    assert site.get("/p/32").text.count("The next one") == 0


def test_words_that_nobody_is_shown_any_more_find_nothing(house: Runtime, site: httpx2.Client) -> None:
    def found(words: str) -> list[str]:
        return re.findall(r'href="/p/(\d+)"', site.get("/p", params={"q": words}).text)

    withdrawn = []
    with house.begin() as tx:
        for number in range(1, 36):
            begin(tx.session, tx.now, number)
            withdrawn.append(put(tx.session, tx.now, f"停水{number}号", number=number, full="Wrong day"))
            put(tx.session, tx.now, f"供暖{number}号", number=number, full="Wrong day" if number == 2 else "")
            publishing.publish(tx.session, OPERATOR, number, now=tx.now)
    assert len(found("wrong DAY")) == 30
    with house.begin() as tx:
        for item in withdrawn:
            items.decide(tx.session, OPERATOR, item, Move.WITHDRAW, now=tx.now)
    assert found("wrong DAY") == ["2"], "an item that stands has the same words, behind more than a page of others"
    assert found("停水7号的一句") == []
    assert found("停水7号") == ["7"], "its headline is shown still"
    assert found("第7周") == ["7"]
    with house.begin() as tx:
        items.decide(tx.session, OPERATOR, withdrawn[6], Move.RESTORE, now=tx.now)
    assert found("wrong DAY") == ["7", "2"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_anybody_may_ask(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        begin(tx.session, tx.now)
        put(tx.session, tx.now, "<script>alert(1)</script>", full='"><img src=x onerror=alert(1)>')
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now)
    for typed in NAUGHTY:
        for answer in (
            site.get("/p", params={"q": typed, "z": typed}),
            site.get("/p", params={"before": typed}),
            site.get("/p/1", params={"z": typed}),
            site.get("/p/" + quote(typed[:40], safe="")),
        ):
            assert answer.status_code in (200, 404), (typed, answer.status_code)
            assert "<script>alert" not in answer.text
            assert "<img" not in answer.text
            assert "z=" not in answer.headers.get("set-cookie", "")
    for number in ("0", "-1", "9" * 30, "１"):
        assert site.get(f"/p/{number}").status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_size_of_the_letters_stays(house: Runtime, site: httpx2.Client) -> None:
    assert 'class="size-2"' in site.get("/p").text
    assert 'class="size-3"' in site.get("/p?z=3").text
    assert 'class="size-3"' in site.get("/p").text
    assert 'class="size-1"' in site.get("/p?z=1").text
