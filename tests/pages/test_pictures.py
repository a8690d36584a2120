"""Pictures on reading pages: in their places as far as the page stays small, for whom the item is, as published."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import httpx2
import pytest
from PIL import Image
from sqlalchemy.orm import Session

from broadcaster.newspaper import items, making, pictures, publishing
from broadcaster.newspaper.items import Move
from broadcaster.newspaper.models import EditionPage
from broadcaster.runtime import Runtime
from broadcaster.web.assets import asset
from subscribers.actor import OPERATOR
from tests.factories import generated_msisdn, make_member, make_organisation
from tests.pages.test_editions import begin, put
from tests.pages.test_readers import OTHERS, come_in
from tests.pictures import shrunk

ALT = '三位老人 "排队" <b>'


@pytest.fixture
def house(house: Runtime) -> Runtime:
    with house.begin() as tx:
        begin(tx.session, tx.now)
        put(tx.session, tx.now, "供暖")
    return house


def with_picture(session: Session, now, item: int, *, blue: int = 128, size: int = 0, alt: str = ALT) -> int:  # type: ignore[no-untyped-def]
    picture = pictures.keep(session, OPERATOR, shrunk(blue=blue, size=size), now=now)
    found = items.get(session, OPERATOR, item)
    words = replace(items.words_of(found), picture_id=picture, alt=alt)
    items.change(session, OPERATOR, item, words, version=found.version, now=now)
    return picture


def publish(house: Runtime, readers: str = "") -> None:
    with house.begin() as tx:
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now, readers=readers)


def addresses(page: str) -> list[str]:
    return [each.replace("&amp;", "&") for each in re.findall(r'(?:src|href)="(/p/1/picture/[^"]+)"', page)]


def test_as_it_was_published(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        item = put(tx.session, tx.now, "食堂")
        before = with_picture(tx.session, tx.now, item)
    publish(house)
    page = site.get("/p/1").text
    assert 'alt="三位老人 &#34;排队&#34; &lt;b&gt;" ' not in page
    assert 'width="640" height="480" alt="三位老人 &#34;排队&#34; &lt;b&gt;"' in page
    small, large = addresses(page)
    for address, width in ((small, 640), (large, 1280)):
        answer = site.get(address)
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, max-age=3600"
        assert Image.open(BytesIO(answer.content)).width == width
    assert f"The picture larger ({-(-len(site.get(large).content) // 1000)} KB)" in page
    with house.begin() as tx:
        with_picture(tx.session, tx.now, item, blue=0)
    assert addresses(site.get("/p/1").text) == [small, large], "it changes when it is published anew"
    assert len(site.get(small).content) == len(bytes_of(house, before))
    publish(house)
    assert addresses(site.get("/p/1").text) != [small, large]
    with house.begin() as tx:
        items.decide(tx.session, OPERATOR, item, Move.WITHDRAW, now=tx.now)
    assert not addresses(site.get("/p/1").text)
    assert site.get(small).status_code == 404
    with house.begin() as tx:
        publishing.take_down(tx.session, OPERATOR, 1, now=tx.now)
    assert site.get(small).status_code == 404


def bytes_of(house: Runtime, picture: int) -> bytes:
    with house.reading() as tx:
        return pictures.look(tx.session, OPERATOR, picture)


def test_what_is_not_there(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        item = with_picture(tx.session, tx.now, put(tx.session, tx.now, "食堂"))
        alone = put(tx.session, tx.now, "没有图")
        away = put(tx.session, tx.now, "不在这一期", number=1)
        with_picture(tx.session, tx.now, away)
        placed = making.layout(tx.session, OPERATOR, 1).columns[0].items
        making.take_out(tx.session, OPERATOR, 1, next(each.id for each in placed if each.item.id == away))
    publish(house)
    wrong = (
        f"1/picture/{alone}",
        f"1/picture/{away}",
        "1/picture/0",
        "1/picture/-1",
        f"2/picture/{item}",
        "1/picture/x",
    )
    for path in (*wrong, f"1/picture/{'9' * 30}", f"{'9' * 30}/picture/1"):
        assert site.get(f"/p/{path}").status_code == 404, path


def test_for_whom_the_item_is(house: Runtime, site: httpx2.Client) -> None:
    mine = generated_msisdn(77)
    with house.begin() as tx:
        east = make_organisation(tx.session, "东街")
        make_member(tx.session, organisation=east, name="李桂英", status="retired", msisdn=mine)
        make_member(tx.session, organisation=east, name="王强", msisdn=OTHERS)
        item = put(tx.session, tx.now, "只给离退休", "retired")
        with_picture(tx.session, tx.now, item)
        making.set_variants(tx.session, OPERATOR, 1, ["retired", "everyone"], now=tx.now)
    publish(house)
    address = f"/p/1/picture/{item}"
    assert site.get(address).status_code == 404
    come_in(house, site, OTHERS)
    assert site.get(address).status_code == 404
    come_in(house, site, mine)
    assert site.get(addresses(site.get("/p/1").text)[0]).status_code == 200
    publish(house, "in_service")
    assert site.get("/p/1").status_code == 403
    assert site.get(address).status_code == 404, "the whole page is for others"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_whole_page_stays_small(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        for number in range(5):
            item = put(tx.session, tx.now, f"第{number}条", full="段落。\n\n" * 20)
            with_picture(tx.session, tx.now, item, blue=number, size=15_000, alt=f"图{number}" + "&" * 100)
    publish(house)
    page = site.get("/p/1")
    shown = re.findall(r'<img src="([^"]+)"', page.text)
    assert len(shown) == 2
    sizes = [len(site.get(each).content) for each in shown]
    assert sizes == [15_000, 15_000]
    assert len(page.content) + len(site.get(asset("reading.css")).content) + sum(sizes) < 50_000
    assert len(re.findall(r"Picture \(\d+ KB\): 图[234]", page.text)) == 3
    for each in addresses(page.text):
        assert site.get(each).status_code == 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_that_is_small_has_no_larger_one(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        made = shrunk(100, 80)
        picture = pictures.keep(tx.session, OPERATOR, replace(made, large=made.small), now=tx.now)
        item = put(tx.session, tx.now, "小图")
        words = replace(items.words_of(items.get(tx.session, OPERATOR, item)), picture_id=picture, alt="小图")
        items.change(tx.session, OPERATOR, item, words, version=1, now=tx.now)
    publish(house)
    assert len(addresses(site.get("/p/1").text)) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_pages_of_before_have_none(house: Runtime, site: httpx2.Client) -> None:
    publish(house)
    with house.begin() as tx:
        page = tx.session.get_one(EditionPage, 1)
        columns = [dict(column) for column in page.columns]
        columns[0]["items"] = [{k: v for k, v in each.items() if k != "picture"} for each in columns[0]["items"]]
        page.columns = columns
    assert site.get("/p/1").status_code == 200
