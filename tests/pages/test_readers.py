"""Pages for some of the members: a code to one's own number opens them, and strangers learn nothing."""

from __future__ import annotations

import re

import httpx2
import pytest
from sqlalchemy import select

from broadcaster.access import readers
from broadcaster.access.models import ReaderCode
from broadcaster.campaigns.models import Lane
from broadcaster.delivery.models import Batch, Part
from broadcaster.newspaper import making, publishing
from broadcaster.runtime import Runtime
from broadcaster.tasks import reader_codes
from broadcaster.web.assets import asset
from subscribers import lists
from subscribers.actor import OPERATOR
from subscribers.errors import Invalid
from subscribers.models import Number
from tests.databases import Clock
from tests.factories import generated_msisdn, make_member, make_organisation
from tests.pages.test_editions import begin, put
from tests.websites import opened

MINE, OTHERS, OUT, LANDLINE = (generated_msisdn(n) for n in (11, 22, 33, 44))
STRANGER = generated_msisdn(55)
TOKEN = re.compile(r'name="form_token" value="([0-9a-f]{64})"')


@pytest.fixture
def house(house: Runtime) -> Runtime:
    with house.begin() as tx:
        east = make_organisation(tx.session, "东街")
        make_member(tx.session, organisation=east, name="李桂英", status="retired", msisdn=MINE)
        make_member(tx.session, organisation=east, name="王强", msisdn=OTHERS)
        make_member(tx.session, organisation=east, name="赵平", status="retired", msisdn=OUT, subscribed=False)
        make_member(tx.session, organisation=east, name="钱多", status="retired", msisdn=LANDLINE, kind="landline")
        begin(tx.session, tx.now)
        put(tx.session, tx.now, "供暖")
        put(tx.session, tx.now, "只给离退休", "retired")
        making.set_variants(tx.session, OPERATOR, 1, ["retired", "everyone"], now=tx.now)
    return house


def publish(house: Runtime, only: str = "") -> None:
    with house.begin() as tx:
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now, readers=only)


def post(site: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
    token = TOKEN.search(site.get(path).text)
    assert token
    return site.post(path, data={"form_token": token[1], **fields})


def asked(site: httpx2.Client, number: str) -> httpx2.Response:
    return post(site, "/p/1/reader", number=number.removeprefix("+86"))


def texts(house: Runtime) -> list[str]:
    reader_codes.send_asked(house)
    with house.reading() as tx:
        return list(tx.session.scalars(select(Part.text).order_by(Part.id)))


def code_of(text: str) -> str:
    found = re.search(r"\d{6}", text)
    assert found
    return found[0]


def come_in(house: Runtime, site: httpx2.Client, number: str = MINE) -> httpx2.Response:
    answer = asked(site, number)
    assert answer.headers["location"] == "/p/1/reader/code"
    return post(site, "/p/1/reader/code", code=code_of(texts(house)[-1]))


def test_what_is_for_some_is_shown_to_these(house: Runtime, site: httpx2.Client) -> None:
    publish(house)
    page = site.get("/p/1").text
    assert "供暖" in page
    assert "只给离退休" not in page
    assert "1 more item is for some of the members only." in page
    answer = come_in(house, site)
    assert answer.headers["location"] == "/p/1"
    page = site.get("/p/1").text
    assert "只给离退休" in page
    assert "for some of the members only" not in page
    assert "/p/1" not in site.get("/p?q=只给离退休").text, "the archive is for anybody"
    with opened(house) as other:
        assert "只给离退休" not in other.get("/p/1").text
        come_in(house, other, OTHERS)
        page = other.get("/p/1", headers={"accept-language": "en"}).text
        assert "只给离退休" not in page
        assert "1 more item" in page


def test_a_page_for_one_organisation(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        west = make_organisation(tx.session, "西街")
        make_member(tx.session, organisation=west, name="孙丽", status="retired", msisdn=STRANGER)
    publish(house, "under(东街) and retired")
    come_in(house, site)
    assert "供暖" in site.get("/p/1").text
    with opened(house) as other:
        come_in(house, other, STRANGER)
        answer = other.get("/p/1", headers={"accept-language": "en"})
        assert (answer.status_code, "供暖" in answer.text) == (403, False)


def test_a_page_for_some_only(house: Runtime, site: httpx2.Client) -> None:
    publish(house, "under(东街) and retired")
    answer = site.get("/p/1")
    assert answer.status_code == 403
    assert "This edition is for some of the members only." in answer.text
    assert "东街" not in answer.text, "a rule may tell what strangers must not know"
    assert "供暖" not in answer.text
    assert "第1周" not in answer.text
    archive = site.get("/p").text
    assert "for some of the members" in archive
    assert "第1周" not in archive
    assert "/p/1" not in site.get("/p?q=第1周").text
    come_in(house, site, OTHERS)
    assert "is not one of theirs" in site.get("/p/1").text
    come_in(house, site)
    page = site.get("/p/1")
    assert page.status_code == 200
    assert "供暖" in page.text
    assert "只给离退休" in page.text
    with house.begin() as tx, pytest.raises(Invalid):
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now, readers="under(无此处)")
    publish(house, "in_service")
    assert "This edition is for some of the members only: in service." in site.get("/p/1").text


def test_a_list_that_was_removed_is_of_nobody_and_the_page_stays_up(house: Runtime, site: httpx2.Client) -> None:
    with house.begin() as tx:
        mine = tx.session.scalars(select(Number.member_id).where(Number.msisdn == MINE)).one()
        for name in ("代表", "骨干"):
            lists.save_list(tx.session, OPERATOR, name, ids=[mine], now=tx.now)
        put(tx.session, tx.now, "只给骨干", 'list("骨干")')
        put(tx.session, tx.now, "给骨干和离退休", 'list("骨干")', "retired")
        making.set_variants(tx.session, OPERATOR, 1, ['list("骨干")', "retired", "everyone"], now=tx.now)
    publish(house, 'list("代表")')
    come_in(house, site)
    page = site.get("/p/1").text
    assert "只给骨干" in page
    with house.begin() as tx:
        lists.remove_list(tx.session, OPERATOR, "骨干", now=tx.now)
        assert publishing.without_readers(tx.session, OPERATOR, 1) == (False, ["只给骨干"])
    answer = site.get("/p/1")
    assert answer.status_code == 200
    assert "只给骨干" not in answer.text
    assert "给骨干和离退休" in answer.text, "it is for others, too"
    with house.begin() as tx:
        lists.remove_list(tx.session, OPERATOR, "代表", now=tx.now)
        assert publishing.without_readers(tx.session, OPERATOR, 1)[0]
    answer = site.get("/p/1")
    assert answer.status_code == 403
    assert "This edition is for some of the members only." in answer.text


def test_a_rule_that_is_too_long_is_not_cut(house: Runtime) -> None:
    rule = " or ".join(["retired"] * 60)
    with house.begin() as tx, pytest.raises(Invalid, match="656 characters; 500 are the most"):
        publishing.publish(tx.session, OPERATOR, 1, now=tx.now, readers=rule)
    with house.reading() as tx:
        assert publishing.published_at(tx.session, OPERATOR, 1) is None


def test_everybody_is_answered_alike_and_only_members_are_sent_to(house: Runtime, site: httpx2.Client) -> None:
    publish(house, "retired")
    answers = []
    for number in (MINE, STRANGER, OUT, LANDLINE):
        answer = asked(site, number)
        page = site.get("/p/1/reader/code")
        answers.append((answer.status_code, answer.headers["location"], page.text))
        assert number[3:] not in str(answer.url) + str(page.url) + page.text
    assert len(set(answers)) == 1
    assert len(texts(house)) == 1
    with house.reading() as tx:
        assert set(tx.session.scalars(select(ReaderCode.msisdn))) == {""}, "numbers are not kept"


def test_a_code_is_good_once_for_its_browser_and_for_a_while(house: Runtime, site: httpx2.Client, clock: Clock) -> None:
    publish(house, "retired")
    asked(site, MINE)
    code = code_of(texts(house)[-1])
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert post(site, "/p/1/reader/code", code=wrong).status_code == 422
    with opened(house) as thief:
        assert post(thief, "/p/1/reader/code", code=code).status_code == 422, "it is the browser's that asked"
    kept = site.cookies["reader_code"]
    assert post(site, "/p/1/reader/code", code=f" {code[:3]} {code[3:]}").status_code == 303
    site.cookies.set("reader_code", kept)
    assert post(site, "/p/1/reader/code", code=code).status_code == 422, "it was used"
    asked(site, MINE)
    late = code_of(texts(house)[-1])
    clock.advance(minutes=11)
    assert post(site, "/p/1/reader/code", code=late).status_code == 422


def test_who_guesses_has_five_tries(house: Runtime, site: httpx2.Client) -> None:
    publish(house, "retired")
    asked(site, MINE)
    code = code_of(texts(house)[-1])
    for n in range(1, readers.TYPED + 1):
        assert post(site, "/p/1/reader/code", code=f"{(int(code) + n) % 10**6:06d}").status_code == 422
    assert post(site, "/p/1/reader/code", code=code).status_code == 422


def test_a_strangers_code_opens_nothing(house: Runtime, site: httpx2.Client) -> None:
    publish(house, "retired")
    asked(site, STRANGER)
    texts(house)
    with house.reading() as tx:
        row = tx.session.scalars(select(ReaderCode)).one()
        guessed = readers._code(row, house.secret)
    assert post(site, "/p/1/reader/code", code=guessed).status_code == 422


def test_a_number_gets_three_codes_in_an_hour_and_nobody_is_told(
    house: Runtime, site: httpx2.Client, clock: Clock
) -> None:
    publish(house, "retired")
    for _ in range(5):
        assert asked(site, MINE).status_code == 303
    assert len(texts(house)) == 3
    clock.advance(minutes=61)
    asked(site, MINE)
    assert len(texts(house)) == 4


def test_a_number_gets_eight_codes_in_a_day(house: Runtime, site: httpx2.Client, clock: Clock) -> None:
    publish(house, "retired")
    for _ in range(5):
        for _ in range(2):
            assert asked(site, MINE).status_code == 303
        sent = len(texts(house))
        clock.advance(minutes=61)
    assert sent == 8
    clock.advance(days=1)
    asked(site, MINE)
    assert len(texts(house)) == 9


def test_where_nothing_is_for_some_no_code_is_asked_for(house: Runtime, site: httpx2.Client) -> None:
    publish(house, "retired")
    token = TOKEN.search(site.get("/p/1/reader").text)
    assert token
    with house.begin() as tx:
        begin(tx.session, tx.now, 2)
        put(tx.session, tx.now, "供暖", number=2)
        publishing.publish(tx.session, OPERATOR, 2, now=tx.now)
    for page in ("/p/2/reader", "/p/3/reader"):
        assert site.get(page).status_code == 404
        assert site.post(page, data={"form_token": token[1], "number": MINE}).status_code == 404
    assert not texts(house)


def test_a_code_that_is_asked_for_at_night_goes_out_at_night(house: Runtime, site: httpx2.Client, clock: Clock) -> None:
    publish(house, "retired")
    night = clock.now.astimezone(house.settings.zone).replace(hour=2, minute=0)
    clock.now = night.astimezone(clock.now.tzinfo)
    paper = house.settings.paper.model_copy(update={"quiet_hours": "21:00-08:00"})
    house.settings = house.settings.model_copy(update={"paper": paper})
    asked(site, MINE)
    assert texts(house)
    with house.reading() as tx:
        batch = tx.session.scalars(select(Batch)).one()
        assert Lane.ANSWER == batch.lane <= house.up_to(batch.gateway, tx.session, tx.now) < Lane.BULK


def test_a_phone_is_forgotten_by_a_button(house: Runtime, site: httpx2.Client) -> None:
    publish(house, "retired")
    assert "Forget this phone" not in site.get("/p/1").text
    come_in(house, site)
    kept = site.cookies["reader"]
    with opened(house) as other:
        come_in(house, other)
        assert other.get("/p/1").status_code == 200
        page = site.get("/p/1").text
        assert "Forget this phone" in page
        assert TOKEN.search(page)
        assert site.post("/p/1/reader/forget").status_code == 403, "a page of somebody else's cannot do it"
        for _ in range(2):
            token = TOKEN.search(site.get("/p/1/reader").text)
            assert token
            answer = site.post("/p/1/reader/forget", data={"form_token": token[1]})
            assert answer.headers["location"] == "/p/1/reader/forgotten"
            assert "This phone is forgotten" in site.get("/p/1/reader/forgotten").text
            site.cookies.set("reader", kept)
            answer = site.get("/p/1")
            assert answer.status_code == 403, "the cookie that somebody copied opens nothing, either"
            assert "Forget this phone" not in answer.text
        assert other.get("/p/1").status_code == 200, "other phones of this number stay known"
        assert other.get("/p/1/reader/forgotten").headers["location"] == "/p/1"


def test_another_number_ends_what_the_phone_was_known_by(house: Runtime, site: httpx2.Client) -> None:
    publish(house, "retired")
    come_in(house, site)
    kept = site.cookies["reader"]
    come_in(house, site, OTHERS)
    with opened(house) as thief:
        thief.cookies.set("reader", kept)
        assert thief.get("/p/1").status_code == 403


def test_who_gave_the_number_up_is_known_no_more(house: Runtime, site: httpx2.Client, clock: Clock) -> None:
    publish(house, "retired")
    come_in(house, site)
    assert site.get("/p/1").status_code == 200
    clock.advance(days=89)
    assert site.get("/p/1").status_code == 200
    with house.begin() as tx:
        number = tx.session.scalars(select(Number).where(Number.msisdn == MINE)).one()
        number.msisdn = generated_msisdn(99)
    assert site.get("/p/1").status_code == 403
    with house.begin() as tx:
        tx.session.get_one(Number, number.id).msisdn = MINE
    clock.advance(days=2)
    assert site.get("/p/1").status_code == 403, "ninety days are over"


@pytest.mark.parametrize("typed", ["", "12", "x" * 5000, "<b>", "199 0000", "\x00"])
def test_what_is_no_number(house: Runtime, site: httpx2.Client, typed: str) -> None:
    publish(house, "retired")
    answer = post(site, "/p/1/reader", number=typed)
    assert answer.status_code in (400, 422)
    assert "<b>" not in answer.text
    assert not texts(house)


def test_no_form_of_another_page_is_taken(house: Runtime, site: httpx2.Client) -> None:
    publish(house, "retired")
    site.get("/p/1/reader")
    assert site.post("/p/1/reader", data={"number": MINE}).status_code == 403
    assert site.post("/p/1/reader/code", data={"code": "123456"}).status_code == 403


def test_small_without_script_and_cookies_that_no_script_reads(house: Runtime, site: httpx2.Client) -> None:
    publish(house, "retired")
    style = len(site.get(asset("reading.css")).content)
    for path in ("/p/1", "/p/1/reader", "/p/1/reader/code"):
        page = site.get(path)
        assert "<script" not in page.text
        assert len(page.content) + style < 14_000
    answer = come_in(house, site)
    cookies = [each for each in answer.headers.get_list("set-cookie") if each.startswith("reader=")]
    assert len(cookies) == 1
    assert "HttpOnly" in cookies[0]
    assert "SameSite=lax" in cookies[0]
